"""What a record tells of how somebody stood, and since when, in the tool that wrote it. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from subscribers.exchange.cells import Unfit
from subscribers.exchange.fields import Field, Standing
from subscribers.profile import clean_line

if TYPE_CHECKING:
    from collections.abc import Mapping

EVIDENCE = frozenset({
    Field.JOINED_AT, Field.JOINED_FROM, Field.CONFIRMED_AT, Field.CONFIRMED_FROM, Field.CONSENT_BASIS,
})  # fmt: skip
_FROM = (Field.CONFIRMED_FROM, Field.JOINED_FROM)
TELLING = frozenset({
    Field.BOUNCED_AT, Field.LEFT_AT, Field.SUBSCRIBED, Field.DISABLED, Field.STATUS, Field.COMPLAINED,
})  # fmt: skip
_FALSE = frozenset({"false", "no", "off", "0", "f", "n", ""})
_TRUE = frozenset({"true", "yes", "on", "1", "t", "y"})
# ISO 8601, and what Go prints: 2021-01-01 10:00:00.123456 +0000 UTC.
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:([T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(Z|[+-]\d\d:?\d\d)?)?")
_LENGTH = 500  # of one piece of evidence

STRICTEST = (
    Standing.BLOCKED, Standing.COMPLAINED, Standing.BOUNCED, Standing.UNSUBSCRIBED,
    Standing.PENDING, Standing.PAUSED, Standing.ACTIVE,
)  # fmt: skip
"""Of two words about somebody the one that stands first here counts."""


def standing_of(fields: Mapping[Field, Any], otherwise: Standing, words: Mapping[str, Standing]) -> Standing:
    """Say how someone stood; the strictest word wins, and a word that nobody knows is no consent: Unfit."""
    if TELLING.isdisjoint(fields):
        return otherwise
    told = [otherwise]
    if fields.get(Field.COMPLAINED, "").lower() not in _FALSE:
        told.append(Standing.COMPLAINED)
    if Field.BOUNCED_AT in fields:
        told.append(Standing.BOUNCED)
    if Field.LEFT_AT in fields:
        told.append(Standing.UNSUBSCRIBED)
    if Field.SUBSCRIBED in fields:
        told.append(_subscribed(fields[Field.SUBSCRIBED], words))
    if fields.get(Field.DISABLED, "").lower() not in _FALSE:
        told.append(Standing.UNSUBSCRIBED)
    if word := fields.get(Field.STATUS):
        known = words.get(word.lower())
        if known is None:
            raise Unfit(f"the status {word[:40]!r} is not known: map the column, or leave it out with -")
        told.append(known)
    return min(told, key=STRICTEST.index)


def _subscribed(word: str, words: Mapping[str, Standing]) -> Standing:
    word = word.lower()
    if word in _FALSE:
        return Standing.UNSUBSCRIBED
    known = Standing.ACTIVE if word in _TRUE else words.get(word)
    if known is None:
        raise Unfit(
            f"subscribed: {word[:40]!r} is neither yes nor no: map the column, or leave it out with -"
        )
    return known


def evidence_of(fields: Mapping[Field, Any], tool: str | None) -> dict[str, str] | None:
    """Give what the file proves of the old opt-in; of its network the prefix alone."""
    if EVIDENCE.isdisjoint(fields):
        return None
    told = {
        field.value: _evidence(field, str(fields[field])) for field in sorted(EVIDENCE) if field in fields
    }
    return {name: value for name, value in told.items() if value} | ({"tool": tool} if tool else {})


def _evidence(field: Field, value: str) -> str:
    return prefix_of(value) or "" if field in _FROM else clean_line(value, _LENGTH)


def network_of(fields: Mapping[Field, Any]) -> str | None:
    """Give the prefix of the network that an old opt-in came from; that of the confirmation counts more."""
    return next(filter(None, (prefix_of(str(fields.get(field, ""))) for field in _FROM)), None)


@lru_cache(maxsize=1024)
def prefix_of(text: str) -> str | None:
    """Give the prefix of a network address: /24 of IPv4, /48 of IPv6; None for what is none."""
    try:
        address = ip_address(text.strip().partition("/")[0])
    except ValueError:
        return None
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))


@lru_cache(maxsize=1024)
def moment_of(told: str | None) -> datetime | None:
    """Give a moment that a file tells: ISO 8601, UTC where it names no zone; None for anything else."""
    found = _MOMENT.match((told or "").strip())
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat("".join(found.groups("")))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def joined_of(fields: Mapping[Field, Any]) -> str | None:
    """Give when somebody opted in, where the file tells it: the sign-up, else its confirmation."""
    for field in (Field.JOINED_AT, Field.CONFIRMED_AT):
        moment = moment_of(fields.get(field))
        if moment is not None:
            return moment.isoformat()
    return None
