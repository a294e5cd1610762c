"""The text of an issue while it is being translated, and where each of its lines stood in the file.

A pass takes a Page and gives a new one. All edits go through `splice`, which keeps `numbers` right: an edited line
keeps its number, a line that an edit adds has the number of the line the edit began on. Nothing here backtracks:
pairs of marks are found by walking sorted positions once, so that time grows with the size of the text alone.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from mailer.issue.model import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# Marks are noncharacters (U+FDD0 to U+FDEF), which decoding removes from every source.
BLOCK_MARK = "\ufdd0"  # opens the mark of a hidden line of code
INLINE_MARK = "\ufdd1"  # opens the mark of a hidden piece of a line
END_MARK = "\ufdd2"
MORE_MARK = "\ufddd"  # stands where <!--more--> stood
_DIGITS = str.maketrans("0123456789", "\ufdd3\ufdd4\ufdd5\ufdd6\ufdd7\ufdd8\ufdd9\ufdda\ufddb\ufddc")
_NUMBERS = str.maketrans("\ufdd3\ufdd4\ufdd5\ufdd6\ufdd7\ufdd8\ufdd9\ufdda\ufddb\ufddc", "0123456789")
_MARK = re.compile("[\ufdd0\ufdd1]([\ufdd3-\ufddc]+)\ufdd2")


class Note(NamedTuple):
    """What an edit reports: a finding that has no place yet."""

    rule: str
    level: Level
    message: str


class Edit(NamedTuple):
    """Put `new` in the place of text[start:end]."""

    start: int
    end: int
    new: str
    note: Note | None = None


Notes: TypeAlias = "Note | Callable[[re.Match[str]], Note | None] | None"


def info(rule: str, message: str) -> Note:
    """Give a note of what was tidied without any loss."""
    return Note(rule, Level.INFO, message)


def warning(rule: str, message: str) -> Note:
    """Give a note of what was repaired or dropped."""
    return Note(rule, Level.WARNING, message)


def error(rule: str, message: str) -> Note:
    """Give a note of what would embarrass the author."""
    return Note(rule, Level.ERROR, message)


@dataclass(frozen=True, slots=True)
class Page:
    """A text whose line i (from 0) came from line `numbers[i]` of the file; `hidden` is what marks stand for."""

    text: str
    numbers: list[int]
    file: str
    findings: tuple[Finding, ...] = ()
    hidden: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str, file: str = "", first: int = 1) -> Page:
        """Begin with a text whose first line is line `first` of the file."""
        return cls(text, list(range(first, first + text.count("\n") + 1)), file)

    def splice(self, edits: Iterable[Edit]) -> Page:
        """Apply edits that are sorted and do not overlap; their notes become findings with a line."""
        pieces: list[str] = []
        numbers: list[int] = self.numbers[:1]
        found: list[Finding] = []
        at = row = 0
        for start, end, new, note in edits:
            pieces += (self.text[at:start], new)
            step = self.text.count("\n", at, start)
            numbers += self.numbers[row + 1 : row + step + 1]
            row += step
            if note:
                found.append(Finding(note.rule, note.level, note.message, self.file, self.numbers[row]))
            gone = self.text.count("\n", start, end)
            numbers += self._numbers_of_new(new.count("\n"), row, gone)
            row, at = row + gone, end
        if not at and not found and not pieces:
            return self
        pieces.append(self.text[at:])
        numbers += self.numbers[row + 1 :]
        return replace(self, text="".join(pieces), numbers=numbers, findings=self.findings + tuple(found))

    def _numbers_of_new(self, added: int, row: int, gone: int) -> list[int]:
        if added == gone:
            return self.numbers[row + 1 : row + gone + 1]
        if not added:
            return []
        # What follows the edit on its last line came from the last line that the edit took away.
        return [self.numbers[row]] * (added - 1) + [self.numbers[row + gone]]

    def sub(
        self, pattern: re.Pattern[str], new: str | Callable[[re.Match[str]], str | None], note: Notes = None
    ) -> Page:
        """Replace every match by `new`, or by what `new` gives; None leaves the match alone."""
        return self.splice(_edits(self.text, pattern, new, note))

    def lines(self) -> list[str]:
        """Give the lines without their ends."""
        return self.text.split("\n")

    def with_lines(self, lines: list[tuple[int, str]], notes: Iterable[tuple[int, Note]] = ()) -> Page:
        """Take whole new lines, each with its number; a pass that rebuilds the structure ends so."""
        found = tuple(
            Finding(note.rule, note.level, note.message, self.file, number) for number, note in notes
        )
        text = "\n".join(line for _, line in lines)
        numbers = [number for number, _ in lines] or self.numbers[:1]
        return replace(self, text=text, numbers=numbers, findings=self.findings + found)

    def noting(self, note: Note, line: int | None = None) -> Page:
        """Add a finding of the whole file, or of one of its lines."""
        finding = Finding(note.rule, note.level, note.message, self.file, line)
        return replace(self, findings=(*self.findings, finding))

    def hide(self, spans: Iterable[tuple[int, int]], *, mark: str = INLINE_MARK) -> Page:
        """Put marks in the place of sorted spans, so that no pass looks into them; line ends stay as they are."""
        hidden = list(self.hidden)
        pieces: list[str] = []
        at = 0
        for start, end in spans:
            pieces.append(self.text[at:start])
            marks = []
            for part in self.text[start:end].split("\n"):
                marks.append(f"{mark}{str(len(hidden)).translate(_DIGITS)}{END_MARK}")
                hidden.append(part)
            pieces.append("\n".join(marks))
            at = end
        pieces.append(self.text[at:])
        return replace(self, text="".join(pieces), hidden=tuple(hidden)) if at else self

    def trimmed(self) -> Page:
        """Give the page without empty lines at its end."""
        text = self.text.rstrip()
        return replace(self, text=text, numbers=self.numbers[: text.count("\n") + 1])

    def shown(self) -> Page:
        """Put everything hidden back."""
        return replace(self, text=self.reveal(self.text), hidden=()) if self.hidden else self

    def reveal(self, text: str) -> str:
        """Give a piece of this page's text with nothing hidden in it."""
        while _MARK.search(text):  # a hidden piece may hold an earlier mark, at most a handful deep
            text = _MARK.sub(lambda mark: self.hidden[int(mark[1].translate(_NUMBERS))], text)
        return text


def _edits(
    text: str, pattern: re.Pattern[str], new: str | Callable[[re.Match[str]], str | None], note: Notes
) -> Iterator[Edit]:
    for match in pattern.finditer(text):
        value = new if isinstance(new, str) else new(match)
        if value is not None:
            said = note(match) if callable(note) else note
            yield Edit(match.start(), match.end(), value, said)


def enclosed(
    text: str, opening: re.Pattern[str], closing: re.Pattern[str]
) -> Iterator[tuple[re.Match[str], re.Match[str]]]:
    """Give each opening with the first closing after it; pairs do not overlap, an opening alone is skipped."""
    openings = list(opening.finditer(text))
    if not openings:
        return
    closings = list(closing.finditer(text))
    starts = [match.start() for match in closings]
    at = 0
    for match in openings:
        if match.start() < at:
            continue
        index = bisect_left(starts, match.end())
        if index == len(starts):
            return
        at = closings[index].end()
        yield match, closings[index]


def between(text: str, opening: str, closing: str, limit: int = 4000) -> Iterator[tuple[int, int]]:
    """Give the spans from each `opening` to the next `closing`, both included, none longer than `limit`."""
    start = text.find(opening)
    while start >= 0:
        end = text.find(closing, start + len(opening))
        if end < 0:
            return
        # An opening that was never closed must not swallow the one after it.
        start = text.rfind(opening, start, end)
        end += len(closing)
        if end - start <= limit:
            yield start, end
        start = text.find(opening, end)
