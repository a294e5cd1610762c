"""Which comparisons make sense, and how a value is written in the form that is kept. Pure.

What could never be true is refused where it is written, rather than select nobody: a number against a name, `true <`,
a language that there is none of, an address that is none.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from subscribers.address import parse_address, parse_domain
from subscribers.errors import InvalidAddress
from subscribers.profile import clean_language, clean_time_zone
from subscribers.segment.tree import Ago, Attribute, Comparison, Field, Joined, Subject, Today


class Misused(ValueError):  # noqa: N818 - it becomes a SegmentError once the text is at hand
    """A comparison that makes no sense, and its place."""

    def __init__(self, message: str, start: int, end: int, advice: str = "") -> None:
        super().__init__(message)
        self.message, self.start, self.end, self.advice = message, start, end, advice


_SAME = (Comparison.EQUAL, Comparison.OTHER)


def checked(
    subject: Subject,
    how: Comparison | None,
    value: Any,
    subject_place: tuple[int, int],
    place: tuple[int, int],
    *,
    part: bool = False,
) -> Any:
    """Give the value as it is compared; raises Misused. `how` None is one of `in`; `part` looks inside of texts."""
    if part and value == "":
        raise Misused("is empty, so it would hold for everybody", *place, "`is known` asks for any value")
    if isinstance(subject, Joined):
        return _moment(how, value, subject_place, place, part=part)
    if isinstance(value, bool) and how not in {None, *_SAME}:
        raise Misused("is neither less nor more than anything", *place, "compare true and false with = or !=")
    if isinstance(subject, Attribute):
        if isinstance(value, datetime):
            raise Misused("is a moment, and attributes are compared by days", *place, "write 2026-07-14")
        return _day(how, value, place)
    if not isinstance(value, str):
        raise Misused(f"{subject} is a text, and this is none", *place, 'write it in quotes, as "…"')
    return _part(subject, value) if part else _whole(subject, how, value, place)


def _moment(
    how: Comparison | None, value: Any, subject_place: tuple[int, int], place: tuple[int, int], *, part: bool
) -> Any:
    if part or how is None:
        raise Misused("is a time, not a text", *subject_place, "compare it as in: joined < 90 days ago")
    if not isinstance(value, (Ago, Today, date)):
        raise Misused("is no time", *place, "write 2026-07-14, today, or 90 days ago")
    return _day(how, value, place)


def _day(how: Comparison | None, value: Any, place: tuple[int, int]) -> Any:
    if isinstance(value, Ago) and how in _SAME:
        raise Misused("is a moment that nobody meets", *place, "use < (less long ago) or > (longer ago)")
    return value


def _part(field: Field, text: str) -> str:
    """Addresses are kept without regard to case, so parts of them are looked for in small letters."""
    return text.lower() if field in {Field.EMAIL, Field.DOMAIN} else text


def _whole(field: Field, how: Comparison | None, text: str, place: tuple[int, int]) -> str:
    if field is Field.EMAIL and how not in {
        Comparison.LESS,
        Comparison.MOST,
        Comparison.MORE,
        Comparison.LEAST,
    }:
        try:
            return parse_address(text).normalized
        except InvalidAddress as error:
            raise Misused(
                f"is no address: {error.why}", *place, "`email contains` looks for a part"
            ) from None
    if field in {Field.EMAIL, Field.DOMAIN}:
        return _domain(text, place) if field is Field.DOMAIN else text.lower()
    if field is Field.LANGUAGE and text and how in {None, *_SAME}:
        return _kept(clean_language(text), "language", "de or pt-BR", place)
    if field is Field.TIME_ZONE and text and how in {None, *_SAME}:
        return _kept(clean_time_zone(text), "time zone", "Europe/Vienna", place)
    return text


def _kept(found: str | None, what: str, example: str, place: tuple[int, int]) -> str:
    if found is None:
        raise Misused(f"is no {what}", *place, f"write one such as {example}")
    return found


def _domain(text: str, place: tuple[int, int]) -> str:
    try:
        return parse_domain(text)
    except InvalidAddress:
        raise Misused("is no domain", *place, "write it as in an address") from None
