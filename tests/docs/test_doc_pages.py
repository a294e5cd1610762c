"""What holds for every page: links lead somewhere, files that are named exist, and nothing speaks of this machine."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT, anchors, links, read, rows, sections, spans

if TYPE_CHECKING:
    from pathlib import Path

_PATH = re.compile(r"(?:mailer|subscribers|tests|templates|migrations|examples|docs|benchmarks)/[\w./-]*")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page: Path):
    """Every relative link leads to a file, and its anchor to a heading."""
    text, lost = page.read_text(encoding="utf-8"), []
    for link in links(text):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            lost.append(link)
    assert not lost


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files(page: Path):
    """Every file and folder of this project that a page names in backticks exists."""
    # `templates/` may also be a newsletter's own.
    named = [span for span in spans(page.read_text(encoding="utf-8")) if _PATH.fullmatch(span)]
    assert [span for span in named if not (ROOT / span).exists()] == []


def test_every_page_is_found():
    """A reader gets to every page of docs/ from the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {f"docs/{page.name}" for page in DOCS.glob("*.md")} <= set(links(text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_machine(page: Path):
    """No page holds a path of somebody's machine."""
    assert re.findall(r"/(?:work|tmp|home|root)/\S*", page.read_text(encoding="utf-8")) == []


def _distribution(requirement: str) -> str:
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0]  # type: ignore[index]


def test_dependencies():
    """Each dependency stands in docs/dependencies.md with a reason, and none that is gone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = {
        "Runtime": project["project"]["dependencies"],
        "Optional": [one for some in project["project"]["optional-dependencies"].values() for one in some],
        "Development": project["dependency-groups"]["dev"],
    }
    told = sections(read("dependencies.md"))
    for section, requirements in declared.items():
        reasons = dict(row[:2] for row in rows(told[section]))
        assert set(reasons) == {_distribution(one) for one in requirements}, section
        assert all(len(reason) > 10 for reason in reasons.values()), section
