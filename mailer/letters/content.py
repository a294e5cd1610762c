"""What a letter says, as values; its plain text and its HTML come from the same.

The text is made here, the HTML by one small template (`templates/email/letter.html.j2`, which a newsletter may
override): a table that stands in Outlook, fits a phone and turns dark. Every value is text and is escaped; a link is
ours or is not there.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.edition.language import direction_of
from mailer.edition.theme import resolve_theme

if TYPE_CHECKING:
    from mailer.settings import ListSettings

_COLUMNS = 72


@dataclass(frozen=True, slots=True)
class Button:
    """What to press, and where it leads."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Content:
    """One letter: paragraphs, a list, a button, and what is said below it in small."""

    subject: str
    title: str
    language: str
    before: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    between: tuple[str, ...] = ()
    button: Button | None = None
    links: tuple[Button, ...] = ()
    after: tuple[str, ...] = ()
    why: str = ""


def as_text(content: Content, settings: ListSettings) -> str:
    """Give the plain text of a letter: every link in full on a line of its own, so that it survives any client."""
    parts = [content.title, *map(_wrapped, content.before)]
    parts += ["\n".join(f"* {item}" for item in content.items)] if content.items else []
    parts += map(_wrapped, content.between)
    parts += [f"{each.label}:\n{each.url}" for each in (content.button, *content.links) if each is not None]
    parts += map(_wrapped, content.after)
    foot = [line for line in (content.why, settings.name, *_address(settings)) if line]
    return "\n\n".join(parts) + "\n\n-- \n" + "\n".join(foot) + "\n"


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, _COLUMNS, break_long_words=False, break_on_hyphens=False)


def _address(settings: ListSettings) -> tuple[str, ...]:
    return tuple(line.strip() for line in settings.postal_address.splitlines() if line.strip())


def as_html(content: Content, settings: ListSettings) -> str:
    """Give the HTML of a letter. Raises UserError for a template or a theme that is wrong."""
    from mailer.edition.skeleton import render_template  # noqa: PLC0415 - Jinja, which a send never needs

    direction = direction_of(content.language)
    right = direction == "rtl"
    values = {
        "letter": content,
        "list_name": settings.name,
        "address": _address(settings),
        "theme": resolve_theme(settings.theme),
        "language": content.language,
        "direction": direction,
        "start": "right" if right else "left",
        "end": "left" if right else "right",
    }
    own = settings.templates if settings.templates.is_dir() else None
    return render_template("letter.html.j2", values, own)
