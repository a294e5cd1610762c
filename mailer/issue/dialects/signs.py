"""Emoji codes, `:tada:`, as GitHub and Slack know them. Times, ratios and unknown names stay."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailer.issue.page import Page

_CODE = re.compile(r"(?<![\w:/]):(?:[a-z][a-z0-9_+-]{1,50}|[+-]1|100|1234|8ball):(?![\w:/])")


def signs(page: Page) -> Page:
    """Give the page with emoji in the place of their codes."""
    if not _CODE.search(page.text):
        return page
    import emoji  # noqa: PLC0415 - 20 ms that most issues never need

    return page.sub(_CODE, lambda match: _emoji(emoji.emojize(match[0], language="alias"), match[0]))


def _emoji(found: str, code: str) -> str | None:
    return None if found == code else found
