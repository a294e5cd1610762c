"""The number and the slug of an issue: from front matter, title and file name.

A number in the title or the file name counts when something marks it as one: "#72", "No. 5", a number before a
colon, one that ends the file name. Years, versions, "Top 10" and "100,000" are none. Two candidates that differ are
for the author to settle: nothing outranks anything.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KEYS = ("issue", "number", "issue_number", "issuenumber", "issue_no", "no")
_WORDS = (
    r"issue|issues|number|num|no|nr|n\u00ba|n\u00b0|\u2116|edition|episode|ep|vol|volume|"
    r"ausgabe|nummer|folge|heft|num\u00e9ro|\u00e9dition|n\u00famero|edici\u00f3n|edi\u00e7\u00e3o|numero|edizione|"
    r"\u0432\u044b\u043f\u0443\u0441\u043a|\u043d\u043e\u043c\u0435\u0440|nummer|utgave|"
    r"\u0627\u0644\u0639\u062f\u062f|\u0639\u062f\u062f|\u0634\u0645\u0627\u0631\u0647|\u0634\u0645\u0627\u0631\u0629|\u05d2\u05d9\u05dc\u05d9\u05d5\u05df|\u05de\u05e1\u05e4\u05e8|"
    r"\u0905\u0902\u0915"
)
_N = r"(\d{1,6})(?![\d]|[.,:]\d|[\u066b\u066c]\d|%|\w)"
_MARKED = re.compile(
    rf"(?:(?<![\w&/])[#\uff03][ \t]?|(?<!\w)(?:{_WORDS})(?:[.:]?[ \t]*[#\uff03]?[ \t]*|[ \t]+(?:no|nr)\.?[ \t]*)){_N}",
    re.IGNORECASE,
)
_RANKED = re.compile(
    r"(?:the|a|an|your|our|my|his|her|their|is|as|top|ranked|rank|der|die|das)[ \t]+$", re.IGNORECASE
)
_SERIES = re.compile(
    rf"(?<!\w)(?:newsletter|digest|weekly)[ \t]+{_N}(?=[ \t]*(?:$|[:\uff1a,.|\u2013\u2014-]))", re.IGNORECASE
)
_EAST = re.compile(
    r"\u7b2c[ \t]*(\d{1,6}|[\u3007\u96f6\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341\u767e\u5343]{1,9})"
    r"[ \t]*[\u671f\u53f7\u865f\u56de\u520a\u8f91\u8f2f\u5f3e\u96c6\u5c4a]"
    r"|(?<![\d.])(\d{1,6})[ \t]*\u53f7(?=$|[\s:\uff1a])|\uc81c?[ \t]*(\d{1,6})[ \t]*\ud638"
)
_BARE = re.compile(rf"([^\W\d_][^\n:\uff1a]{{1,60}}?)[ \t]+{_N}[ \t]*(?=[:\uff1a\u2013\u2014|]|-[ \t])")
_NEVER = (
    "top best part version v python ios windows android chapter day days week level step apollo covid phase round "
    "article section web gpt claude llama gemini ubuntu debian php vue angular rails django html css java mac macos "
    "chat usb route area formula boeing airbus series season page rule lesson figure table option plan tip tips ces "
    "january february march april may june july august september october november december under over about "
    "jan feb mar apr jun jul aug sep sept oct nov dec the"
)
_NO_ISSUE = frozenset(_NEVER.split())
_DATE = re.compile(
    r"(?:19|20)\d{2}(?:[-_.]?(?:0[1-9]|1[0-2])(?:[-_.]?(?:0[1-9]|[12]\d|3[01]))?)(?![\d])[-_. T]*"
)
_LEADING = re.compile(r"#?(\d{1,6})(?=$|[-_. ])")
_TRAILING = re.compile(r"(?:^|.*[-_. ])([^\W\d_]+)[-_. ]*#?(\d{1,6})$")
_HAN = {c: n for n, c in enumerate("\u3007\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d")} | {
    "\u96f6": 0
}
_TENS = {"\u5341": 10, "\u767e": 100, "\u5343": 1000}
_UNSAFE = re.compile(r"[^\w.~-]+")
_FILE_DATE = re.compile(r"((?:19|20)\d{2})[-_.]?(\d{2})[-_.]?(\d{2})(?!\d)")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number and the place that it stands in: "the title", "the file name", "issue: in the front matter"."""

    number: int
    place: str


def candidates(values: Mapping[str, Any], title: str, file: str) -> tuple[Candidate, ...]:
    """Give every number the file claims, in the order front matter, title, file name."""
    found = [
        Candidate(number, f"\u201c{key}:\u201d in the front matter") for key, number in _declared(values)
    ]
    in_title = number_of_title(title)
    if in_title is not None:
        found.append(Candidate(in_title, f"the title \u201c{title[:60]}\u201d"))
    in_name = number_of_name(file)
    if in_name is not None:
        found.append(Candidate(in_name, f"the file name \u201c{name_of(file)}\u201d"))
    return tuple(found)


def agreed(found: Sequence[Candidate]) -> int | None:
    """Give the number on which all candidates agree, else None."""
    numbers = {candidate.number for candidate in found}
    return numbers.pop() if len(numbers) == 1 else None


def disagreement(found: Sequence[Candidate]) -> str | None:
    """Say where each number comes from, if there are two."""
    if len({candidate.number for candidate in found}) < 2:
        return None
    places = " and ".join(f"{candidate.number} from {candidate.place}" for candidate in found)
    return f"Two numbers for one issue: {places}. Make them agree."


def number_of_title(title: str) -> int | None:
    """Give the number of a title like "Last Week #72", "No. 5 of the Gazette" or "Weekly 165: Faces"."""
    title = title[:300]
    for match in _MARKED.finditer(title):
        # "No 5" numbers an issue, "no 5 people agree" does not.
        if not match[0].startswith("no ") and not _RANKED.search(title[: match.start()]):
            return int(match[1])
    series = _SERIES.search(title)
    if series and not _year(series[1]):
        return int(series[1])
    east = _EAST.search(title)
    if east:
        return _eastern(east[1] or east[2] or east[3])
    bare = _BARE.match(title)
    if bare and not _year(bare[2]) and bare[1].split()[-1].lower().strip("'\u2019.,") not in _NO_ISSUE:
        return int(bare[2])
    return None


def number_of_name(file: str) -> int | None:
    """Give the number of a file name, after a leading date is taken off."""
    name = undated(name_of(file))[:200]
    marked = number_of_title(name.replace("-", " ").replace("_", " ")) if not name.isdecimal() else None
    if marked is not None:
        return marked
    leading = _LEADING.match(name)
    if leading and not _year(leading[1]):
        return int(leading[1])
    trailing = _TRAILING.match(name)
    if trailing and not _year(trailing[2]) and trailing[1].lower() not in _NO_ISSUE:
        return int(trailing[2])
    return None


def name_of(file: str) -> str:
    """Give the name without folders and extension; a page bundle (`my-post/index.md`) has its folder's name."""
    parts = file.replace("\\", "/").rstrip("/").split("/")
    stem = parts[-1].rsplit(".", 1)[0] if "." in parts[-1][1:] else parts[-1]
    return parts[-2] if stem in {"index", "_index"} and len(parts) > 1 else stem


def undated(name: str) -> str:
    """Take a leading date off a file name; a name that is nothing else stays."""
    rest = _DATE.sub("", name, count=1) if _DATE.match(name) else name
    return rest or name


def date_of_name(file: str) -> str | None:
    """Give the date that leads a file name, as 2024-07-01."""
    match = _FILE_DATE.match(name_of(file))
    return "-".join(match.groups()) if match else None


def slug_of(values: Mapping[str, Any], file: str) -> str:
    """Give the slug: front matter, the last part of the permalink, or the undated file name; never empty."""
    slug = values.get("slug")
    if isinstance(slug, str | int) and not isinstance(slug, bool) and _slugged(str(slug)):
        return _slugged(str(slug))
    link = values.get("permalink")
    if isinstance(link, str) and not re.search(r"[:{]\w", link.split("://")[-1]):
        last = link.split("?")[0].split("#")[0].rstrip("/").split("/")[-1]
        last = re.sub(r"\.html?$", "", last)
        if _slugged(last):
            return _slugged(last)
    return _slugged(undated(name_of(file))) or "issue"


def _slugged(text: str) -> str:
    text = unicodedata.normalize("NFC", text).strip()
    return _UNSAFE.sub("-", text).strip("-.")[:120].lower()


def _declared(values: Mapping[str, Any]) -> list[tuple[str, int]]:
    found = []
    for key, value in values.items():
        if str(key).lower().replace("-", "_") in _KEYS and not isinstance(value, bool):
            number = read_number(value)
            if number is not None:
                found.append((str(key), number))
    return found


def read_number(value: Any) -> int | None:
    """Give the number of a front matter value: 72, "72", "#72", "No. 72"."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 1_000_000 else None
    if not isinstance(value, str):
        return None
    match = re.fullmatch(rf"(?:{_WORDS})?\.?[ \t]*[#\uff03]?[ \t]*(\d{{1,6}})", value.strip(), re.IGNORECASE)
    return int(match[1]) if match else None


def _year(digits: str) -> bool:
    return len(digits) == 4 and 1900 <= int(digits) < 2100


def _eastern(text: str) -> int | None:
    if text.isdecimal():
        return int(text)
    total = unit = 0
    for char in text:
        if char in _TENS:
            total += (unit or 1) * _TENS[char]
            unit = 0
        else:
            unit = unit * 10 + _HAN.get(char, 0)
    return total + unit
