"""What `--json` writes against what docs/commands.md says that it writes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.pages import names, read, sections

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECTIONS = sections(read("commands.md"))
ISSUE = (
    '---\ntitle: "Water #1: Low"\npreheader: What the gauge says.\n---\n\nThe [gauge](page.html) is low.\n'
)
PERSON, SUMS = "mailer subscribers", "mailer send"
# A command line of a small newsletter's life, in this order, and the sections that together tell its JSON.
LIFE = (
    ("init . --yes", ["mailer init"]),
    ("check", ["mailer check"]),
    ("compile 1 --out out", ["mailer compile"]),
    ("subscribers import people.csv --basis test", ["mailer subscribers import"]),
    ("subscribers add dora@example.com --tag beta", [PERSON]),
    ("subscribers tag dora@example.com --add new", [PERSON]),
    ("subscribers list", [PERSON]),
    ("subscribers pause dora@example.com", ["mailer subscribers pause"]),
    ("subscribers resume dora@example.com", ["mailer subscribers pause"]),
    ("lists", ["mailer lists"]),
    ("lists form main", ["mailer lists form"]),
    ("segments", ["mailer segments"]),
    ("segments show all", ["mailer segments show"]),
    ("preview 1 --as ann@example.com --out ann.eml", ["mailer preview"]),
    ("preview 1 --to me@example.com", ["mailer preview"]),
    ("send 1 --dry-run", [SUMS]),
    ("send 1 --yes", [SUMS]),
    ("audit 1", [SUMS, "mailer audit"]),
    ("audit 1 --recipients", ["mailer audit"]),
    ("issues", ["mailer issues"]),
    ("send 2 --first 1 --hold 0s --yes", [SUMS]),
    ("subscribers show ann@example.com", [PERSON, "mailer subscribers show", "mailer suppressions list"]),
    ("subscribers move ann@example.com anna@example.com", [PERSON]),
    ("subscribers unsubscribe bo@example.com", ["mailer subscribers pause"]),
    ("subscribers erase dora@example.com --yes", ["mailer subscribers erase"]),
    ("subscribers import --undo 1 --yes", ["mailer subscribers import"]),
    ("suppressions add eve@example.com", ["mailer suppressions add"]),
    ("suppressions list", ["mailer suppressions list"]),
    ("suppressions lift eve@example.com", ["mailer suppressions lift"]),
    ("tokens new crm --scope audit:read", ["mailer tokens new", "mailer tokens list"]),
    ("tokens list", ["mailer tokens list"]),
    ("tokens revoke crm", ["mailer tokens revoke"]),
    ("dkim new --domain example.org", ["mailer dkim new"]),
    ("db upgrade", ["mailer db upgrade"]),
    ("db check", ["mailer db check"]),
    ("db backup kept.tar.gz", ["mailer db backup"]),
    ("db restore kept.tar.gz --yes", ["mailer db restore"]),
    ("issues mark-sent 3 --yes", ["mailer issues mark-sent"]),
    ("send 9", ["Errors"]),
)  # fmt: skip
# What people name themselves, and what stands below a reason or an attribute.
_OPEN = {"attributes", "skipped", "refused"}


def told(section: str) -> set[str]:
    """Give the names that a section's words on JSON hold."""
    text = SECTIONS[section]
    return {name for part in re.findall(r"JSON.*?(?=\n\n|\Z)", text, re.DOTALL) for name in names(part)}


def keys(value: Any) -> Iterator[str]:
    """Give the keys of an object and of all below it."""
    if isinstance(value, dict):
        yield from value
        for name, below in value.items():
            if name not in _OPEN:
                yield from keys(below)
    elif isinstance(value, list):
        for below in value:
            yield from keys(below)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The keys that each line of the life wrote."""
    from tests.commandline import Cli

    folder: Path = tmp_path_factory.mktemp("newsletter")
    cli = Cli(folder)
    (folder / "issues").mkdir()
    for number in (1, 2, 3):
        text = ISSUE.replace("#1", f"#{number}").replace("page.html", "https://www.example.org/")
        (folder / f"issues/{number:03}.md").write_text(text)
    (folder / "people.csv").write_text("email\nann@example.com\nbo@example.com\nnobody\n")
    (folder / "segments.toml").write_text("all = 'email is known'\n")
    (folder / "issues/004.md").write_text(ISSUE.replace("#1", "#4"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILER_RELAY", f"folder://{folder}/mail")
        patch.chdir(folder)
        return {
            line: {key for one in cli(*line.split(), "--json").lines for key in keys(one)} for line, _ in LIFE
        }


@pytest.mark.slow
@pytest.mark.parametrize(("line", "places"), LIFE, ids=[line for line, _ in LIFE])
def test_json_is_told(line: str, places: list[str], life: dict[str, set[str]]):
    """Every key that a command writes stands in its section."""
    assert life[line], "it wrote nothing"
    assert life[line] - set().union(*map(told, places)) == set()


@pytest.mark.slow
def test_no_key_is_invented(life: dict[str, set[str]]):
    """Every key that a section tells was written by one of its commands."""
    written: dict[str, set[str]] = {}
    for line, places in LIFE:
        for place in places:
            written.setdefault(place, set()).update(life[line])
    # An error besides, where an issue cannot be compiled at all, and the address of the page: not in this life.
    elsewhere = {"error", "url"}
    assert {
        place: left for place, found in written.items() if (left := told(place) - found - elsewhere)
    } == {}
