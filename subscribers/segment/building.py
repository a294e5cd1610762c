"""From the parser's pieces to the tree: values read, sugar taken away, senseless comparisons refused at their place.

Called by the parser whenever a rule is complete, so nothing here recurses.
"""

# ruff: noqa: D102 - each method is the rule of its name in grammar.py

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from lark import Token, Transformer, v_args

from subscribers.segment import tree
from subscribers.segment.checking import Misused, checked
from subscribers.segment.tree import Comparison, Node
from subscribers.status import SubscriptionState

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Builder", "Misused"]

_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_SPANS: Final = 10_000  # of any unit: 10,000 years are more than a calendar has
_DIGITS: Final = 15  # what a double keeps of any decimal number
_LAST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Placed:
    """A value and where it stands."""

    value: Any
    start: int
    end: int

    @property
    def place(self) -> tuple[int, int]:
        """The place in the text."""
        return self.start, self.end


def _misused(piece: Placed | Token, message: str, advice: str = "") -> Misused:
    start, end = (piece.start, piece.end) if isinstance(piece, Placed) else _place(piece)
    return Misused(message, start, end, advice)


def _place(token: Token) -> tuple[int, int]:
    start = token.start_pos or 0
    return start, start + len(token)


def _text(token: Token) -> str:
    """Give what stands in quotes, in NFC; control characters and unknown escapes are refused."""
    found = unicodedata.normalize("NFC", _ESCAPE.sub(lambda match: match[1], token[1:-1]))
    for match in _ESCAPE.finditer(token[1:-1]):
        if match[1] not in "\"'\\":
            raise _misused(token, f"there is no escape \\{match[1]}", r"only \" \' and \\ are known")
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in found):
        raise _misused(token, "holds a control character or a line break", "write it on one line")
    return found


def _number(token: Token) -> Decimal:
    if len(token.lstrip("-").replace(".", "")) > _DIGITS:
        raise _misused(token, f"has more than {_DIGITS} digits", "write it in quotes, to compare it as text")
    return Decimal(str(token))


def _whole(token: Token, most: int) -> int:
    number = _number(token)
    if number != number.to_integral_value() or not 0 <= number <= most:
        raise _misused(token, "must be a whole number", f"0 to {most:,}")
    return int(number)


@v_args(inline=True)
class Builder(Transformer[Token, Any]):
    """What each rule of the grammar becomes."""

    def start(self, node: Node) -> Node:
        return node

    def either(self, *parts: Node) -> Node:
        return tree.Either(tuple(parts))

    def both(self, *parts: Node) -> Node:
        return tree.Both(tuple(parts))

    def negated(self, part: Node) -> Node:
        return tree.Not(part)

    # --- subjects and values

    def path(self, first: Token, *rest: Token) -> Placed:
        if not rest and first in {one.value for one in tree.Field}:
            return Placed(tree.Field(str(first)), *_place(first))
        return self._attribute((str(first),), first, rest)

    def attribute(self, first: Token, *rest: Token) -> Placed:
        return self._attribute((_text(first),), first, rest)

    def _attribute(self, names: tuple[str, ...], first: Token, rest: Sequence[Token]) -> Placed:
        names += tuple(_text(part) if part.type == "STRING" else str(part) for part in rest)
        for token, name in zip((first, *rest), names, strict=True):
            if not name or set(name) & set('"\\'):
                raise _misused(token, "cannot name an attribute", r'a name has no " and no \ in it')
        path = tuple(unicodedata.normalize("NFC", name) for name in names)
        return Placed(tree.Attribute(path), _place(first)[0], _place((first, *rest)[-1])[1])

    def joined(self, word: Token, key: Placed | None) -> Placed:
        place = key.place if key else _place(word)
        return Placed(tree.Joined(key.value if key else None, place), *_place(word))

    def key(self, token: Token) -> Placed:
        return Placed(_text(token) if token.type == "STRING" else str(token), *_place(token))

    def text(self, token: Token) -> Placed:
        return Placed(_text(token), *_place(token))

    def number(self, token: Token) -> Placed:
        return Placed(_number(token), *_place(token))

    def true(self, token: Token) -> Placed:
        return Placed(True, *_place(token))  # noqa: FBT003 - it is the value

    def false(self, token: Token) -> Placed:
        return Placed(False, *_place(token))  # noqa: FBT003

    def span(self, count: Token, unit: Token) -> Placed:
        ago = tree.Ago(_whole(count, _SPANS), tree.Unit(unit.lower().removesuffix("s")))
        return Placed(ago, _place(count)[0], _place(unit)[1])

    def ago(self, span: Placed, word: Token) -> Placed:
        return Placed(span.value, span.start, _place(word)[1])

    def day(self, token: Token) -> Placed:
        try:
            return Placed(date.fromisoformat(token), *_place(token))
        except ValueError:
            raise _misused(token, "is no day of the calendar", "write it as 2026-07-14") from None

    def instant(self, token: Token) -> Placed:
        try:
            return Placed(datetime.fromisoformat(token).astimezone(UTC), *_place(token))
        except (ValueError, OverflowError):
            raise _misused(token, "is no moment", "write it as 2026-07-14T09:52:00Z") from None

    def today(self, token: Token) -> Placed:
        return Placed(tree.Today(), *_place(token))

    def yesterday(self, token: Token) -> Placed:
        return Placed(tree.Today(1), *_place(token))

    # --- conditions

    def compared(self, subject: Placed, how: Token, value: Placed) -> Node:
        return self._compare(subject, Comparison(how), value)

    def _compare(self, subject: Placed, how: Comparison, value: Placed) -> Node:
        found = checked(subject.value, how, value.value, subject.place, value.place)
        return tree.Compare(subject.value, how, found)

    def among(self, subject: Placed, *values: Placed) -> Node:
        said = [checked(subject.value, None, one.value, subject.place, one.place) for one in values]
        return tree.Among(subject.value, tuple(said))

    def not_among(self, subject: Placed, *values: Placed) -> Node:
        among = self.among(subject, *values)
        return tree.Both((tree.Known(subject.value), tree.Not(among)))

    def contains(self, subject: Placed, value: Placed) -> Node:
        found = checked(subject.value, None, value.value, subject.place, value.place, part=True)
        return tree.Contains(subject.value, found)

    def starts(self, subject: Placed, text: Token) -> Node:
        return self._begins(subject, text, at_end=False)

    def ends(self, subject: Placed, text: Token) -> Node:
        return self._begins(subject, text, at_end=True)

    def _begins(self, subject: Placed, text: Token, *, at_end: bool) -> Node:
        found = checked(subject.value, None, _text(text), subject.place, _place(text), part=True)
        return tree.Begins(subject.value, found, at_end)

    def known(self, subject: Placed) -> Node:
        return tree.Known(subject.value)

    def missing(self, subject: Placed) -> Node:
        return tree.Not(tree.Known(subject.value))

    def within(self, subject: Placed, span: Placed) -> Node:
        return self._compare(subject, Comparison.LESS, span)

    def before(self, subject: Placed, moment: Placed) -> Node:
        ago = isinstance(moment.value, tree.Ago)
        return self._compare(subject, Comparison.MORE if ago else Comparison.LESS, moment)

    def after(self, subject: Placed, moment: Placed) -> Node:
        ago = isinstance(moment.value, tree.Ago)
        return self._compare(subject, Comparison.LESS if ago else Comparison.MORE, moment)

    def tagged(self, tag: Token) -> Node:
        return tree.Tagged(_text(tag))

    def listed(self, key: Placed, state: Token | None) -> Node:
        return tree.Listed(key.value, SubscriptionState(state.lower()) if state else None, key.place)

    def named(self, key: Placed) -> Node:
        return tree.Named(key.value, key.place)

    # --- what the ledger knows

    def received(self, issue: Token, key: Placed | None) -> Node:
        which = _text(issue) if issue.type == "STRING" else _whole(issue, 1_000_000_000)
        place = key.place if key else _place(issue)
        return tree.Received(issue=which, list_key=key.value if key else None, place=place)

    def received_any(self, key: Placed | None) -> Node:
        return tree.Received(list_key=key.value if key else None, place=key.place if key else (0, 0))

    def received_never(self, key: Placed | None) -> Node:
        return tree.Not(self.received_any(key))

    def received_last(self, count: Token, key: Placed | None, before: Token | None) -> Node:
        last = _whole(count, _LAST)
        place = key.place if key else _place(count)
        moment = self.instant(before).value if before else None
        return tree.Received(last=last, list_key=key.value if key else None, before=moment, place=place)
