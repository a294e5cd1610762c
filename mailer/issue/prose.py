"""A piece of Markdown or HTML -> one line of plain prose, for subjects and preheaders.

Not a renderer: tags, images, marks of emphasis and link targets go, entities are decoded (twice, where a feed has
escaped twice), space is joined. `shorten` cuts at a word, or at a character where a script has no spaces.
"""

from __future__ import annotations

import html
import re
import unicodedata
from string import punctuation

from mailer.issue.elements import BLOCKS, PHRASES

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:._-]*)((?:[\s/][^<>]*)?)>|<(?:!(?:--|[A-Za-z\[])|\?)[^<>]*>")
_CUT_TAG = re.compile(r"<[A-Za-z][A-Za-z0-9]*\s[^<>=]*=[^<>]*$")
# Few people escape a `<p>` that they want to be read, and an excerpt may break off before its end.
_OFTEN_OPEN = PHRASES | frozenset(["blockquote", "dd", "div", "dt", "hr", "li", "ol", "p", "td", "tr", "ul"])
_AUTOLINK = re.compile(r"<(?:mailto:)?(https?://[^\s<>]+|[^\s<>@:]+@[^\s<>@:]+)>")
_CODE = re.compile(r"(?<!`)(`{1,5})(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
# Signs that say what they say, as in code, wait as noncharacters until all markup is gone; there are 32 of both.
_HIDDEN = str.maketrans(punctuation, "".join(map(chr, range(0xFDD0, 0xFDF0))))
_SHOWN = {value: key for key, value in _HIDDEN.items()}
_HIDDEN_TAGS = {ord(sign): _HIDDEN[ord(sign)] for sign in "<>"}
_NONCHARACTERS = dict.fromkeys(_SHOWN)
_IMAGE = re.compile(
    r"!\[[^\[\]]*\](?:\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:[ \t]+[\"'][^\"'\n]*[\"'])?\)|\[[^\[\]]*\])"
)
_LINK = re.compile(
    r"\[([^\[\]]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:[ \t]+[\"'][^\"'\n]*[\"'])?\)"
    r"|(?<![A-Za-z0-9_])\[([^\[\]]*)\]\[[^\[\]]*\]"
)
_FOOTNOTE = re.compile(r"\[\^[^\[\]\s]{1,40}\]")
_INLINE_NOTE = re.compile(r"\^\[(?:[^\[\]]|\[[^\[\]]*\])*\]")
_STARS = re.compile(r"(?<!\*)(\*{1,3})(?![\s*])([^*]{1,500})(?<!\s)\1")
_UNDERSCORES = re.compile(r"(?<!\w)(_{1,3})(?![\s_])((?:[^_]|(?<=[^\W_])_(?=[^\W_])){1,500})(?<!\s)\1(?!\w)")
_MARKS = re.compile(r"(?<!\d)\*\*+|\*\*+(?!\d)|~~+|`+")
_DEEPEST = 3
_SPACE = re.compile(r"\s+")
_NUMBER = re.compile(r"&#0*([0-9]{8})[0-9]*")
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
_ATOM = re.compile(r"\s+|[A-Za-z0-9]+|.", re.DOTALL)
_NO_SPACES = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7af\uf900-\ufaff\uff00-\uffef]")


def plain(text: str) -> str:
    """Give the prose of a short piece of Markdown or HTML."""
    text = text.translate(_NONCHARACTERS)
    text = _CODE.sub(lambda code: code[2].translate(_HIDDEN), text)
    text = _ESCAPE.sub(lambda sign: sign[1].translate(_HIDDEN), text)
    text = _INLINE_NOTE.sub("", _IMAGE.sub("", text))
    text = _LINK.sub(lambda link: link[1] or link[2] or "", text)
    text = _decoded(_AUTOLINK.sub(r"\1", _FOOTNOTE.sub("", text)))
    for _ in range(_DEEPEST):
        text = _UNDERSCORES.sub(r"\2", _STARS.sub(_unstarred, text))
    return one_line(_MARKS.sub("", text).translate(_SHOWN))


def decoded(text: str) -> str:
    """Give a title or a preheader with its entities decoded and its tags taken off; Markdown's marks stay."""
    text = text.translate(_NONCHARACTERS)
    text = _CODE.sub(lambda code: code[0].translate(_HIDDEN_TAGS), text)
    return one_line(_decoded(text).translate(_SHOWN))


def unescaped(text: str) -> str:
    """Undo character references; eight digits are more than any character has, and `int` refuses thousands."""
    return html.unescape(_NUMBER.sub(r"&#\1", text))


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


def _decoded(text: str) -> str:
    text = _untagged(text, _OFTEN_OPEN)
    for _ in range(2):
        if not _ENTITY.search(text):
            break
        text = _untagged(unescaped(text), frozenset())
    return text


def _untagged(text: str, alone: frozenset[str]) -> str:
    """Take tags off, and leave what was never meant as one: `a<b`, `List<String>`, `<your name>`.

    A tag has an end or attributes; only elements in `alone` are known by their name.
    """
    closed = {tag[2].lower() for tag in _TAG.finditer(text) if tag[1]}

    def judge(tag: re.Match[str]) -> str:
        name, rest = (tag[2] or "").lower(), (tag[3] or "").strip()
        meant = not name or tag[1] or name in closed or "=" in rest or rest.endswith("/")
        if not meant and (rest or name not in alone):
            return tag[0]
        return " " if name in BLOCKS or name == "br" else ""

    return _CUT_TAG.sub("", _TAG.sub(judge, text))


def _unstarred(found: re.Match[str]) -> str:
    """Take the stars off; a pair that stands inside words, with a space between, was never meant as one."""
    before, after = (
        found.string[max(found.start() - 1, 0) : found.start()],
        found.string[found.end() : found.end() + 1],
    )
    inside = before.isalnum() and after.isalnum()
    return found[0] if inside and (" " in found[2] or (before.isdigit() and after.isdigit())) else found[2]
