"""The line that an inbox shows beside the subject: the author's, else the first words of the issue."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from mailer.edition.slots import fill_text
from mailer.edition.tree import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.html import HtmlElement

    from mailer.issue.model import Issue

LONGEST = 140
_PADDED = 180  # columns after which no client goes on into the mail
_PAD = "&#847;&zwnj;&nbsp;"
_ENOUGH = 40


def preheader_of(issue: Issue, root: HtmlElement, constants: Mapping[str, str]) -> str:
    """Give at most 140 characters of plain text."""
    given = fill_text(issue.preheader or issue.summary, constants)
    if given:
        return _shortened(" ".join(given.split()))
    words = ""
    for paragraph in root.iter("p"):
        words = f"{words} {text_of(paragraph)}".strip()
        if len(words) >= _ENOUGH:
            break
    return _shortened(words)


def _shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    cut = text[: LONGEST - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > LONGEST // 2 else cut).rstrip(" ,;:.\u2013\u2014-") + "…"


def hidden_preheader(text: str) -> str:
    """Give the element that inboxes read and mails do not show, padded so that nothing of the mail follows it."""
    style = "display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;mso-hide:all"
    padding = _PAD * max(0, (_PADDED - len(text)) // 2) if text else ""
    return f'<div style="{style}" aria-hidden="true">{html.escape(text)}{padding}</div>' if text else ""
