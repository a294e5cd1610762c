"""A batch of candidates meets the database: three questions, the verdicts, and the rows that follow.

It is part of the caller's transaction. Ids are taken from the database's own counters beforehand, so that
all rows of a batch go in with one statement a table; a counter never goes back, so no id is ever given twice.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import text

from subscribers.exchange.bulk import insert_rows
from subscribers.exchange.fields import Standing
from subscribers.exchange.questions import known_people, known_tags, suppressed_people
from subscribers.exchange.reviving import revive
from subscribers.exchange.subscribing import subscribe
from subscribers.exchange.updates import add_tags, fold, update_people
from subscribers.exchange.verdict import SUPPRESSES, Known, Verdict, judge, may_revive, too_much
from subscribers.holding import hold_all
from subscribers.status import Scope
from subscribers.suppression import suppress
from subscribers.tables import addresses, subscribers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from subscribers.exchange.intake import Candidate
    from subscribers.exchange.target import Target

_CHANGING = (Verdict.JOINED, Verdict.UPDATED)


def merge(
    connection: Connection,
    candidates: Sequence[Candidate],
    target: Target,
    reviving: Callable[[str], None] | None = None,
) -> Counter[Verdict]:
    """Take in a batch, and count what became of it; `reviving` is told the address of each who is brought back.

    Of two records with one address the second updates what the first made; they are folded into one before
    anything is asked or written, so that a file which says a thing twice says it once.
    """
    counts: Counter[Verdict] = Counter()
    waiting: Sequence[Candidate] = candidates
    while waiting:
        batch, folded, waiting = _distinct(waiting)
        found = _merge_distinct(connection, batch, target)
        for verdict, members in found.items():
            counts[verdict] += len(members)
        if reviving is not None:
            for each in found.get(Verdict.REVIVED, ()):
                reviving(each.email)
        if folded:
            told = {each.normalized: verdict for verdict, members in found.items() for each in members}
            counts.update(_of_twin(told[name], changed=changed) for name, changed in folded)
        if target.import_id is None:  # what is only counted would look new a second time
            counts[Verdict.UNCHANGED] += len(waiting)
            break
    return counts


def _distinct(
    candidates: Sequence[Candidate],
) -> tuple[dict[str, Candidate], list[tuple[str, bool]], list[Candidate]]:
    """Give one candidate for each address, (address, whether it told anything new) of each that was folded in.

    Last come those who cannot be folded, because they stand otherwise than the first, or both tell too much: they are
    for another time.
    """
    batch: dict[str, Candidate] = {}
    folded: list[tuple[str, bool]] = []
    others: list[Candidate] = []
    for each in candidates:
        first = batch.setdefault(each.normalized, each)
        if first is each:
            continue
        if first.standing != each.standing or too_much(each.attributes, first.attributes):
            others.append(each)
            continue
        batch[each.normalized] = both = fold(first, each)
        folded.append((each.normalized, both != first))
    return batch, folded, others


def _of_twin(verdict: Verdict, *, changed: bool) -> Verdict:
    """Say what became of a record that was folded into one of which this became."""
    if verdict in {Verdict.ADDED, Verdict.JOINED, Verdict.UPDATED, Verdict.REVIVED}:
        return Verdict.UPDATED if changed else Verdict.UNCHANGED
    return verdict


def _merge_distinct(
    connection: Connection, batch: dict[str, Candidate], target: Target
) -> dict[Verdict, list[Candidate]]:
    known, tags, verdicts = _judged(connection, batch, target)
    if target.import_id is None:
        return verdicts
    changing = {each.normalized: each for verdict in _CHANGING for each in verdicts.get(verdict, ())}
    if changing and connection.dialect.name == "postgresql":
        # Held, they are asked for again: who was erased meanwhile gets nothing back.
        hold_all(connection, [known[name].subscriber_id for name in changing])
        known, tags, again = _judged(connection, changing, target)
        for verdict in _CHANGING:
            verdicts.pop(verdict, None)
        for verdict, members in again.items():
            verdicts.setdefault(verdict, []).extend(members)
    _apply(connection, verdicts, known, tags, target)
    return verdicts


def _judged(
    connection: Connection, batch: Mapping[str, Candidate], target: Target
) -> tuple[dict[str, Known], dict[int, frozenset[str]], dict[Verdict, list[Candidate]]]:
    """Ask what is known of everybody, give it, and what becomes of them."""
    known = known_people(connection, list(batch), target.list_id)
    suppressed = suppressed_people(connection, batch, target)
    tags = known_tags(
        connection, [person.subscriber_id for name, person in known.items() if batch[name].tags]
    )
    none: frozenset[str] = frozenset()
    verdicts: dict[Verdict, list[Candidate]] = {}
    for name, candidate in batch.items():
        person = known.get(name)
        mine = tags.get(person.subscriber_id, none) if person else none
        verdict = judge(candidate, person, suppressed.get(name), mine)
        if target.repeat and verdict is Verdict.UPDATED:
            verdict = Verdict.UNCHANGED
        elif target.revive and may_revive(candidate, person, verdict):
            verdict = Verdict.REVIVED
        verdicts.setdefault(verdict, []).append(candidate)
    return known, tags, verdicts


def _apply(
    connection: Connection,
    verdicts: dict[Verdict, list[Candidate]],
    known: dict[str, Known],
    tags: dict[int, frozenset[str]],
    target: Target,
) -> None:
    added = verdicts.get(Verdict.ADDED, [])
    ids = _take_ids(connection, len(added))
    _add_people(connection, ids, added, target)
    joined = [(each, known[each.normalized]) for each in verdicts.get(Verdict.JOINED, ())]
    updated = [(each, known[each.normalized]) for each in verdicts.get(Verdict.UPDATED, ())]
    subscribe(connection, list(zip(ids, added, strict=True)), target, fresh=True)
    subscribe(connection, [(person.subscriber_id, each) for each, person in joined], target)
    update_people(connection, joined + updated, tags, target)
    revive(connection, verdicts.get(Verdict.REVIVED, ()), target)
    if not target.repeat:  # whom it named has been suppressed, and may have signed up again since
        _suppress(connection, (each for found in verdicts.values() for each in found), target)


_NEXT = """
WITH counter AS MATERIALIZED (SELECT pg_get_serial_sequence('subscribers', 'id')::regclass AS oid)
SELECT nextval(counter.oid) FROM counter, generate_series(1, %s)
"""


def _take_ids(connection: Connection, count: int) -> Sequence[int]:
    """Take ids off the counter of subscribers."""
    if not count:
        return ()
    if connection.dialect.name == "postgresql":
        # The counter is looked up once, and not for each id: that would cost more than the id.
        taken = connection.exec_driver_sql(_NEXT, (count,))
        return [row[0] for row in taken]
    # The write lock is ours: nobody takes an id between this and the INSERT, which moves the counter.
    last = connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = 'subscribers'")) or 0
    return range(last + 1, last + 1 + count)


def _add_people(
    connection: Connection, ids: Sequence[int], added: Sequence[Candidate], target: Target
) -> None:
    people, places = [], []
    for subscriber_id, (
        email, normalized, domain, hash_, name, language, time_zone, attributes, *_
    ) in zip(ids, added, strict=True):  # fmt: skip
        people.append((subscriber_id, name, language, time_zone, attributes))
        places.append((subscriber_id, email, normalized, domain, hash_))
    columns: tuple[str, ...] = ("id", "name", "language", "time_zone", "attributes")
    made = {"import_id": target.import_id, "created_at": target.now, "updated_at": target.now}
    insert_rows(connection, subscribers, columns, people, **made)
    columns = ("subscriber_id", "email", "normalized", "domain", "hash")
    insert_rows(connection, addresses, columns, places, changed_at=target.now)
    add_tags(connection, ((each, candidate.tags) for each, candidate in zip(ids, added, strict=True)))


def _suppress(connection: Connection, judged: Iterable[Candidate], target: Target) -> None:
    by_standing: dict[str, list[bytes]] = {}
    for candidate in judged:
        if candidate.standing in SUPPRESSES:
            by_standing.setdefault(candidate.standing, []).append(candidate.hash)
    keys = {Scope.LIST: target.list_key, Scope.BRAND: target.brand, Scope.EVERYTHING: ""}
    for standing, hashes in by_standing.items():
        scope, reason, _ = SUPPRESSES[Standing(standing)]
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
