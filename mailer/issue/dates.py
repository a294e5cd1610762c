"""Dates as authors write them -> an aware datetime; a date without a time zone is in the zone it is given.

ISO 8601 in its common shapes, RFC 5322 dates, English and German day-month-year, and the
dates of Chinese, Japanese and Korean.
Day-first and month-first numbers (03/04/2020) are ambiguous and are not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

from mailer.errors import Problem, UserError

_ISO = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"
    r"(?:[T \t]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?[ \t]*(Z|UTC|GMT|[-+]\d{2}:?\d{2}|[-+]\d{2})?)?$",
    re.IGNORECASE,
)
_EAST = re.compile(r"(\d{4})[\u5e74\ub144][ \t]*(\d{1,2})[\u6708\uc6d4][ \t]*(\d{1,2})[\u65e5\uc77c\u53f7]?")
_GERMAN = re.compile(r"(\d{1,2})\.[ \t]?(\d{1,2})\.[ \t]?(\d{4})$")
_NAMED = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th|\.)?[ \t]+(?:of[ \t]+)?([^\W\d_]{3,10})\.?"
    r"|([^\W\d_]{3,10})\.?[ \t]+(\d{1,2})(?:st|nd|rd|th)?),?[ \t]+(\d{4})$",
    re.IGNORECASE,
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar j\u00e4n j\u00e4nner",
            "feb february februar",
            "mar march m\u00e4r m\u00e4rz mrz",
            "apr april",
            "may mai",
            "jun june juni",
            "jul july juli",
            "aug august",
            "sep sept september",
            "oct october okt oktober",
            "nov november",
            "dec december dez dezember",
        ),
        start=1,
    )
    for name in names.split()
}
_EARLIEST, _LATEST = 1970, 2200
_MOMENT = re.compile(
    r"(\d{4}-\d{1,2}-\d{1,2}[T \t]+\d{1,2}:\d{2}(?::\d{2})?)[ \t]*"
    r"(?:(Z|UTC|[-+]\d{2}:?\d{2})|([A-Za-z_]+(?:/[A-Za-z0-9_+-]+){1,2}))?"
)
_UNSAID = timezone(timedelta(0), "unsaid")


def zone(name: str) -> tzinfo:
    """Give the time zone of an IANA name; raises UserError for an unknown one."""
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        said = f"There is no time zone \u201c{name}\u201d; write a name like Europe/Berlin."
        raise UserError(Problem(said, key="time_zone")) from None


def is_zone(name: str | None) -> bool:
    """Say whether this is the name of a time zone, or none was named."""
    try:
        return name is None or zone(name) is not None
    except UserError:
        return False


def read_date(value: Any, local: tzinfo) -> datetime | None:
    """Give the instant, or None when it cannot be read or lies outside 1970 to 2200."""
    try:
        found = _read(value, local)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return found if found and _EARLIEST <= found.year < _LATEST else None


@dataclass(frozen=True, slots=True)
class Moment:
    """A date and an hour as an author wrote them: what the wall clock shows (naive), and the zone, if one is named."""

    local: datetime
    zone: str | None = None


def read_moment(value: Any) -> Moment | None:
    """Give the moment of `2026-12-01 08:00`, perhaps with an IANA zone or an offset behind it; None if it is none."""
    if isinstance(value, datetime):
        return _moment(value, None) if _EARLIEST <= value.year < _LATEST else None
    if not isinstance(value, str) or len(value) > 80:
        return None
    match = _MOMENT.fullmatch(value.strip())
    found = read_date(match[1] + (match[2] or ""), _UNSAID) if match else None
    return _moment(found, match[3]) if found and match else None


def _moment(found: datetime, name: str | None) -> Moment:
    if found.tzinfo is not None and found.tzinfo is not _UNSAID:
        return Moment(found.astimezone(UTC).replace(tzinfo=None), "UTC")
    return Moment(found.replace(tzinfo=None), name)


def _read(value: Any, local: tzinfo) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=local)
    if isinstance(value, date):
        return datetime.combine(value, time(), local)
    if not isinstance(value, str) or len(value) > 60:
        return None
    return _parsed(value.strip(), local)


def _parsed(text: str, local: tzinfo) -> datetime | None:
    match = _ISO.match(text)
    if match:
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        return datetime(year, month, day, hour, minute, second, tzinfo=_offset(match[7], local))
    match = _EAST.match(text)
    if match:
        return datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=local)
    match = _GERMAN.match(text)
    if match:
        return datetime(int(match[3]), int(match[2]), int(match[1]), tzinfo=local)
    match = _NAMED.match(text)
    if match:
        month = _MONTHS.get((match[2] or match[3]).lower(), 0)
        return datetime(int(match[5]), month, int(match[1] or match[4]), tzinfo=local)
    found = parsedate_to_datetime(text)
    return found if found.tzinfo else found.replace(tzinfo=local)


def _offset(text: str | None, local: tzinfo) -> tzinfo:
    if not text:
        return local
    if text.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    zone_ = datetime.strptime(f"{text[0]}{digits}", "%z").tzinfo
    return zone_ or local
