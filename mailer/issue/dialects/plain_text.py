"""Plain text without any markup -> headings, paragraphs, lists and bold labels, as its layout implies them.

A short line without a full stop above a longer one is a heading; two such lines are a section and its first article. A
name after the closing words of a letter is a signature. Lists end where they end. Nothing is reworded or left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mailer.issue.dialects.labels import with_label
from mailer.issue.page import info

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailer.issue.page import Page

_MARKUP = re.compile(
    r"^#{1,6}[ \t]|\]\(|\*\*\S|^(?:```|~~~)|<(?:p|div|a|br|img|h[1-6]|ul|table|iframe)\b|^\[[^\]\n]+\]:|^>[ \t]|\{[{%]",
    re.MULTILINE,
)
# A sign that touches a digit is a minus, a plus or the star of a note; a star that another one follows is emphasis.
_BULLET = re.compile(
    r"[ \t]*(?:[-+\u2013\u2014](?=[ \t])|-(?=[^\W\d_])|\*(?=[ \t]|[^\W\d_][^*\n]*$)"
    r"|[\u2022\u25cf\u25cb\u25aa\u2023\u30fb\u00b7])[ \t]*(?=\S)",
    re.MULTILINE,
)
_RULE = re.compile(r"([-*_])(?:[ \t]*\1){2,}")
# Signs that are no markup here: of a product, and backslashes that Markdown would take for its own.
_LITERAL = re.compile(r"(?<=\d)\*(?=\d)|\\(?=[!-/:-@\[-`{-~])")
_NUMBERED = re.compile(r"[ \t]*(\d{1,3})[.)\u3001\uff0e][ \t]*(?=[^\s\d])")
_END = re.compile(
    r"[.!?:,;\u2026\u3002\uff01\uff1f\uff1a\uff0c\uff1b\u3001\u061f\u060c\u06d4\u0964]['\"\u2019\u201d)\]]*$"
)
_SALUTATION = re.compile(
    r"(?:dear|hi|hello|hey|liebe[rs]?|sehr geehrte[rs]?|hallo|guten tag|bonjour|ch\u00e8re?s?|estimad[oa]s?|"
    r"queridos?|\u4eb2\u7231\u7684|\u5404\u4f4d|"
    r"\u0639\u0632\u06cc\u0632|\u0623\u0639\u0632\u0627\u0626\u064a|\u05e9\u05dc\u05d5\u05dd|\u092a\u094d\u0930\u093f\u092f)\b[^\n]{0,50}[,:!\uff0c\uff1a\uff01\u060c]$",
    re.IGNORECASE,
)
_MAIL = re.compile(r"(?<![\w.+<:/@-])([\w+-]+(?:\.[\w+-]+){0,6}@[\w-]+(?:\.[\w-]+){1,6})(?![\w@>])")
_ANGLE = re.compile(r"<(?!(?:https?://|mailto:)?[^\s<>]+[.@][^\s<>]+>)")
_WORD = re.compile(r"\w")
_MOST_WORDS = 8
_WIDEST = 70
_WIDE = re.compile("[\u2e80-\ud7af\uf900-\ufaff\uff00-\uffef]")


class _Block(NamedTuple):
    kind: str  # text, short, item, rule
    number: int
    text: str


def looks_plain(text: str, file: str) -> bool:
    """Say whether a text has no markup and needs its structure found."""
    if _MARKUP.search(text):
        return False
    lines = text.split("\n")
    filled = [line for line in lines if line.strip()]
    if file.lower().endswith((".txt", ".text")):
        return bool(filled)
    dense = len(filled) >= 8 and len(lines) - len(filled) < len(lines) * 0.15
    return dense and max(map(len, filled)) > 200


def plain_text(page: Page) -> Page:
    """Give the page with its implied structure as Markdown."""
    blocks = list(_blocks(page))
    levels = _levels(blocks)
    made: list[tuple[int, str]] = []
    for index, block in enumerate(blocks):
        previous = blocks[index - 1] if index else None
        if previous and not (previous.kind == block.kind == "item"):
            made.append((block.number, ""))
        made += [(block.number, line) for line in _shown(block, levels.get(index, 0)).split("\n")]
    note = info(
        "structure", "The file is plain text: its headings, lists and labels were found by their layout."
    )
    return page.with_lines(made, [(page.numbers[0], note)])


def _blocks(page: Page) -> Iterator[_Block]:
    lines = page.lines()
    filled = sum(1 for line in lines if line.strip())
    dense = len(lines) - filled < len(lines) * 0.15 or sum(map(len, lines)) > 200 * max(filled, 1)
    open_: list[str] = []
    start = 0
    for number, line in zip(page.numbers, lines, strict=True):
        text = line.strip()
        apart = dense or not text or _BULLET.match(line) or _NUMBERED.match(line) or _RULE.fullmatch(text)
        if open_ and (apart or not open_):
            yield _block(start, open_)
            open_ = []
        if text:
            start = start if open_ else number
            open_.append(text)
    if open_:
        yield _block(start, open_)


def _block(number: int, lines: list[str]) -> _Block:
    text = "\n".join(lines)
    if _RULE.fullmatch(text):
        return _Block("rule", number, "***")
    if _BULLET.match(text) or _NUMBERED.match(text):
        return _Block("item", number, text)
    return _Block("short" if len(lines) == 1 and _short(text) else "text", number, text)


def _short(text: str) -> bool:
    """Say whether a line could be a heading."""
    if _END.search(text) or "@" in text or "://" in text or text[0].islower() or not _WORD.search(text):
        return False
    wide = len(_WIDE.findall(text))
    return len(text) + wide <= _WIDEST and len(text.split()) <= _MOST_WORDS and wide <= 30


def _levels(blocks: Sequence[_Block]) -> dict[int, int]:
    """Give the level of each block that is a heading."""
    levels: dict[int, int] = {}
    signed = not any(_SALUTATION.match(block.text) for block in blocks[:3])
    singles = []
    index = 0
    while index < len(blocks):
        end = index
        while end < len(blocks) and blocks[end].kind == "short":
            end += 1
        run = list(range(index, end))
        if run and not signed:
            signed = True
            run = run[1:] if _is_name(blocks[run[0]].text) else run
        if run and end < len(blocks) and blocks[end].kind in {"text", "item"}:
            if len(run) == 1:
                singles += run
            levels.update({at: 2 if at == run[0] else 3 for at in run})
        index = max(end, index + 1)
    if len(singles) < len(levels):  # there are sections with articles, so single headings are articles
        levels.update(dict.fromkeys(singles, 3))
    return levels


def _is_name(text: str) -> bool:
    words = text.strip("\u2013\u2014- ").split()
    return len(words) <= 3 and all(word[0].isupper() or not word[0].isascii() for word in words)


def _shown(block: _Block, level: int) -> str:
    if block.kind == "rule":
        return block.text
    text = _MAIL.sub(r"<\1>", _ANGLE.sub("&lt;", _LITERAL.sub(lambda sign: "\\" + sign[0], block.text)))
    if level:
        return f"{'#' * level} {text}"
    if block.kind == "item":
        numbered = _NUMBERED.match(text)
        return (
            f"{numbered[1]}. {text[numbered.end() :]}" if numbered else f"- {_BULLET.sub('', text, count=1)}"
        )
    return with_label(text)
