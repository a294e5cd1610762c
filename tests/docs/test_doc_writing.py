"""docs/writing.md against the rules, keys and fields that the code knows."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from mailer.issue.fields import _HERO_KEYS, _PREHEADER_KEYS
from mailer.issue.merge import ISSUE_FIELDS, LIST_FIELDS
from mailer.issue.number import _KEYS
from tests.docs.pages import ROOT, names, read, rows, sections

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = read("writing.md")
# The functions that make findings, with the place of the rule and the level: their own, or that of an argument.
_MAKERS = {"info": "info", "note": "info", "warning": "warning", "warn": "warning", "error": "error"}
_RULE = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z")
_ROOMS = ("mailer/issue", "mailer/edition", "mailer/cli/inspection.py", "mailer/cli/compiling.py")


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _level(node: ast.expr | None) -> str:
    return node.attr.lower() if isinstance(node, ast.Attribute) else "error"


def _finding(call: ast.Call) -> tuple[str, str] | None:
    """Give (rule, level) of a call that makes a finding with a rule that stands in the code."""
    name, given = _called(call), call.args
    if name in _MAKERS and len(given) >= 2:
        return _text(given[0]), _MAKERS[name]
    if name == "Finding" and len(given) >= 3:
        return _text(given[0]), _level(given[1])
    if name == "as_finding" and len(given) >= 2:
        return _text(given[1]), _level(given[2] if len(given) > 2 else None)
    return None


def _emitted() -> dict[str, set[str]]:
    """Give {rule: levels} of every finding that the code can make."""
    found = defaultdict(set)
    places = [ROOT / room for room in _ROOMS]
    files = [file for place in places for file in (place.rglob("*.py") if place.is_dir() else [place])]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            made = _finding(node) if isinstance(node, ast.Call) else None
            if made and _RULE.match(made[0]):
                found[made[0]].add(made[1])
    found["settings"].add("error")  # the default of as_finding
    return found


def test_findings():
    """Every finding that check can report is documented with its levels, and none that it cannot."""
    findings = PAGE.partition("\n## Findings\n")[2]
    told = {names(row[0])[0]: set(row[1].split(", ")) for row in rows(findings)}
    assert told == _emitted()


def _read_keys() -> Iterator[str]:
    """Give every key of the front matter that issue/ asks for by its name."""
    for file in ("fields.py", "read.py"):
        for node in ast.walk(ast.parse((ROOT / "mailer/issue" / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _called(node) in {"get", "text", "flag", "address"}:
                owner = getattr(node.func, "value", None)
                if isinstance(owner, ast.Name) and owner.id in {"self", "fields"}:
                    yield from filter(None, map(_text, node.args))
                if isinstance(owner, ast.Attribute) and owner.attr == "_fields":
                    yield from filter(None, map(_text, node.args))


def test_front_matter():
    """Every key that an issue's front matter may have is documented."""
    told = {name for row in rows(sections(PAGE)["Front matter"]) for cell in row[:2] for name in names(cell)}
    known = {*_HERO_KEYS, *_PREHEADER_KEYS, *_KEYS, *_read_keys()}
    assert known >= {"title", "subject", "draft", "canonical"}, "the keys are no longer found in the code"
    assert known - told == set()
    assert told - known <= {"date", "publishdate", "publish_date", "published_at", "pubdate", "published",
                            "created", "language", "lang", "locale", "slug"}  # fmt: skip


def test_merge_fields():
    """Every merge field of list and issue is documented, and no other."""
    told = {name for row in rows(sections(PAGE)["Merge fields"]) for name in names(row[0])}
    known = {f"list.{name}" for name in LIST_FIELDS} | {f"issue.{name}" for name in ISSUE_FIELDS}
    assert {name for name in told if not name.startswith("subscriber.")} == known


def test_every_dialect_has_a_sample():
    """Every module that translates a dialect of others is told with a sample that shows it."""
    told = sections(PAGE)["Dialects"].lower()
    dialects = ("hugo", "jekyll", "kramdown", "obsidian", "mdx", "wordpress", "html2md", "feed", "plain")
    assert all(f"../tests/samples/{name}" in told for name in dialects)
