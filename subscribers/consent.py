"""The evidence: who may be mailed by what right, and what they said since. It only grows, but for erasure.

Every move of a subscription writes one line here, in the same transaction, so that a receipt can be read off
it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from subscribers.network import network_prefix
from subscribers.profile import clean_line
from subscribers.status import ConsentKind
from subscribers.tables import consents, lists

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Evidence:
    """How something came about: the network prefix and agent it came from, and whatever else proves it."""

    network: str | None = None
    agent: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)


NO_EVIDENCE = Evidence()
AGENT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Consent:
    """One line of the evidence."""

    list_key: str | None
    kind: ConsentKind
    basis: str
    at: datetime
    network: str | None
    agent: str | None
    evidence: Mapping[str, object] | None
    import_id: int | None


def record(
    connection: Connection,
    subscriber_id: int,
    list_ids: Iterable[int | None],
    kind: ConsentKind,
    basis: str,
    now: datetime,
    evidence: Evidence = NO_EVIDENCE,
) -> None:
    """Write one line for each list. Of where it came from only the network's prefix is kept."""
    row = {
        "subscriber_id": subscriber_id,
        "kind": kind,
        "basis": basis,
        "at": now,
        "network": network_prefix(evidence.network),
        "agent": clean_line(evidence.agent or "", AGENT_LENGTH) or None,
        "evidence": dict(evidence.details) or None,
    }
    if rows := [{"list_id": list_id, **row} for list_id in list_ids]:
        connection.execute(insert(consents), rows)


def consents_of(connection: Connection, subscriber_id: int) -> tuple[Consent, ...]:
    """Give a person's evidence, oldest first."""
    columns = [lists.c.key, *(consents.c[name] for name in list(Consent.__dataclass_fields__)[1:])]
    query = (
        select(*columns)
        .select_from(consents.outerjoin(lists, lists.c.id == consents.c.list_id))
        .where(consents.c.subscriber_id == subscriber_id)
        .order_by(consents.c.id)
    )
    return tuple(Consent(row[0], ConsentKind(row[1]), *row[2:]) for row in connection.execute(query))
