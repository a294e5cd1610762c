"""docs/standards.md against the tests that prove it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from tests.docs.pages import ROOT, read, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODE = re.compile(r"\b([A-Z])(\d\d)(?:(?:-| to )\1(\d\d))?\b")
_PAGE = read("standards.md")
_KEPT, _, _LATER = _PAGE.partition("## Not yet")


def codes(text: str) -> Iterator[str]:
    """Give the codes of a text; E01-E04 are four."""
    for letter, first, last in _CODE.findall(text):
        yield from (f"{letter}{number:02}" for number in range(int(first), int(last or first) + 1))


def _named() -> dict[str, set[str]]:
    """Give {code: files of tests that name it, in a docstring or in the name of a case}."""
    found = defaultdict(set)
    for file in ROOT.glob("tests/**/*.py"):
        if file.parent.name == "docs":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for code in codes(node.value):
                    found[code].add(file.relative_to(ROOT).as_posix())
    return found


NAMED = _named()
KEPT = {row[0]: row for row in rows(_KEPT)}


def test_kept_is_proven():
    """Every rule that is said to be kept is named by the test that its row links to, or was checked by hand."""
    lost = []
    for code, (_, _, proof) in KEPT.items():
        link = re.search(r"\(\.\./([\w./]+)\)", proof)
        if proof != "checked by hand" and (link is None or link[1] not in NAMED[code]):
            lost.append((code, proof))
    assert not lost


def test_proven_is_told():
    """Every rule that a test names is on the page as kept."""
    assert set(NAMED) - set(KEPT) == set()


def test_by_hand_means_no_test():
    """A rule that a test names by now is no longer one checked by hand."""
    assert {code for code, row in KEPT.items() if row[2] == "checked by hand"} & set(NAMED) == set()


def test_nothing_is_both():
    """No rule is kept and not yet kept, and none has two rows."""
    assert set(codes(_LATER)) & set(KEPT) - {"R10"} == set()
    assert len(rows(_KEPT)) == len(KEPT)
