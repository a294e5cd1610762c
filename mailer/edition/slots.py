"""Merge fields -> slots. What is the same for all readers (`list.*`, `issue.*`) is filled here, once.

A token stands for its field through every step, because it is ASCII letters and digits; only at the end is the mail
cut at its tokens, and each place named by its context (HTML, attribute, URL component, whole link), which decides how
message/ makes a reader's value harmless. Values that are filled here are escaped for their place by lxml, or
percent-encoded where they are a component of a URL.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from typing import TYPE_CHECKING
from urllib.parse import quote

from mailer.edition.model import Context, Slot, Slotted
from mailer.edition.text.links import WHOLE
from mailer.edition.tree import elements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lxml.html import HtmlElement

    from mailer.issue.model import MergeField

_URLS = frozenset({"href", "src", "data-url"})
_MARKUP = re.compile(r"<!--.*?-->|<[a-zA-Z/!](?:[^>\"']|\"[^\"]*\"|'[^']*')*>", re.DOTALL)
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*\"([^\"]*)\"")
_WORD_BEFORE = re.compile(r"[^\s<>]+\Z")
_DEEPEST = 3
_LINKS = ("link.unsubscribe", "link.preferences", "link.browser")


def link_tokens(seed: str) -> dict[str, str]:
    """Give a token for each of our links, {name: token}; `seed` is the source, so no source can hold its tokens."""
    digest = hashlib.sha256(seed.encode("utf-8", "replace")).hexdigest()[:18]
    return {name: f"ml{digest}{number:04d}" for number, name in enumerate(_LINKS)}


def slots_of(fields: Iterable[MergeField], links: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Give {token: (name, default)} for everything that differs per reader."""
    slots = {
        field.token: (field.name, field.default or "")
        for field in fields
        if field.name.startswith("subscriber.")
    }
    return {**slots, **{token: (name, "") for name, token in links.items()}}


def constants_of(fields: Iterable[MergeField], values: Mapping[str, str]) -> dict[str, str]:
    """Give {token: value} for the fields that are the same for all readers; an empty value gives the default."""
    given = {
        field.token: values.get(field.name, "") or field.default or ""
        for field in fields
        if not field.name.startswith("subscriber.")
    }
    pattern = _pattern(given)
    for _ in range(_DEEPEST):  # a subject may hold the title, and the title the number
        whole = {token: value for token, value in given.items() if not (pattern and pattern.search(value))}
        given = {token: fill_text(value, whole) for token, value in given.items()}
    return given


def _pattern(tokens: Iterable[str]) -> re.Pattern[str] | None:
    names = sorted(tokens)
    return re.compile("|".join(map(re.escape, names))) if names else None


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """Replace tokens by their values, once."""
    pattern = _pattern(values)
    return pattern.sub(lambda match: values[match[0]], text) if pattern else text


def fill_tree(root: HtmlElement, values: Mapping[str, str]) -> None:
    """Replace tokens by their values in all text and attributes of the tree; in part of a URL, percent-encoded."""
    pattern = _pattern(values)
    if pattern is None:
        return

    def literal(match: re.Match[str]) -> str:
        return values[match[0]]

    def component(match: re.Match[str]) -> str:
        return quote(values[match[0]], safe="")

    for element in (root, *elements(root)):
        if element.text:
            element.text = pattern.sub(literal, element.text)
        if element.tail:
            element.tail = pattern.sub(literal, element.tail)
        for name, value in element.attrib.items():
            if pattern.search(value):
                whole = name not in _URLS or pattern.fullmatch(value.strip())
                element.set(name, pattern.sub(literal if whole else component, value))


def cut(text: str, slots: Mapping[str, tuple[str, str]], context: Context) -> Slotted:
    """Cut a text of one context (a header, the plain-text part) at its tokens."""
    return _cut(text, slots, lambda _match: context)


def cut_text(text: str, slots: Mapping[str, tuple[str, str]]) -> Slotted:
    """Cut the plain-text part: a token inside an address is a component of a URL there, too, or the whole of it."""
    names = "|".join(map(re.escape, sorted(slots)))
    pattern = re.compile(f" ?<({names}){WHOLE}>|{names}") if slots else None

    def context(token: re.Match[str]) -> Context:
        if token[1]:
            return Context.ADDRESS
        before = _WORD_BEFORE.search(text, max(0, token.start() - 500), token.start())
        return Context.URL if before and "://" in before[0] else Context.TEXT

    return _cut(text, slots, context, pattern)


def cut_html(html: str, slots: Mapping[str, tuple[str, str]]) -> Slotted:
    """Cut HTML at its tokens, and give each slot the context that it stands in."""
    places = {match.start(): match for match in _MARKUP.finditer(html)} if slots else {}
    starts = sorted(places)

    def context(token: re.Match[str]) -> Context:
        tag = _tag_around(token.start(), starts, places)
        return Context.HTML if tag is None else _context_in(tag, token)

    return _cut(html, slots, context)


def _tag_around(place: int, starts: list[int], tags: Mapping[int, re.Match[str]]) -> re.Match[str] | None:
    index = bisect_right(starts, place) - 1
    tag = tags[starts[index]] if index >= 0 else None
    return tag if tag is not None and place < tag.end() else None


def _context_in(tag: re.Match[str], token: re.Match[str]) -> Context:
    for attribute in _ATTRIBUTE.finditer(tag[0]):
        if attribute.start(2) <= token.start() - tag.start() < attribute.end(2):
            if attribute[1].lower() not in _URLS:
                return Context.ATTRIBUTE
            return Context.LINK if attribute[2].strip() == token[0] else Context.URL
    return Context.ATTRIBUTE


def _cut(
    text: str,
    slots: Mapping[str, tuple[str, str]],
    context: Callable[[re.Match[str]], Context],
    pattern: re.Pattern[str] | None = None,
) -> Slotted:
    pattern = pattern or _pattern(slots)
    parts: list[str | Slot] = []
    end = 0
    for match in pattern.finditer(text) if pattern else ():
        if match.start() > end:
            parts.append(text[end : match.start()])
        name, default = slots[match[match.lastindex or 0]]
        parts.append(Slot(name, context(match), default))
        end = match.end()
    if end < len(text) or not parts:
        parts.append(text[end:])
    return tuple(parts)


def as_written(slots: Mapping[str, tuple[str, str]]) -> Callable[[str], str]:
    """Give what puts the default of a field, or else the field as authors write it, in the place of its token."""
    shown = {token: default or f"{{{{ {name} }}}}" for token, (name, default) in slots.items()}
    pattern = _pattern(shown)
    return lambda text: pattern.sub(lambda match: shown[match[0]], text) if pattern else text


def with_defaults(text: str, slots: Mapping[str, tuple[str, str]]) -> str:
    """Give `text` as a reader gets it of whom nothing is known."""
    return fill_text(text, {token: default for token, (_, default) in slots.items()})
