"""Findings about the build of the content: headings, sections, tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.edition.headings import HEADINGS
from mailer.edition.tree import elements, line_of, text_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from mailer.edition.report import Report

_COLUMNS = 4


def check_structure(root: HtmlElement, report: Report) -> None:
    """Look at headings and tables."""
    if not text_of(root) and root.find(".//img") is None:
        report.error("body-empty", "the issue has no text")
    _headings(root, report)
    for table in elements(root, "table"):
        _table(table, report)


def _headings(root: HtmlElement, report: Report) -> None:
    for heading in elements(root, *HEADINGS):
        level = int(str(heading.tag)[1])
        following = heading.getnext()
        while following is not None and following.tag == "hr":
            following = following.getnext()
        ends = following is None or (following.tag in HEADINGS and int(str(following.tag)[1]) <= level)
        if ends and heading.getparent() is root:
            report.warn("empty-section", f'nothing follows "{text_of(heading)[:60]}"', line_of(heading))


def _table(table: HtmlElement, report: Report) -> None:
    columns = max((len(list(row)) for row in table.iter("tr")), default=0)
    if columns > _COLUMNS:
        report.note("table-wide", f"a table of {columns} columns is tight on a phone", line_of(table))
    if next(table.iter("th"), None) is None:
        report.note("table-head", "a table without a head row is hard to follow by ear", line_of(table))
