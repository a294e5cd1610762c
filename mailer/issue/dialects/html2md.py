"""What poor converters from HTML leave: bold turned inside out, `****`, lost line breaks, spaces inside link texts.

Lost line breaks show as runs of hard spaces. A line that CommonMark would print stars of is built anew: its title, its
labels and short tight pieces become bold, what stands between odd stars italic, and all other stars go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.issue.dialects.emphasis import literal_stars
from mailer.issue.dialects.labels import em, label_end, strong
from mailer.issue.page import info, warning

if TYPE_CHECKING:
    from mailer.issue.page import Note, Page

_HARD = re.compile(r"&nbsp;|&#160;|&#xa0;", re.IGNORECASE)
_TOKEN = re.compile(r"(\*+|[ \u00a0]{2,})")
_GAP = re.compile(r"[ \u00a0]{2,}")
_SENTENCE_END = re.compile(r"[.!?\u2026][)\"'\u2019\u201d*]*\Z")
_LINK_SPACE = re.compile(r"\[[ \u00a0]+([^\[\]\n]{1,500})\](?=\()")
# A name such as Generated.Photos begins with a capital; the last word of a sentence seldom does.
_GLUED = re.compile(r"(?<![\w.@/])([a-z]{2,30}[.!?])(?=[A-Z][a-z]{1,20}[ ,'\u2019])")
_STRUCTURE = re.compile(r"[ \t]*(?:#{1,6}[ \t]|\||>|\[\^)")
_ITEM = re.compile(r"[ \t]*(?:[-+*]|\d{1,9}[.)])[ \t]+")
_NOTE = warning(
    "html2md", "Bold text and line breaks that a converter broke were repaired; compare this paragraph."
)
_SPACE_NOTE = info("html2md", "A space was put between two sentences that a converter had joined.")
_SHORTEST = 120
_LONGEST_LABEL = 80
_LONGEST_ITALIC = 250


@dataclass(slots=True)
class _Piece:
    """A text, the stars on both sides of it, the hard spaces before it, and what it turns out to be."""

    text: str
    before: int
    gap: int
    after: int = 0
    kind: str = "plain"


def html2md(page: Page) -> Page:
    """Give the page with the damage of converters repaired, line by line."""
    if "\u00a0" not in page.text and "&nbsp;" not in page.text and "**" not in page.text:
        return page
    made: list[tuple[int, str]] = []
    notes: list[tuple[int, Note]] = []
    for number, line in zip(page.numbers, page.lines(), strict=True):
        mended = _line(line)
        made += [(number, part) for part in (mended if mended is not None else line).split("\n")]
        if mended is not None:
            notes.append((number, _NOTE))
    if not notes:
        return page
    page = page.with_lines(made, notes)
    page = page.sub(_LINK_SPACE, _link)
    return page.sub(_GLUED, lambda match: f"{match[1]} ", _SPACE_NOTE)


def _link(match: re.Match[str]) -> str:
    before = match.string[match.start() - 1 : match.start()]
    return f"{'' if before.isspace() else ' '}[{match[1].rstrip()}]"


def _line(line: str) -> str | None:
    if len(line) < _SHORTEST or _STRUCTURE.match(line):
        return None
    hard = _HARD.sub("\u00a0", line) if "&" in line else line
    if not _damaged(hard) and not _broken(hard):
        return None
    item = _ITEM.match(hard)
    head = item[0] if item else ""
    paragraphs = _paragraphs(_pieces(hard[len(head) :]))
    return head + ("<br>" if item else "\n\n").join(paragraphs)


def _damaged(line: str) -> bool:
    return "**" in line and ("****" in line or literal_stars(line))


def _broken(line: str) -> bool:
    return "\u00a0" in line and any(
        "\u00a0" in gap[0]
        and (
            label_end(line[gap.end() : gap.end() + 80].lstrip("*"))
            or (
                gap[0].count("\u00a0") > 2
                and _SENTENCE_END.search(line, max(0, gap.start() - 5), gap.start())
            )
        )
        for gap in _GAP.finditer(line)
    )


def _pieces(line: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    stars = gap = 0
    for token in _TOKEN.split(line):
        if token.startswith("*"):
            stars += len(token)
        elif "\u00a0" in token and _GAP.fullmatch(token):
            gap = max(gap, len(token))
        elif token and not stars and not gap and pieces:
            pieces[-1].text += token
        elif token.strip() or (token and pieces and not stars):
            if pieces:
                pieces[-1].after = stars
            pieces.append(_Piece(token, stars, gap))
            stars = gap = 0
    if pieces:
        pieces[-1].after = stars
    _classify(pieces)
    return pieces


def _classify(pieces: list[_Piece]) -> None:
    for index, piece in enumerate(pieces[:-1]):
        following = pieces[index + 1]
        if following.text.startswith((":", "\uff1a")) and piece.after >= 2:
            piece.text += following.text[0]
            following.text = following.text[1:]
    for index, piece in enumerate(pieces):
        previous = pieces[index - 1] if index else None
        # An ellipsis alone is the beginning of what follows it.
        rest = (later for later in pieces[index + 1 : index + 3] if any(map(str.isalnum, later.text)))
        following_ = next(rest, None)
        piece.kind = _kind(piece, previous, following_)


def _kind(piece: _Piece, previous: _Piece | None, following: _Piece | None) -> str:
    text = piece.text.strip(" \u00a0")
    if not text or text.count("[") != text.count("]"):
        return "plain"
    italic = piece.before % 2 and piece.after % 2 and len(text) <= _LONGEST_ITALIC
    enclosed = piece.before >= 2 and piece.after >= 2
    if text.endswith((":", "\uff1a")) and len(text) <= _LONGEST_LABEL and piece.after >= 2:
        return "title" if following and following.before % 2 else "label"
    if not previous and enclosed:
        return "title"
    if italic and (not previous or previous.kind != "em"):
        return "em"
    if (piece.gap or not previous) and label_end(piece.text.lstrip(" \u00a0")):
        return "opening"
    tight = enclosed and not (previous and previous.kind == "label") and _tight(piece, previous, following)
    return "strong" if tight else "plain"


def _tight(piece: _Piece, previous: _Piece | None, following: _Piece | None) -> bool:
    before = previous.text[-1:] if previous and not piece.gap else " "
    after = following.text[:1] if following and not following.gap else " "
    edges = piece.text[:1] + piece.text[-1:]
    return len(piece.text) <= 60 and edges == edges.strip() and not before.isalnum() and not after.isalnum()


def _paragraphs(pieces: list[_Piece]) -> list[str]:
    done: list[str] = []
    made = ""
    last = ""  # the kind of the piece before
    for piece in pieces:
        subtitle = last == "title" and piece.kind == "em"
        if (
            made
            and not subtitle
            and (piece.kind in {"label", "title", "opening"} or _parted(piece) or last == "subtitle")
        ):
            done.append(made)
            made = ""
        made = _joined(made, _shown(piece), "<br>" if subtitle else "")
        if last != "title" or any(char.isalnum() for char in piece.text):
            last = "subtitle" if subtitle else piece.kind
    done.append(made)
    return [tidy for part in done if (tidy := part.replace("\u00a0", " ").strip())]


def _parted(piece: _Piece) -> bool:
    return piece.gap >= 3 or (piece.gap == 2 and piece.before > 0)


def _shown(piece: _Piece) -> str:
    if piece.kind == "em":
        return em(piece.text)
    if piece.kind in {"label", "title", "strong"}:
        return strong(piece.text)
    if piece.kind == "opening":
        text = piece.text.lstrip(" \u00a0")
        end = label_end(text)
        return f"{strong(text[:end])}{text[end:]}"
    return piece.text


def _joined(made: str, text: str, between: str) -> str:
    if not made:
        return text.lstrip(" \u00a0")
    if between:
        return made.rstrip() + between + text
    last, first = made[-1], text[:1]
    glued = (last in ".!?:,;>)\u201d\u2019" or last == "\uff1a") and (
        first.isalnum() or first in "\u201c\u2018[<("
    )
    glued = glued and not (last == ">" and text[:1] in ")].,;:")
    return f"{made} {text}" if glued else made + text
