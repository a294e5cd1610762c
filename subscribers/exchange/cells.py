"""Values of a file become values that both databases can hold: stripped, bounded, in NFC, freed of what they cannot.

Pure. A cell that begins with an apostrophe and then with =, +, - or @ is one that an export made harmless for
spreadsheets, and loses it again.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from functools import lru_cache
from typing import Any

from subscribers.exchange.columns import unguarded
from subscribers.profile import ATTRIBUTES_LENGTH, TOO_DEEP, clean_tags, composed, is_too_deep

MOST_TAGS = 100
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


class Unfit(Exception):  # noqa: N818 - it is what the record is
    """The record cannot be taken; its text is the reason."""


def text_of(cell: str) -> str:
    """Give a cell as text that can be stored."""
    cell = composed(unguarded(cell))
    return cell if cell.isprintable() else _UNSTORABLE.sub("", cell)


def said(value: Any) -> str:
    """Give one value of JSON as a cell; raises Unfit for a list or an object."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (str, int, float)):
        return text_of(str(value).strip())
    raise Unfit("a list or an object stands where one value is expected")


def storable(value: Any) -> Any:
    """Give JSON that both databases can hold; raises Unfit."""
    if is_too_deep(value):
        raise Unfit(TOO_DEEP)
    return _storable(value)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        value = composed(value)
        return value if value.isprintable() else _UNSTORABLE.sub("", value)
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {text_of(key): _storable(each) for key, each in value.items()}
    if isinstance(value, float) and value - value != 0:
        raise Unfit("an attribute is no number that JSON knows")
    return value


def object_of(value: Any) -> dict[str, Any]:
    """Give the attributes that a cell of JSON, or a value of it, holds; raises Unfit."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else {}
        except (ValueError, RecursionError):
            raise Unfit("the attributes are no JSON object") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unfit("the attributes are no JSON object")
    stored: dict[str, Any] = storable(value)
    return stored


def json_of(attributes: dict[str, Any]) -> str:
    """Give attributes as they are stored; raises Unfit for what is too much."""
    try:
        text = _dumps(attributes)
    except (ValueError, RecursionError):
        raise Unfit("the attributes are no JSON") from None
    if len(text) > ATTRIBUTES_LENGTH:
        size = len(json.dumps(attributes, ensure_ascii=False))
        if size > ATTRIBUTES_LENGTH:
            raise Unfit(f"the attributes take {size:,} characters; {ATTRIBUTES_LENGTH:,} are the most")
    return text


_dumps = json.JSONEncoder().encode  # as SQLAlchemy writes it


def tags_of(value: Any) -> tuple[str, ...]:
    """Give the tags of a cell, or of a list of words; raises Unfit for anything else."""
    if not value:
        return ()
    if isinstance(value, str):
        return _tags_of_cell(value)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Unfit("the tags are no list of words")
    return clean_tags(text_of(each) for each in value)[:MOST_TAGS]


@lru_cache(maxsize=4096)  # a file has few different cells of tags
def _tags_of_cell(cell: str) -> tuple[str, ...]:
    if cell.startswith("["):  # as an export writes those that hold a comma
        with suppress(ValueError, RecursionError):
            told = json.loads(cell)
            if isinstance(told, list) and all(isinstance(each, str) for each in told):
                return clean_tags(map(text_of, told))[:MOST_TAGS]
    words = (word.strip().strip('"') for word in re.split(r"[,;]", text_of(cell)))
    return clean_tags(words)[:MOST_TAGS]
