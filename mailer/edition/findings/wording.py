"""Findings about the words: what was left behind by tools or by the author, and what a phone cannot break."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.edition.tree import elements, line_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from mailer.edition.report import Report

_RESIDUE = (
    ("{%", re.compile(r"\{%")),
    ("{{", re.compile(r"\{\{")),
    ("[[…]]", re.compile(r"\[\[[^\[\]]{1,80}\]\]")),
    (":::", re.compile(r"^:::", re.MULTILINE)),
    (
        "!!!",
        re.compile(
            r"^(?:!!!|\?\?\?\+?)[ \t]+(?:(?:note|abstract|info|tip|success|question|warning|failure|danger|bug|example"
            r"|quote)\b|[\w-]{1,40}[ \t]+[\"\u201c])",
            re.MULTILINE,
        ),
    ),
    ("[^…]", re.compile(r"\[\^[^\]\s]{1,40}\]")),
    ("**", re.compile(r"\*\*")),
    ("{: …}", re.compile(r"\{:\s*[.#][\w-]+")),
    (":emoji:", re.compile(r"(?<![\w:]):[a-z][a-z0-9_+-]{2,30}:(?![\w:/])")),
)
_PLACEHOLDER = re.compile(
    r"\b(?:TK|TKTK|TODO|FIXME|XXX|TBD)\b|lorem ipsum|\[(?:your name|insert [^\]]{1,40}|name|link)\]",
    re.IGNORECASE,
)
_CASED = re.compile(r"\b(?:TK|TKTK|TODO|FIXME|XXX|TBD)\b")
_BROKEN = re.compile("[\x80-\x9f\ufffd]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_LONG_WORD = 60
_ATTACHED = re.compile(
    r"\b(?:attached (?:is|are|file|document|pdf)|see attached|im anhang|ci-joint|adjunto)\b", re.IGNORECASE
)
_FEW, _MANY = 50, 5_000
_PARAGRAPHS = ("p", "li", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th", "dt", "dd", "figcaption")
_CODE = frozenset({"code", "pre"})


def check_wording(root: HtmlElement, report: Report) -> None:
    """Look at all text outside code."""
    for element, text in _texts(root):
        line = line_of(element)
        for name, pattern in _RESIDUE:
            if found := pattern.search(text):
                report.warn(
                    "residue", f"readers would see {_around(text, found)} ({name} is left over)", line
                )
        if (found := _PLACEHOLDER.search(text)) and (not found[0].isalpha() or _CASED.search(text)):
            report.warn("placeholder", f"{found[0]} looks unfinished", line)
        if _BROKEN.search(text):
            report.error("c1-chars", "a broken character is left; Gmail cuts mails off at some of them", line)
        if _BIDI.search(text):
            report.warn("bidi-control", "an invisible character turns the reading direction", line)
    _length(text_of(root), report)


def _length(text: str, report: Report) -> None:
    words = text.split()
    longest = max(words, key=len, default="")
    if len(longest) > _LONG_WORD and longest.isascii():
        report.note("word-long", f"{longest[:40]}… has {len(longest)} letters; phones break it anywhere")
    if _ATTACHED.search(text):
        report.note("attach-word", "the text speaks of something attached; a newsletter carries no files")
    if len(words) > _MANY:
        report.note("words", f"{len(words):,} words; few finish more than {_MANY:,}")
    elif text and len(text) < _FEW:
        report.note("words", "a very short issue")


def _texts(root: HtmlElement) -> Iterator[tuple[HtmlElement, str]]:
    """Give the text of each paragraph, without what stands in code."""
    for element in elements(root, *_PARAGRAPHS):
        pieces = [element.text or ""]
        for child in element:
            if child.tag not in _CODE and child.tag not in ("p", "ul", "ol", "li"):
                pieces += [
                    text for part in child.iter() if part.tag not in _CODE for text in _own(part, child)
                ]
            pieces.append(child.tail or "")
        yield element, "".join(pieces)


def _own(part: HtmlElement, top: HtmlElement) -> tuple[str, str]:
    return part.text or "", "" if part is top else part.tail or ""


def _around(text: str, found: re.Match[str]) -> str:
    start = max(0, found.start() - 12)
    return f"“{' '.join(text[start : found.end() + 20].split())}”"
