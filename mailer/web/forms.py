"""What people send us, read with care, and what they were shown when they agreed.

A form's text is made here, once, for the page, for the form that other sites embed, and for the API: so the evidence
holds the very words that were shown. A form names itself (`page-1.de.one`); one that is not ours is recorded so.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final

from mailer.catalogue import catalogue_for
from mailer.message.value import clean
from subscribers import Form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.datastructures import FormData
    from starlette.requests import Request

    from mailer.settings import ListSettings

VERSION: Final = 1  # changes with the words below
CONSENT_ONE: Final = (
    "I want to get %(lists)s by email from %(sender)s. I can leave at any time, with one click in every mail."
)
CONSENT_MANY: Final = (
    "I want to get what I have ticked by email from %(sender)s. I can leave at any time, with one click."
)
UNKNOWN_TEXT: Final = "(a form that this program did not make)"
LONGEST: Final = 320
MOST_FIELDS: Final = 50
MOST_LISTS: Final = 20
_NAMED = re.compile(r"(page|embedded|api)-(\d{1,4})\.([A-Za-z-]{1,35})\.(one|many)")


class Fields:
    """The fields of a form: text alone, cut, on one line."""

    def __init__(self, data: FormData) -> None:
        self._data = data

    def one(self, name: str, most: int = LONGEST) -> str:
        """Give a field's first value, or ""."""
        value = self._data.get(name, "")
        return clean(value[: most + 1])[:most] if isinstance(value, str) else ""

    def many(self, name: str, most: int = MOST_LISTS) -> list[str]:
        """Give a field's values."""
        return [clean(one[:LONGEST]) for one in self._data.getlist(name)[:most] if isinstance(one, str)]


async def fields(request: Request) -> Fields:
    """Read a form, urlencoded or multipart; one of another kind is empty. Raises HTTPException (400)."""
    return Fields(await request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=16_384))


def form_shown(kind: str, language: str, lists: Sequence[ListSettings]) -> Form:
    """Give the form that shows these lists: its name, and the words that a visitor agrees to."""
    how_many = "one" if len(lists) == 1 else "many"
    translations = catalogue_for(lists[0].templates).translations(language)
    text = translations.gettext(CONSENT_ONE if len(lists) == 1 else CONSENT_MANY)
    words = {"lists": lists[0].name, "sender": lists[0].sender.name}
    return Form(f"{kind}-{VERSION}.{language}.{how_many}", _filled(text, words))


def form_named(version: str, lists: Sequence[ListSettings]) -> Form:
    """Give the form that names itself so; one that we did not make keeps its name alone."""
    match = _NAMED.fullmatch(version)
    if match and int(match[2]) == VERSION and match[3] in catalogue_for(lists[0].templates).languages:
        shown = lists[:1] if match[4] == "one" else (*lists, *lists)[:2]
        return Form(version, form_shown(match[1], match[3], shown).text)
    return Form(clean(version)[:64] or "unknown", UNKNOWN_TEXT)


def embedded(one: ListSettings) -> list[str]:
    """Give the lines of a form in plain HTML for another site: no script, no style, the list's language."""
    catalogue = catalogue_for(one.templates)
    language = catalogue.language(one.language)
    say, form = catalogue.translations(language).gettext, form_shown("embedded", language, [one])
    button = _filled(say("Subscribe to %(list)s"), {"list": one.name})
    trap = '<input type="text" name="website" tabindex="-1" autocomplete="off">'
    return [
        f'<form action="{escape(f"{one.public_url}/subscribe")}" method="post" lang="{escape(language)}">',
        f'  <input type="hidden" name="list" value="{escape(one.key)}">',
        f'  <input type="hidden" name="form" value="{escape(form.version)}">',
        f'  <div style="display:none" aria-hidden="true">{trap}</div>',
        f"  <label>{escape(say('Your email address'))}",
        '    <input type="email" name="email" autocomplete="email" required maxlength="254"></label>',
        f"  <p>{escape(form.text)}</p>",
        f"  <button>{escape(button)}</button>",
        "</form>",
    ]


def _filled(text: str, words: dict[str, str]) -> str:
    """Fill `%(name)s` literally: a catalogue that is wrong in this place shows it, and breaks nothing."""
    for name, value in words.items():
        text = text.replace(f"%({name})s", value)
    return text
