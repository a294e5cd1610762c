"""What stands around the content, in HTML and text alike: list, number, date, links, the words of the footer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailer.edition.text import TextFrame
from mailer.edition.words import date_in, say, words_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from mailer.edition.model import Masthead
    from mailer.issue.model import Issue

_LINK_COLUMNS = 110  # of an unsubscribe link with its token, for wrapping
_FIELD_COLUMNS = 16  # of a reader's name


@dataclass(frozen=True, slots=True)
class Frame:
    """Plain text and URLs; links may be tokens. `meta` is "Issue 72 · July 6, 2020"."""

    list_name: str
    title: str
    meta: str
    browser: str
    unsubscribe: str
    preferences: str
    why: str
    address: tuple[str, ...]
    words: Mapping[str, str]

    def for_text(self, tokens: Iterable[str]) -> TextFrame:
        """Give the frame of the plain-text part."""
        widths = {token: _LINK_COLUMNS if token.startswith("ml") else _FIELD_COLUMNS for token in tokens}
        return TextFrame(
            title=self.title,
            list_name=self.list_name,
            browser_url=self.browser,
            intro=(self.meta,) if self.meta else (),
            footer=(self.why, *self.address),
            unsubscribe=(self.words["unsubscribe"], self.unsubscribe),
            preferences=(self.words["preferences"], self.preferences),
            labels={"browser": self.words["browser"], "image": self.words["image"]},
            token_widths=widths,
            flowed=True,
        )


def frame_of(
    issue: Issue, masthead: Masthead, language: str, title: str, page: str | None, links: Mapping[str, str]
) -> Frame:
    """Give the frame of one edition; `page` is its address on the web, `links` the tokens of our own links."""
    words = words_for(language)
    list_name = masthead.list_name or masthead.sender_name
    why = masthead.why or (say(words["why"], list=list_name) if list_name else words["why_unnamed"])
    return Frame(
        list_name=list_name,
        title=title,
        meta=_meta(issue, masthead, language, words),
        browser=page or links["link.browser"],
        unsubscribe=links["link.unsubscribe"],
        preferences=links["link.preferences"],
        why=why,
        address=tuple(line.strip() for line in masthead.postal_address.splitlines() if line.strip()),
        words=words,
    )


def _meta(issue: Issue, masthead: Masthead, language: str, words: Mapping[str, str]) -> str:
    number = say(words["issue"], number=issue.number) if issue.number is not None else ""
    day = date_in(language, local_day(issue.date, masthead.time_zone)) if issue.date else ""
    return " · ".join(part for part in (number, day) if part)


def local_day(moment: datetime, time_zone: str) -> date:
    """Give the day that `moment` falls on where the newsletter is at home."""
    if moment.tzinfo is None:
        return moment.date()
    try:
        return moment.astimezone(ZoneInfo(time_zone)).date()
    except (ZoneInfoNotFoundError, ValueError):
        return moment.date()
