"""What is known of a person beside the address: cleaned, bounded and merged.

Values from outside are text, numbers, booleans, null, and lists and objects of these. Control characters go,
names are one line, and no person holds more than 16 KB of attributes: a profile is read for every message. All
text is kept in NFC (UAX 15), so that what looks the same is the same: to a segment, a tag, a second import.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from sqlalchemy import delete, insert, select, update

from subscribers.errors import SubscribersError, UnknownSubscriber
from subscribers.holding import hold
from subscribers.status import PersonState
from subscribers.tables import subscribers
from subscribers.tables import tags as tags_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

NAME_LENGTH = 200
TAG_LENGTH = 64
ATTRIBUTES_LENGTH = 16_384
ATTRIBUTES_DEPTH = 20
TOO_DEEP = f"the attributes are nested more than {ATTRIBUTES_DEPTH} levels deep"

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_NOUGHT = re.compile(r"(\\\\)|\\u0000")  # of JSON; a backslash that is escaped begins none
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*\Z")


@dataclass(frozen=True, slots=True)
class Profile:
    """What is to be set. What is empty leaves what is known alone."""

    name: str = ""
    language: str | None = None
    time_zone: str | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


def composed(text: str) -> str:
    """Give a text in NFC."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def clean_line(text: str, length: int = NAME_LENGTH) -> str:
    """Give the text on one line in NFC, without control characters, cut to `length`."""
    text = composed(text)
    if text.isprintable():
        return text.strip()[:length]
    return _CONTROLS.sub(" ", text).strip()[:length]


@lru_cache(maxsize=1024)  # few are different
def clean_language(text: str | None) -> str | None:
    """Give a BCP 47 tag in its usual case (`de`, `pt-BR`), or None if it is none."""
    text = (text or "").strip()
    if len(text) > 35 or not _LANGUAGE.match(text):
        return None
    first, *rest = text.replace("_", "-").split("-")
    return "-".join([first.lower(), *(part.upper() if len(part) == 2 else part for part in rest)])


@lru_cache(maxsize=1024)
def clean_time_zone(text: str | None) -> str | None:
    """Give the name of a time zone (`Europe/Vienna`), or None if there is none of that name."""
    name = (text or "").strip()
    return name if name and name in _zones() else None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Give the tags on one line each, without empty ones and doubles, in order."""
    return tuple(dict.fromkeys(clean for tag in tags if (clean := clean_line(tag, TAG_LENGTH))))


def is_too_deep(value: object) -> bool:
    """Tell whether attributes nest deeper than whoever reads them follows. Not recursive: they may nest very deep."""
    level = [value]
    for _ in range(ATTRIBUTES_DEPTH + 1):
        level = [inner for each in level for inner in _within(each)]
    return bool(level)


def _within(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def clean_attributes(attributes: Mapping[str, object]) -> dict[str, object]:
    """Give attributes that can be stored; raises SubscribersError for those that are too many, too deep or no JSON."""
    if is_too_deep(dict(attributes)):
        raise SubscribersError(TOO_DEEP)
    try:
        text = json.dumps(attributes, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise SubscribersError(f"the attributes cannot be stored: {error}") from None
    if len(text) > ATTRIBUTES_LENGTH:
        raise SubscribersError(
            f"the attributes take {len(text):,} characters; {ATTRIBUTES_LENGTH:,} are the most"
        )
    # As one text: nothing that JSON itself is written in joins with what stands beside it.
    cleaned: dict[str, object] = json.loads(composed(_NOUGHT.sub(r"\1", text)))
    return cleaned


def cleaned(profile: Profile) -> Profile:
    """Give the profile with every value cleaned; raises SubscribersError."""
    return Profile(
        clean_line(profile.name),
        clean_language(profile.language),
        clean_time_zone(profile.time_zone),
        clean_attributes(profile.attributes),
        clean_tags(profile.tags),
    )


def merge_profile(connection: Connection, subscriber_id: int, profile: Profile, now: datetime) -> bool:
    """Add what the profile says to what is known; give whether anything changed.

    Raises UnknownSubscriber, and SubscribersError for attributes that together are too many.
    """
    profile = cleaned(profile)
    known = subscribers.c
    columns = (known.name, known.language, known.time_zone, known.attributes)
    mine = (known.id == subscriber_id, known.state == PersonState.PRESENT)
    hold(connection, subscriber_id)
    row = connection.execute(select(*columns).where(*mine)).first()
    if row is None:
        raise UnknownSubscriber(f"nobody has the id {subscriber_id}")
    merged: dict[str, Any] = {
        "name": profile.name or row.name,
        "language": profile.language or row.language,
        "time_zone": profile.time_zone or row.time_zone,
        "attributes": _joined(row.attributes, profile.attributes),
    }
    changed = merged != row._asdict()
    if changed:
        values = {**merged, "updated_at": now}
        connection.execute(update(subscribers).where(known.id == subscriber_id).values(values))
    tagged = set_tags(connection, subscriber_id, {*_tags(connection, subscriber_id), *profile.tags})
    return changed or tagged


def set_profile(
    connection: Connection,
    subscriber_id: int,
    now: datetime,
    *,
    name: str | None = None,
    language: str | None = None,
    time_zone: str | None = None,
    attributes: Mapping[str, object] | None = None,
) -> bool:
    """Set what a person says of themselves; None leaves alone, "" empties. Give whether anything changed.

    Attributes are added to those there are; one that is None goes. Raises UnknownSubscriber, and SubscribersError for
    attributes that cannot be stored.
    """
    known = subscribers.c
    columns = (known.name, known.language, known.time_zone, known.attributes)
    hold(connection, subscriber_id)
    row = connection.execute(select(*columns).where(known.id == subscriber_id)).first()
    if row is None:
        raise UnknownSubscriber(f"nobody has the id {subscriber_id}")
    wanted = {
        "name": row.name if name is None else clean_line(name),
        "language": row.language if language is None else clean_language(language),
        "time_zone": row.time_zone if time_zone is None else clean_time_zone(time_zone),
        "attributes": _changed(row.attributes, attributes or {}),
    }
    if wanted == row._asdict():
        return False
    statement = update(subscribers).where(known.id == subscriber_id, known.state == PersonState.PRESENT)
    return bool(connection.execute(statement.values(**wanted, updated_at=now)).rowcount)


def _joined(known: Mapping[str, object], said: Mapping[str, object]) -> dict[str, object]:
    return clean_attributes({**known, **said}) if said else dict(known)


def _changed(known: Mapping[str, object], said: Mapping[str, object]) -> dict[str, object]:
    merged = {
        name: value for name, value in {**known, **said}.items() if value is not None or name not in said
    }
    return clean_attributes(merged) if said else dict(known)


def _tags(connection: Connection, subscriber_id: int) -> set[str]:
    query = select(tags_table.c.tag).where(tags_table.c.subscriber_id == subscriber_id)
    return set(connection.scalars(query))


def set_tags(connection: Connection, subscriber_id: int, wanted: Iterable[str]) -> bool:
    """Let someone have exactly these tags; give whether that changed anything."""
    now, then = set(clean_tags(wanted)), _tags(connection, subscriber_id)
    if gone := then - now:
        mine = tags_table.c.subscriber_id == subscriber_id
        connection.execute(delete(tags_table).where(mine, tags_table.c.tag.in_(gone)))
    if new := now - then:
        connection.execute(
            insert(tags_table), [{"subscriber_id": subscriber_id, "tag": tag} for tag in sorted(new)]
        )
    return bool(gone or new)
