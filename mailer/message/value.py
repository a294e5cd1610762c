"""The values of a reader: read from the recipient, made plain, and made harmless for where they stand.

Promises: a clean value is at most 1,000 characters on one line, without control characters, lone surrogates or
direction overrides (Unicode TR 36), and neither begins nor ends with a space; what is escaped for a context cannot
leave it. Never raises on what an import put into an attribute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from mailer.edition.model import Context

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailer.message.model import Recipient

LONGEST: Final = 1000
"""Characters of a value that reach the mail; longer ones are cut."""

LONGEST_LIST: Final = 100  # elements of a list attribute
_BREAKS = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]")
_DROPPED = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_WEB = re.compile(r"https?://[^/?#@\\\s]+", re.IGNORECASE)
_MAILTO = re.compile(r"mailto:[^\s:]+", re.IGNORECASE)
_URL_KEPT = "!#$%&'()*+,/:;=?@[]~"


def clean(text: str) -> str:
    """Give the text on one line, as the module promises."""
    text = text[:LONGEST]
    if not text.isprintable():  # true of every text that holds none of those characters, and quick to ask
        text = _DROPPED.sub("", _BREAKS.sub(" ", text))
    if "  " in text:
        text = re.sub("  +", " ", text)
    return text.strip()


def plain(value: object) -> str:
    """Give an attribute as a person would write it, clean; "" for what has no such form (None, mappings, octets).

    A list is its elements with commas between; a number that is whole loses its ".0".
    """
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, (list, tuple)):
        elements = (plain(one) for one in islice(value, LONGEST_LIST) if not isinstance(one, (list, tuple)))
        return clean(", ".join(element for element in elements if element))
    if value is None or isinstance(value, (Mapping, bytes)):
        return ""
    try:
        return clean(_spelled(value))
    except ValueError:  # an integer of more than 4,300 digits
        return ""


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    return f"{value:.0f}" if whole else str(value)


def reader(name: str) -> Callable[[Recipient], str]:
    """Give the function that reads a slot's value, clean.

    `name` is subscriber.name, .first_name (the first word of the name), .email, or an attribute: subscriber.city,
    subscriber.team.name.
    """
    key = name.removeprefix("subscriber.")
    if key == "name":
        return lambda recipient: clean(recipient.name)
    if key == "email":
        return lambda recipient: clean(recipient.email)
    if key == "first_name":
        return lambda recipient: clean(recipient.name).partition(" ")[0]
    path = tuple(key.split("."))
    return lambda recipient: plain(_walk(recipient.attributes, key, path))


def _walk(attributes: Mapping[str, object], key: str, path: tuple[str, ...]) -> object:
    if len(path) == 1 or key in attributes:
        return attributes.get(key)
    here: object = attributes
    for step in path:
        if not isinstance(here, Mapping):
            return None
        here = here.get(step)
    return here


def web_link(text: str) -> str:
    """Give a whole URL, what is no URL character percent-encoded; "" unless it is http, https or mailto.

    A user name before the host ("https://bank.example@evil.example") is refused: it only ever deceives.
    """
    bare = text.partition("/")[2].lstrip("/")
    host = re.split(r"[/?#]", bare, maxsplit=1)[0]
    if _MAILTO.match(text) or (_WEB.match(text) and "@" not in host):
        return quote(text, safe=_URL_KEPT)
    return ""


def bracketed(text: str) -> str:
    """Give a whole URL as the text part has it behind its words; "" for what is no link."""
    url = web_link(text)
    return f" <{url}>" if url else ""


def same(text: str) -> str:
    """Give the text as it is."""
    return text


ESCAPES: Final[Mapping[Context, Callable[[str], str]]] = MappingProxyType(
    {
        Context.HEADER: same,  # the header room encodes the whole field
        Context.TEXT: same,
        Context.HTML: escape,
        Context.ATTRIBUTE: escape,
        Context.URL: lambda text: quote(text, safe=""),
        Context.LINK: lambda text: escape(web_link(text)),
        Context.ADDRESS: bracketed,
    }
)
"""How a clean value becomes harmless in each context."""
