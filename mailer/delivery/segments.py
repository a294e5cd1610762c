"""Segments as the ledger uses them: a name becomes a frozen text, and that a condition over an audience.

segments.toml holds `name = 'text'`, one a line; what a text may say is docs/segments.md, and subscribers/segment/ reads
it. Here it gets what subscribers cannot know: the file, its lines, and who received what.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from mailer.delivery.heard import Heard, went_out
from mailer.errors import Problem, UserError
from mailer.settings.lines import key_lines
from mailer.settings.values import name_of
from subscribers import SegmentError, compile_segment, freeze_segment, named_issues, unheld_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

    from mailer.settings import Settings

FILE: Final = "segments.toml"
_MOST_OCTETS: Final = 1_000_000


class Narrow(Protocol):
    """Narrows readers to those of a segment, in two steps: its text is frozen once, and then applied for days."""

    def freeze(self, segment: str, list_key: str, now: datetime, /) -> str:
        """Give the segment's text standing alone, as it is now; raises UserError."""
        ...

    def __call__(self, readers: Select[Any], condition: str, /, *, whole: bool = False) -> Select[Any]:
        """Narrow readers (a Select that audience() gave) by a frozen text; `whole` asks for all of a list at once."""
        ...


@dataclass(frozen=True, slots=True)
class Book:
    """segments.toml as it was read: the texts by their names, the line of each, and what is wrong with others."""

    texts: Mapping[str, str]
    lines: Mapping[str, int]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Segments:
    """The segments of one newsletter."""

    settings: Settings
    _made: dict[tuple[str, bool], ColumnElement[bool]] = field(default_factory=dict)

    def book(self) -> Book:
        """Read segments.toml; a newsletter without it has no segments."""
        return read_book(self.settings)

    def freeze(self, segment: str, list_key: str, now: datetime, /) -> str:
        """Give the segment's text standing alone; raises UserError with the place of each mistake."""
        book = self.book()
        if segment not in book.texts:
            raise UserError(*book.problems, _unknown(segment, book))
        try:
            return self.frozen(book, segment, list_key, now)
        except SegmentError as error:
            raise UserError(problem_of(book, segment, error)) from None

    def frozen(self, book: Book, segment: str, list_key: str, now: datetime) -> str:
        """Give the text of a segment of the book standing alone; raises SegmentError."""
        lists = self.settings.lists
        return freeze_segment(
            book.texts[segment], list_key=list_key, now=now, zone=lists[list_key].time_zone, segments=book.texts,
            lists=tuple(lists), name=segment,
        )  # fmt: skip

    def __call__(self, readers: Select[Any], condition: str, /, *, whole: bool = False) -> Select[Any]:
        """Narrow readers by a frozen text; with `whole` by the indexes of declared attributes."""
        if (condition, whole) not in self._made:
            declared = self.settings.attributes if whole else None
            self._made[condition, whole] = compile_segment(condition, Heard(), declared)
        return readers.where(self._made[condition, whole])

    def doubts(self, connection: Connection, condition: str) -> list[str]:
        """Give what a frozen text asks that nobody answers: a misspelt name looks like an empty answer."""
        odd = [
            f"nobody, of the newest 10,000 people, has an attribute {name!r}: is it misspelt?"
            for name in unheld_attributes(connection, condition)
        ]
        gone = dict.fromkeys(one.issue for one in named_issues(condition) if not went_out(connection, one))
        return odd + [f"no issue {issue} went out from here, so nobody received it" for issue in gone]

    def warnings(self, connection: Connection, now: datetime) -> Iterator[Problem]:
        """Give the doubts that each segment raises whatever list it is asked of."""
        book = self.book()
        for name in book.texts:
            try:
                every = [
                    self.doubts(connection, self.frozen(book, name, key, now)) for key in self.settings.lists
                ]
            except SegmentError:
                continue  # a mistake, told by problems()
            for said in every[0] if every else ():
                if all(said in each for each in every):
                    yield Problem(said, FILE, book.lines.get(name), name)

    def problems(self, now: datetime) -> Iterator[Problem]:
        """Give everything that is wrong with segments.toml."""
        book = self.book()
        yield from book.problems
        list_key = next(iter(self.settings.lists))
        for name in book.texts:
            try:
                self.frozen(book, name, list_key, now)
            except SegmentError as error:
                yield problem_of(book, name, error)


def segments_of(settings: Settings) -> Segments:
    """Give the segments of a newsletter; nothing is read yet."""
    return Segments(settings)


def read_book(settings: Settings) -> Book:
    """Read the newsletter's segments.toml; whatever is wrong becomes a problem of the book."""
    try:
        octets = (settings.folder / FILE).read_bytes()
    except FileNotFoundError:
        return Book({}, {})
    except OSError as error:
        return Book({}, {}, (Problem(f"cannot be read: {error.strerror}", FILE),))
    if len(octets) > _MOST_OCTETS:
        return Book({}, {}, (Problem("is larger than 1 MB", FILE),))
    try:
        text = octets.decode("utf-8-sig").replace("\r\n", "\n")
        return _book(tomllib.loads(text), text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        return Book({}, {}, (Problem(f"not TOML: {str(error)[:200]}", FILE),))


def _book(values: Mapping[str, Any], text: str) -> Book:
    lines = {str(path[0]): line for path, line in key_lines(text).items() if len(path) == 1}
    problems = [
        Problem(wrong, FILE, lines.get(name), name)
        for name, value in values.items()
        if (wrong := _wrong(name, value))
    ]
    bad = {problem.key for problem in problems}
    return Book({name: value for name, value in values.items() if name not in bad}, lines, tuple(problems))


def _wrong(name: str, value: object) -> str:
    try:
        name_of("segment", name)
    except ValueError as error:
        return str(error)
    return "" if isinstance(value, str) else "write the condition as a text: name = 'tag \"beta\"'"


def _unknown(segment: str, book: Book) -> Problem:
    known = ", ".join(sorted(book.texts))
    there = f"the segments are: {known}" if known else "segments.toml names none"
    return Problem(f"there is no segment {segment!r}: {there}", FILE)


def problem_of(book: Book, name: str, error: SegmentError) -> Problem:
    """Give a mistake in a segment as a problem with its line in segments.toml; carets stand in the message."""
    return Problem(str(error), FILE, book.lines.get(name, 0) + error.line - 1 or None, name)


class _Plain:
    """Refuses every segment."""

    def freeze(self, segment: str, _list_key: str, _now: datetime, /) -> str:
        """Refuse."""
        raise UserError(_unknown(segment, Book({}, {})))

    def __call__(self, _readers: Select[Any], condition: str, /, *, whole: bool = False) -> Select[Any]:  # noqa: ARG002
        """Refuse."""
        raise UserError(Problem(f"no segment can be applied: {condition}", FILE))


plain: Final = _Plain()
"""For a ledger without a newsletter around it."""
