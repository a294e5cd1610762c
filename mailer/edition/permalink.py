"""An issue's own address on the web, by the site's pattern: `/:year/:month/:day/:title/`. Pure.

The words are those of Jekyll. An address is given only where every word of the pattern is known and has a value: a
wrong link is worse than none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urljoin

from mailer.edition.address import web_root
from mailer.edition.frame import local_day

if TYPE_CHECKING:
    from datetime import date

    from mailer.edition.model import Masthead
    from mailer.issue.model import Issue

_WORD: Final = re.compile(r":([a-z_]+)")


def page_of(issue: Issue, masthead: Masthead) -> str | None:
    """Give the address that `masthead.permalink` gives the issue, or None."""
    base = web_root(masthead.base_url)
    if base is None or not masthead.permalink:
        return None
    day = local_day(issue.date, masthead.time_zone) if issue.date else None
    values = {**_values(issue), **_of_day(day)}
    found = [values.get(word) for word in _WORD.findall(masthead.permalink)]
    if None in found:
        return None
    path = _WORD.sub(lambda word: quote(values[word[1]] or "", safe="/"), masthead.permalink)
    return urljoin(base, re.sub("/{2,}", "/", path).lstrip("/"))


def _values(issue: Issue) -> dict[str, str | None]:
    return {
        "title": issue.slug or None,
        "slug": issue.slug or None,
        "number": None if issue.number is None else str(issue.number),
        "categories": _categories(issue),
    }


def _of_day(day: date | None) -> dict[str, str | None]:
    """Give the words of a date; without one they have no value."""
    if day is None:
        return {}
    return {
        "year": f"{day:%Y}",
        "short_year": f"{day:%y}",
        "month": f"{day:%m}",
        "day": f"{day:%d}",
        "i_month": str(day.month),
        "i_day": str(day.day),
        "y_day": f"{day:%j}",
    }


def _categories(issue: Issue) -> str:
    """Give `a/b` for the categories of the front matter, as Jekyll does; it may be empty."""
    value = issue.front_matter.get("categories", issue.front_matter.get("category", ""))
    words = value.split() if isinstance(value, str) else value if isinstance(value, (list, tuple)) else []
    return "/".join(str(word).lower() for word in words)
