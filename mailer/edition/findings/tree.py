"""Findings that the content tree decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from mailer.edition.report import Report


def check_tree(root: HtmlElement, report: Report) -> None:
    """Look at headings, links, pictures, tables and words."""
    del root, report
