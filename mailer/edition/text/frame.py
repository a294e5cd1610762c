"""What stands around the content in the text part: the title above it, the way out below it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from mailer.edition.text.links import safe_url
from mailer.edition.text.marks import clean, tidy
from mailer.edition.text.wrap import wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mailer.edition.text.measure import Measure

WIDTH = 76
LABELS: Mapping[str, str] = MappingProxyType({"browser": "View in browser", "image": "image"})
SIGNATURE = "-- "  # the one line that ends in a space (RFC 3676, section 4.3)


@dataclass(frozen=True, slots=True)
class TextFrame:
    """What the text part says besides its content. Everything is plain text; URLs may be slot tokens.

    `intro` are paragraphs under the title, `footer` lines such as why the reader gets this and the postal
    address. `unsubscribe` and `preferences` are (label, URL). `labels` translates LABELS, key by key.
    `token_widths` gives the columns to reserve for each slot token, wherever it stands. With `flowed`, a line of
    prose that ended for its width alone ends in one space, which the message room makes into format=flowed.
    """

    title: str = ""
    list_name: str = ""
    browser_url: str = ""
    intro: tuple[str, ...] = ()
    hero_alt: str = ""
    hero_credit: str = ""
    footer: tuple[str, ...] = ()
    unsubscribe: tuple[str, str] | None = None
    preferences: tuple[str, str] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    token_widths: Mapping[str, int] = field(default_factory=dict)
    flowed: bool = False

    def label(self, key: str) -> str:
        """Give a label in the reader's language, else in English."""
        return self.labels.get(key) or LABELS[key]


def underlined(text: str, rule: str, width: int, measure: Measure) -> list[str]:
    """Give a heading with a rule under it, as wide as its widest line is on the screen."""
    lines = wrap(text, width, measure)
    return [*lines, rule * min(max(map(measure, lines)), width)] if lines else []


def opening(frame: TextFrame, measure: Measure) -> list[list[str]]:
    """Give the blocks above the content."""
    picture = f"[{frame.label('image')}: {frame.hero_alt}]" if frame.hero_alt.strip() else ""
    browser = _labelled(frame.label("browser"), frame.browser_url, measure) if frame.browser_url else []
    blocks = [
        underlined(tidy(clean(frame.title)), "=", WIDTH, measure),
        browser,
        *(_paragraph(text, measure, flowed=frame.flowed) for text in frame.intro),
        [*_paragraph(picture, measure), *_paragraph(frame.hero_credit, measure)],
    ]
    return [block for block in blocks if block]


def closing(frame: TextFrame, measure: Measure) -> list[str]:
    """Give the signature block: who writes, why, from where, and how to leave."""
    lines = [line for text in (frame.list_name, *frame.footer) for line in _paragraphs(text, measure)]
    for link in (frame.preferences, frame.unsubscribe):
        if link is not None:
            lines.extend(_labelled(*link, measure))
    return [SIGNATURE, *lines] if lines else []


def _labelled(label: str, url: str, measure: Measure) -> list[str]:
    """Give `label: <URL>` on one line or two; the URL is never broken."""
    return wrap(tidy(f"{clean(label)}: <{safe_url(url)}>"), WIDTH, measure)


def _paragraph(text: str, measure: Measure, *, flowed: bool = False) -> list[str]:
    return wrap(tidy(clean(text)), WIDTH, measure, flowed=flowed)


def _paragraphs(text: str, measure: Measure) -> Iterable[str]:
    for line in text.splitlines():
        yield from _paragraph(line, measure)
