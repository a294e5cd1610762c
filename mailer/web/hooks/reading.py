"""Reading what strangers post: bounded JSON, text of bounded length, times, tokens. Raises nothing but Refused."""

from __future__ import annotations

import hashlib
import json
import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from mailer.feedback.model import Evidence
from mailer.web.hooks.model import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST: Final = 2000  # characters of one value that are kept
MOST_EVENTS: Final = 5000  # of one post
AHEAD: Final = timedelta(minutes=5)  # how far a provider's clock may be in front of ours

_TOKEN: Final = re.compile(r"\+([0-9A-Fa-f]{20,64})@")
_FIELD: Final = re.compile(
    r"^X-Newsletter-Delivery:[ \t]*([0-9A-Fa-f]{20,64})[ \t]*\r?$", re.MULTILINE | re.IGNORECASE
)
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")


def parsed(body: bytes) -> Any:
    """Give the JSON of a body; raises Refused for what is none, or nests too deep."""
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        raise Refused(400, "not-json", "the body is no JSON in UTF-8") from None


def objects(value: Any) -> Sequence[Mapping[str, Any]]:
    """Give a list of objects as it is; a batch with anything else in it is refused whole."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Refused(400, "not-events", "the body is no list of events")
    if len(value) > MOST_EVENTS:
        raise Refused(413, "too-many", f"more than {MOST_EVENTS:,} events at once")
    return value


def table(value: Any, *path: str) -> Mapping[str, Any]:
    """Give the object at a path below a value, or an empty one."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def rows(value: Any, name: str) -> list[Any]:
    """Give the list that an object has under a name, or an empty one."""
    found = value.get(name) if isinstance(value, dict) else None
    return found[:MOST_EVENTS] if isinstance(found, list) else []


def words(value: Any, *names: str) -> str:
    """Give the first of these names that an object has, as one line of bounded text."""
    for name in names:
        found = value.get(name) if isinstance(value, dict) else None
        if isinstance(found, (str, int, float)) and not isinstance(found, bool) and found != "":
            return _CONTROLS.sub(" ", str(found)[:LONGEST]).strip()
    return ""


def moment(value: Any, *names: str) -> datetime | None:
    """Give the time that an object has under one of these names: ISO 8601, or seconds since 1970."""
    text = words(value, *names)
    return _seconds(text) or _iso(text)


def _iso(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _seconds(text: str) -> datetime | None:
    try:
        number = float(text)
        return datetime.fromtimestamp(number, UTC) if math.isfinite(number) else None
    except (ValueError, OverflowError, OSError):
        return None


def fresh(stamp: datetime | None, now: datetime, window: timedelta) -> None:
    """Refuse what was signed too long ago, or is said to have been signed in the future."""
    if stamp is None:
        raise Refused(403, "no-time", "the time of signing is missing")
    if stamp < now - window or stamp > now + AHEAD:
        raise Refused(403, "stale", "signed too long ago, or in the future")


def token_of(address: str) -> str:
    """Give the token that stands behind the + of one of our return paths, or ''."""
    found = _TOKEN.search(address[:400])
    return found[1].lower() if found else ""


def delivery_of(header: str) -> str:
    """Give the token of our own field in a returned header, or ''."""
    found = _FIELD.search(header[:65_536])
    return found[1].lower() if found else ""


def digest(*parts: bytes) -> str:
    """Give a key for what a provider gives no name: a hash of all of it."""
    joined = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hashlib.sha256(joined).hexdigest()


def evidence(
    provider: str, *, token: str = "", envid: str = "", message_id: str = "", relay_id: str = ""
) -> Evidence:
    """Give evidence of bounded length."""
    return Evidence(token[:100], envid[:100], message_id[:400], relay_id[:200], provider)
