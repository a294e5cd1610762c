"""The dialects of Markdown that issues are written in -> CommonMark and GFM, one module for each family.

Each pass takes a Page and gives a Page; code is hidden before the first. `translate` works on what still has URLs and
tags in it (includes and shortcodes stand in them); `repair` on prose alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailer.issue.page import Page


def is_plain(page: Page, kind: str) -> bool:
    """Say whether this is plain text with implied structure."""
    return kind == "none" and page.file.endswith(".txt")


def translate(page: Page, values: Mapping[str, object]) -> Page:  # noqa: ARG001 - for excerpt_separator
    """Translate what stands in braces and tags."""
    return page


def repair(page: Page, *, markdown: bool) -> Page:  # noqa: ARG001 - plain text differs
    """Repair the prose."""
    return page
