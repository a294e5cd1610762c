"""Four mailboxes and three lists, for a machine: the clock, who reads what, and what must hold after each step."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
)
from sqlalchemy import select, true

import subscribers
from subscribers import tables
from subscribers.status import (
    GRANTS,
    ConsentKind,
)
from tests.subscribers.shadow import Shadow

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Engine

HASH_KEY = b"k" * 32
LISTS = ("main", "beta", "gamma")
BRANDS = {"main": "", "beta": "acme", "gamma": "acme"}
EMAILS = tuple(f"p{number}@example.org" for number in range(4))
ENDS = {ConsentKind.WITHDRAWN, ConsentKind.COMPLAINED, ConsentKind.UNDONE}
LINES = select(tables.consents).order_by(tables.consents.c.id)


def reads(person: subscribers.Person) -> set[str]:
    """Give the lists that somebody reads, or would but for a pause."""
    return {each.list_key for each in person.subscriptions if each.state in {"active", "paused"}}


def empty(engine) -> None:
    with engine.begin() as connection:
        for table in reversed(subscribers.metadata.sorted_tables):
            connection.execute(table.delete())


class Mailboxes(RuleBasedStateMachine):
    """What befalls them stands in befalling.py; `shadow` is our own notebook of it."""

    engine: ClassVar[Engine]
    seen: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        empty(self.engine)
        self.now = datetime(2026, 7, 14, tzinfo=UTC)
        self.shadow = Shadow(BRANDS)
        self.ids: set[int] = set()
        self.dead_ids: set[int] = set()
        self.folder = tempfile.TemporaryDirectory()
        with self.engine.begin() as connection:
            subscribers.ensure_lists(connection, LISTS, self.tick(), brands=BRANDS)

    def teardown(self) -> None:
        self.folder.cleanup()

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    @contextmanager
    def somebody(self, email: str | int) -> Iterator[tuple[Any, Any, set[str]]]:
        """Give a transaction, who has an address (or an id), and what they read; (…, None, …) for nobody."""
        with self.engine.begin() as connection:
            if isinstance(email, int):
                there = select(tables.addresses.c.id).where(tables.addresses.c.subscriber_id == email)
                person = subscribers.get(connection, email) if connection.scalar(there) else None
            else:
                person = subscribers.find(connection, email)
            yield connection, person, reads(person) if person else set()

    def reaches(self, connection, person_id: int, keys: Iterable[str]) -> bool:
        """Whether somebody is mailed by all of these lists now."""
        ids = subscribers.list_ids(connection)
        return all(
            person_id
            in {row.subscriber_id for row in connection.execute(subscribers.audience(ids[key], self.now))}
            for key in keys
        )

    def die(self, person_id: int) -> None:
        self.dead_ids.add(person_id)
        self.shadow.end(person_id)

    @rule(hours=st.sampled_from([1, 12, 40, 7 * 24, 15 * 24]))
    def time_passes(self, hours) -> None:
        """Old requests go, and nobody who ever was a reader."""
        self.now += timedelta(hours=hours)
        with self.engine.begin() as connection:
            known = {
                each
                for each in connection.scalars(select(tables.consents.c.subscriber_id).distinct())
                if any(line.kind in GRANTS for line in subscribers.consents_of(connection, each))
            }
            _, gone = subscribers.expire_signups(connection, self.tick())
            subscribers.expire_moves(connection, self.now)
            assert not known & set(gone)
        for each in gone:
            self.die(each)

    def reads_now(self, email) -> set[str]:
        with self.somebody(email) as (_, _, read):
            return read

    def everybody(self) -> set[int]:
        with self.engine.connect() as connection:
            return set(connection.scalars(select(tables.addresses.c.subscriber_id)))

    @invariant()
    def nobody_comes_back(self) -> None:
        with self.engine.connect() as connection:
            lines = connection.execute(LINES).all()
            counted = 0
            for key, list_id in subscribers.list_ids(connection).items():
                rows = connection.execute(subscribers.audience(list_id, self.now)).all()
                for row in rows:
                    assert not self.shadow.forbids(row.subscriber_id, row.email, key, self.now)
                    said = [
                        each.kind
                        for each in lines
                        if each.subscriber_id == row.subscriber_id and each.list_id in {list_id, None}
                    ]
                    words = [kind for kind in said if kind in GRANTS | ENDS]
                    assert words
                    assert words[-1] in GRANTS
                counts = subscribers.audience_counts(connection, list_id, self.now)
                stopped = counts.paused + counts.suppressed + counts.unreachable
                assert (counts.readers, counts.active) == (len(rows), len(rows) + stopped)
                counted += len(rows)
            self.seen["readers"] += counted

    @invariant()
    def asked_one_by_one_they_are_the_same(self) -> None:
        people, held = tables.subscribers.alias("people"), tables.addresses.alias("held")
        pairs = select(people.c.id, held.c.email).join(held, true())
        with self.engine.connect() as connection:
            for list_id in subscribers.list_ids(connection).values():
                together = connection.execute(subscribers.audience(list_id, self.now)).all()
                still = subscribers.still_reached(list_id, self.now, people.c.id, held.c.email)
                one_by_one = connection.execute(pairs.where(still.correlate(people, held).exists())).all()
                assert sorted(one_by_one) == sorted((row.subscriber_id, row.email) for row in together)

    @invariant()
    def ids_never_return(self) -> None:
        with self.engine.connect() as connection:
            now = set(connection.scalars(select(tables.addresses.c.subscriber_id)))
        assert not self.dead_ids & now
        fresh = now - self.ids
        assert not fresh or not self.ids or min(fresh) > max(self.ids)
        self.ids |= fresh
