"""A piece of Markdown or HTML -> one line of plain prose, for subjects and preheaders.

Not a renderer: tags, images, marks of emphasis and link targets go, entities are decoded (twice, where a feed has
escaped twice), space is joined. `shorten` cuts at a word, or at a character where a script has no spaces.
"""

from __future__ import annotations

import html
import re
import unicodedata

_TAG = re.compile(r"<[/!?]?[A-Za-z!?/-][^<>]*>?")
_IMAGE = re.compile(
    r"!\[[^\[\]]*\](?:\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:[ \t]+[\"'][^\"'\n]*[\"'])?\)|\[[^\[\]]*\])"
)
_LINK = re.compile(
    r"\[([^\[\]]*)\](?:\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:[ \t]+[\"'][^\"'\n]*[\"'])?\)|\[[^\[\]]*\])"
)
_FOOTNOTE = re.compile(r"\[\^[^\[\]\s]{1,40}\]")
_INLINE_NOTE = re.compile(r"\^\[(?:[^\[\]]|\[[^\[\]]*\])*\]")
_EMPHASIS = re.compile(r"\*+|~~+|`+|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_SPACE = re.compile(r"\s+")
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
_ATOM = re.compile(r"\s+|[A-Za-z0-9]+|.", re.DOTALL)
_NO_SPACES = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7af\uf900-\ufaff\uff00-\uffef]")


def plain(text: str) -> str:
    """Give the prose of a short piece of Markdown or HTML."""
    text = _IMAGE.sub("", text)
    text = _INLINE_NOTE.sub("", text)
    text = _LINK.sub(r"\1", text)
    text = _FOOTNOTE.sub("", text)
    text = _untagged(text)
    for _ in range(2):
        if not _ENTITY.search(text):
            break
        text = _untagged(html.unescape(text))
    text = _EMPHASIS.sub("", text)
    return one_line(_ESCAPE.sub(r"\1", text))


def decoded(text: str) -> str:
    """Give a title or a preheader with its entities decoded and its tags taken off; Markdown's marks stay."""
    text = _untagged(text)
    for _ in range(2):
        if not _ENTITY.search(text):
            break
        text = _untagged(html.unescape(text))
    return one_line(text)


def one_line(text: str) -> str:
    """Join the lines of a text and every run of white space in it."""
    return _SPACE.sub(" ", text).strip()


def shorten(text: str, limit: int) -> str:
    """Give at most `limit` characters, cut between words, with an ellipsis where something is missing."""
    if len(text) <= limit:
        return text
    cut = _last_break(text, limit - 1)
    return text[:cut].rstrip(" \t,;:\u2013\u2014-(\u3001\uff0c\uff1a") + "\u2026"


def _last_break(text: str, limit: int) -> int:
    for at in range(limit, max(limit - 40, 0), -1):
        if text[at].isspace():
            return at
        before, after = text[at - 1], text[at]
        if (_NO_SPACES.match(before) or _NO_SPACES.match(after)) and _may_part(before, after):
            return at
    at = limit
    while at > 1 and not _may_part(text[at - 1], text[at]):
        at -= 1
    return at


def _may_part(before: str, after: str) -> bool:
    joined = unicodedata.combining(after) or unicodedata.category(after) in {"Mn", "Mc", "Me", "Cf", "Sk"}
    # Closing marks belong to what stands before them.
    return (
        not joined
        and before != "\u200d"
        and after not in "\u3002\uff0c\u3001\uff01\uff1f\uff1a\u201d\u300d\u300f\uff09"
    )


def _untagged(text: str) -> str:
    return _TAG.sub(lambda tag: " " if tag[0][1:3].lower() in {"br", "p>", "/p", "li", "/l"} else "", text)
