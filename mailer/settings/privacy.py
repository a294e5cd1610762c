"""How long the newsletter remembers: spans of time as a person writes them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator

_UNITS: Final = {
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=365.25 / 12),
    "year": timedelta(days=365.25),
}
_SPAN: Final = re.compile(r"(\d{1,4}) *(day|week|month|year)s?", re.IGNORECASE)


def span(text: object) -> timedelta:
    """Read `30 days`, `24 months`, `2 years`, or raise ValueError. A month is a twelfth of a year."""
    if isinstance(text, timedelta):
        return text
    found = _SPAN.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None or not int(found[1]):
        raise ValueError(f'{text!r} is no span of time; write "24 months", "90 days" or "2 years"')
    return int(found[1]) * _UNITS[found[2].lower()]


SpanValue = Annotated[timedelta, BeforeValidator(span)]
