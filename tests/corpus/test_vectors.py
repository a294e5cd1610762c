"""Nothing active survives the compile step, wherever an author's or a stranger's text can stand."""

from __future__ import annotations

import json

import pytest

from mailer.edition.compile import compile_issue
from mailer.edition.model import Masthead
from mailer.errors import UserError
from mailer.issue.read import read_issue
from tests.corpus.active import active_content
from tests.corpus.harm import harm
from tests.corpus.vectors import vectors

MASTHEAD = Masthead(base_url="https://ok.example.org/", postal_address="1 Quay Street", list_name="The List")
VECTORS = vectors()
PLACES = (
    "body",
    "title",
    "subject",
    "alt",
    "credit",
    "preheader",
    "author",
    "link",
    "paragraph",
    "list_name",
)


def issue_with(vector: str, place: str) -> bytes:
    """Give an issue that has the vector in one place; JSON front matter takes any text without escaping it away."""
    front: dict[str, object] = {"number": 1, "title": "A quiet title", "description": "A quiet description."}
    body = "The first paragraph.\n"
    if place in ("title", "subject"):
        front[place] = vector
    elif place == "preheader":
        front["description"] = vector
    elif place in ("alt", "credit"):
        front["image"] = {"feature": "https://ok.example.org/hero.png", place: vector}
    elif place == "author":
        front |= {"author": vector, "language": vector, "permalink": vector}
    elif place == "link":
        front |= {"link": vector, "image": vector, "canonical_url": vector}
    elif place == "paragraph":
        body = f"Words {vector} and words.\n"
    elif place == "body":
        body = f"The first paragraph.\n\n{vector}\n\nThe last one.\n"
    return (json.dumps(front, indent=1) + "\n\n" + body).encode("utf-8", "surrogatepass")


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_nothing_active_survives(place):
    """No script, handler, address, style or parser trick survives, wherever a text can stand."""
    faults = []
    for vector in VECTORS:
        masthead = Masthead(
            base_url="https://ok.example.org/",
            list_name=vector,
            sender_name=vector,
            why=vector,
            postal_address=vector,
        )
        try:
            issue = read_issue(issue_with(vector, place), "hostile.md")
            edition = compile_issue(issue, masthead if place == "list_name" else MASTHEAD)
        except UserError:
            continue
        faults += [f"{vector!r}: {fault}" for fault in harm(edition)]
    assert not faults, f"{len(faults)} faults\n" + "\n".join(faults[:60])


def test_nothing_active_survives_of_all_of_them_together():
    """The whole collection in one body leaves nothing active either."""
    edition = compile_issue(read_issue(issue_with("\n\n".join(VECTORS), "body"), "hostile.md"), MASTHEAD)
    assert harm(edition) == []


def test_the_collection_is_a_collection():
    """There are more than two hundred and fifty vectors, and the rules find fault with most of the naked ones."""
    naked = [
        vector for vector in VECTORS if active_content(f"<!DOCTYPE html><html><body>{vector}</body></html>")
    ]
    assert len(set(VECTORS)) > 250
    assert len(naked) > 150
