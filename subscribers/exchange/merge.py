"""A chunk of candidates meets the database: two questions, the verdicts, and the rows that follow.

One chunk is one transaction of the caller. Ids are taken from the database's own counters beforehand, so that
all rows of a chunk go in with one statement a table; a counter never goes back, so no id is ever given twice.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, text

from subscribers.audience import in_force, reaches
from subscribers.exchange.bulk import dumps, insert_rows
from subscribers.exchange.columns import Standing
from subscribers.exchange.intake import network_of
from subscribers.exchange.updates import add_tags, update_people
from subscribers.exchange.verdict import SUPPRESSES, Known, Verdict, judge
from subscribers.status import ConsentKind, Scope, SubscriptionState
from subscribers.suppression import suppress
from subscribers.tables import (
    addresses,
    consents,
    subscribers,
    subscriptions,
    suppressions,
)
from subscribers.tables import tags as tags_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from subscribers.exchange.intake import Candidate
    from subscribers.exchange.target import Target


def merge(connection: Connection, candidates: Sequence[Candidate], target: Target) -> Counter[Verdict]:
    """Take in a chunk, and count what became of it.

    Of two records with one address the second updates what the first made.
    """
    _make_room(connection)
    counts: Counter[Verdict] = Counter()
    waiting = list(candidates)
    while waiting:
        batch: dict[str, Candidate] = {}
        again: list[Candidate] = []
        for candidate in waiting:
            taken = batch.setdefault(candidate.address.normalized, candidate)
            again += [candidate] if taken is not candidate else []
        counts += _merge_distinct(connection, batch, target)
        # What is only counted would look new a second time.
        waiting = again if target.import_id is not None else []
        if target.import_id is None:
            counts[Verdict.UNCHANGED] += len(again)
    return counts


def _make_room(connection: Connection) -> None:
    """Let SQLite hold the addresses' index in memory, and write to the file less often.

    Addresses come in no order, so with its usual 2 MB it would read and write a page for each.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA cache_size = -49152")
        connection.exec_driver_sql("PRAGMA wal_autocheckpoint = 8000")


def _merge_distinct(connection: Connection, batch: dict[str, Candidate], target: Target) -> Counter[Verdict]:
    known = _known(connection, list(batch), target.list_id)
    hashes = {candidate.address.hash(target.hash_key): name for name, candidate in batch.items()}
    suppressed = _suppressed(connection, hashes, target)
    tags = _tags(connection, batch, known)
    none: frozenset[str] = frozenset()
    verdicts: dict[Verdict, list[tuple[Candidate, bytes]]] = {}
    for hash_, name in hashes.items():
        candidate, person = batch[name], known.get(name)
        mine = tags.get(person.subscriber_id, none) if person else none
        verdict = judge(candidate, person, suppressed.get(name), mine)
        verdicts.setdefault(verdict, []).append((candidate, hash_))
    if target.import_id is not None:
        _apply(connection, verdicts, known, tags, target)
    return Counter({verdict: len(found) for verdict, found in verdicts.items()})


def _known(connection: Connection, names: list[str], list_id: int) -> dict[str, Known]:
    on_this_list = (subscriptions.c.subscriber_id == subscribers.c.id) & (subscriptions.c.list_id == list_id)
    query = (
        select(
            addresses.c.normalized,
            subscribers.c.id,
            addresses.c.state,
            subscriptions.c.state,
            subscribers.c.name,
            subscribers.c.language,
            subscribers.c.time_zone,
            subscribers.c.attributes,
        )
        .select_from(
            addresses.join(subscribers, subscribers.c.id == addresses.c.subscriber_id).outerjoin(
                subscriptions, on_this_list
            )
        )
        .where(addresses.c.normalized.in_(names))
    )
    return {row[0]: Known(*row[1:]) for row in connection.execute(query)}


def _suppressed(connection: Connection, hashes: dict[bytes, str], target: Target) -> dict[str, str]:
    query = select(suppressions.c.hash, suppressions.c.reason).where(
        suppressions.c.hash.in_(list(hashes)), in_force(target.now), reaches(target.list_id)
    )
    return {hashes[bytes(row[0])]: row[1] for row in connection.execute(query)}


def _tags(
    connection: Connection, batch: dict[str, Candidate], known: dict[str, Known]
) -> dict[int, frozenset[str]]:
    ids = [person.subscriber_id for name, person in known.items() if batch[name].tags]
    if not ids:
        return {}
    found: dict[int, set[str]] = {}
    for subscriber_id, tag in connection.execute(
        select(tags_table).where(tags_table.c.subscriber_id.in_(ids))
    ):
        found.setdefault(subscriber_id, set()).add(tag)
    return {subscriber_id: frozenset(tags) for subscriber_id, tags in found.items()}


def _apply(
    connection: Connection,
    verdicts: dict[Verdict, list[tuple[Candidate, bytes]]],
    known: dict[str, Known],
    tags: dict[int, frozenset[str]],
    target: Target,
) -> None:
    added = verdicts.get(Verdict.ADDED, [])
    ids = _take_ids(connection, len(added))
    strangers = [(each, candidate) for each, (candidate, _) in zip(ids, added, strict=True)]
    joined = _with_known(verdicts.get(Verdict.JOINED, ()), known)
    updated = _with_known(verdicts.get(Verdict.UPDATED, ()), known)
    _add_people(connection, ids, added, target)
    add_tags(connection, ((each, candidate.tags) for each, candidate in strangers))
    _subscribe(connection, strangers + [(person.subscriber_id, each) for each, person in joined], target)
    update_people(connection, joined + updated, tags, target)
    _suppress(connection, (each for found in verdicts.values() for each in found), target)


def _with_known(
    found: Iterable[tuple[Candidate, bytes]], known: dict[str, Known]
) -> list[tuple[Candidate, Known]]:
    return [(candidate, known[candidate.address.normalized]) for candidate, _ in found]


def _take_ids(connection: Connection, count: int) -> Sequence[int]:
    """Take ids off the counter of subscribers."""
    if not count:
        return ()
    if connection.dialect.name == "postgresql":
        counter = func.nextval(func.pg_get_serial_sequence("subscribers", "id"))
        return connection.scalars(select(counter).select_from(func.generate_series(1, count))).all()
    # The write lock is ours: nobody takes an id between this and the INSERT, which moves the counter.
    last = connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = 'subscribers'")) or 0
    return range(last + 1, last + 1 + count)


def _add_people(
    connection: Connection, ids: Sequence[int], added: Sequence[tuple[Candidate, bytes]], target: Target
) -> None:
    people, places = [], []
    for subscriber_id, (candidate, hash_) in zip(ids, added, strict=True):
        name, language, time_zone = candidate.name, candidate.language, candidate.time_zone
        address = candidate.address
        people.append((subscriber_id, name, language, time_zone, dumps(candidate.attributes)))
        places.append((subscriber_id, address.email, address.normalized, address.domain, hash_))
    insert_rows(
        connection,
        subscribers,
        ("id", "name", "language", "time_zone", "attributes"),
        people,
        import_id=target.import_id,
        created_at=target.now,
        updated_at=target.now,
    )
    columns = ("subscriber_id", "email", "normalized", "domain", "hash")
    insert_rows(connection, addresses, columns, places, changed_at=target.now)


def _subscribe(connection: Connection, people: Sequence[tuple[int, Candidate]], target: Target) -> None:
    """Make people readers, paused ones where they were paused, and write down by what right."""
    active = [(each,) for each, candidate in people if candidate.standing is not Standing.PAUSED]
    paused = [
        {"subscriber_id": each, "paused_until": _moment(candidate.paused_until)}
        for each, candidate in people
        if candidate.standing is Standing.PAUSED
    ]
    same = {"list_id": target.list_id, "joined_at": target.now, "changed_at": target.now}
    insert_rows(
        connection, subscriptions, ("subscriber_id",), active, state=SubscriptionState.ACTIVE.value, **same
    )
    if paused:
        rows = [{**same, "state": SubscriptionState.PAUSED, **each} for each in paused]
        connection.execute(insert(subscriptions), rows)
    proofs = [
        (each, *_PROVEN_BY_FILE) if candidate.evidence is None else (each, *_proof(candidate.evidence))
        for each, candidate in people
    ]
    insert_rows(
        connection,
        consents,
        ("subscriber_id", "network", "evidence"),
        proofs,
        list_id=target.list_id,
        kind=ConsentKind.IMPORTED.value,
        basis=target.basis,
        at=target.now,
        import_id=target.import_id,
    )


_PROVEN_BY_FILE = (None, None)


def _proof(evidence: dict[str, str]) -> tuple[str | None, str]:
    return network_of(evidence), dumps(evidence)


def _moment(told: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(told or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _suppress(connection: Connection, judged: Iterable[tuple[Candidate, bytes]], target: Target) -> None:
    by_standing: dict[Standing, list[bytes]] = {}
    for candidate, hash_ in judged:
        if candidate.standing in SUPPRESSES:
            by_standing.setdefault(candidate.standing, []).append(hash_)
    keys = {Scope.LIST: target.list_key, Scope.BRAND: target.brand, Scope.EVERYTHING: ""}
    for standing, hashes in by_standing.items():
        scope, reason, _ = SUPPRESSES[standing]
        suppress(
            connection,
            hashes,
            scope=scope,
            scope_key=keys[scope],
            reason=reason,
            now=target.now,
            evidence=f"{standing} in the file of import {target.import_id}",
            import_id=target.import_id,
        )
