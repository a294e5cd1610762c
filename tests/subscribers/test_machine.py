"""Whatever happens in whatever order: nobody who left becomes mailable without a new, recorded consent."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

import subscribers
from subscribers import tables
from subscribers.status import GRANTS, SUBSCRIPTION_MOVES, AddressState, ConsentKind, SubscriptionState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Engine

HASH_KEY = b"k" * 32
LISTS = ("main", "beta")
EMAILS = tuple(f"p{number}@example.org" for number in range(2))
ENDS = {ConsentKind.WITHDRAWN, ConsentKind.COMPLAINED, ConsentKind.UNDONE}
emails = st.sampled_from(EMAILS)
lists = st.sampled_from(LISTS)
records = st.lists(
    st.tuples(emails, st.sampled_from(["active", "unsubscribed", "complained", "paused"])), max_size=4
)
some_list = st.sampled_from((*LISTS, None))


def empty(engine) -> None:
    with engine.begin() as connection:
        for table in reversed(subscribers.metadata.sorted_tables):
            connection.execute(table.delete())


class Machine(RuleBasedStateMachine):
    """Our own notebook of who must not be mailed until somebody says so.

    `gone` are (address, list) pairs that left; `barred` are addresses that are dead, erased, left behind or
    complained, whatever the list.
    """

    engine: ClassVar[Engine]
    imports = Bundle("imports")

    def __init__(self) -> None:
        super().__init__()
        empty(self.engine)
        self.now = datetime(2026, 7, 14, tzinfo=UTC)
        self.gone: set[tuple[str, str]] = set()
        self.barred: set[str] = set()
        self.carried: dict[int, set[tuple[str, str]]] = {}
        self.ids: dict[int, str] = {}
        self.states: dict[tuple[int, int], SubscriptionState] = {}
        self.dead_ids: set[int] = set()
        self.folder = tempfile.TemporaryDirectory()
        with self.engine.begin() as connection:
            subscribers.ensure_lists(connection, LISTS, self.tick(), brands={"beta": "acme"})

    def teardown(self) -> None:
        self.folder.cleanup()

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def leave(self, email: str, keys: Iterable[str]) -> None:
        """Somebody left by themselves: no undoing of an import changes that."""
        self.gone |= {(email, key) for key in keys}
        for said in self.carried.values():
            said -= {(email, key) for key in keys}

    @rule(email=emails, key=lists, revive=st.booleans())
    def add(self, email, key, revive) -> None:
        with self.engine.begin() as connection:
            try:
                subscribers.add(
                    connection,
                    email=email,
                    list_key=key,
                    now=self.tick(),
                    hash_key=HASH_KEY,
                    basis="asked",
                    revive=revive,
                )
            except subscribers.WillNotRevive:
                assert not revive
                return
        if revive:
            self.gone.discard((email, key))
            self.barred.discard(email)

    @rule(target=imports, rows=records, key=lists)
    def import_(self, rows, key) -> int:
        path = Path(self.folder.name) / "people.csv"
        lines = [f"{email},{status},{len(self.ids)}\n" for email, status in rows]
        path.write_text("email,status,n\n" + "".join(lines))
        result = subscribers.import_file(
            self.engine.begin,
            path,
            list_key=key,
            basis="form",
            now=self.tick(),
            hash_key=HASH_KEY,
            rejects=Path(self.folder.name),
        )
        self.carried[result.id] = {
            (email, key) for email, status in rows if status in {"unsubscribed", "complained"}
        } - self.gone
        self.gone |= self.carried[result.id]
        return result.id

    @rule(import_id=imports)
    def undo(self, import_id) -> None:
        """What an import alone said, its undoing takes back; nothing else comes back."""
        try:
            subscribers.undo_import(self.engine.begin, import_id, self.tick())
        except subscribers.SubscribersError:
            return
        others = set().union(*(said for each, said in self.carried.items() if each != import_id))
        self.gone -= self.carried.pop(import_id, set()) - others

    def person(self, connection, email) -> subscribers.Person | None:
        return subscribers.find(connection, email)

    @rule(email=emails, key=some_list)
    def unsubscribe(self, email, key) -> None:
        with self.engine.begin() as connection:
            if person := self.person(connection, email):
                self.leave(email, subscribers.unsubscribe(connection, person.id, key, self.tick(), "page"))

    @rule(email=emails, key=lists)
    def complain(self, email, key) -> None:
        with self.engine.begin() as connection:
            if person := self.person(connection, email):
                left = subscribers.complain(connection, person.id, key, self.tick(), "fbl")
                self.leave(email, {*left, key})
                self.barred.add(email)

    @rule(email=emails)
    def lose(self, email) -> None:
        with self.engine.begin() as connection:
            if person := self.person(connection, email):
                subscribers.lose(connection, person.id, self.tick(), "5.1.1")
                self.barred.add(email)

    @rule(email=emails)
    def erase(self, email) -> None:
        with self.engine.begin() as connection:
            if person := self.person(connection, email):
                self.leave(email, [each.list_key for each in person.subscriptions])
                subscribers.erase(connection, person.id, self.tick())
                self.dead_ids.add(person.id)
                self.barred.add(email)

    @rule(email=emails, key=some_list, days=st.sampled_from([None, 1]))
    def pause(self, email, key, days) -> None:
        with self.engine.begin() as connection:
            if person := self.person(connection, email):
                until = days and self.now + timedelta(days=days)
                subscribers.pause(connection, person.id, key, self.tick(), "page", until)

    @rule(email=emails, key=some_list)
    def resume(self, email, key) -> None:
        with self.engine.begin() as connection:
            if person := self.person(connection, email):
                subscribers.resume(connection, person.id, key, self.tick(), "page")

    @rule(email=emails, other=emails)
    def move(self, email, other) -> None:
        with self.engine.begin() as connection:
            person = self.person(connection, email)
            if person is None:
                return
            dead = person.address_state is AddressState.UNREACHABLE
            try:
                subscribers.move(connection, person.id, other, now=self.tick(), hash_key=HASH_KEY, how="page")
            except (subscribers.AddressTaken, subscribers.WillNotRevive):
                return
        if other != email:
            # The old mailbox gets nothing; the new one is as free of mail as the old one was, unless that was dead.
            self.gone = {pair for pair in self.gone if pair[0] != other}
            self.leave(other, [key for key in LISTS if (email, key) in self.gone])
            self.barred.discard(other)
            if email in self.barred and not dead:
                self.barred.add(other)
            self.barred.add(email)

    @rule()
    def time_passes(self) -> None:
        self.now += timedelta(days=2)

    @invariant()
    def nobody_comes_back(self) -> None:
        with self.engine.connect() as connection:
            for key, list_id in subscribers.list_ids(connection).items():
                for row in connection.execute(subscribers.audience(list_id, self.now)).all():
                    assert (row.email, key) not in self.gone
                    assert row.email not in self.barred
                    said = [
                        each.kind
                        for each in subscribers.consents_of(connection, row.subscriber_id)
                        if each.list_key in {key, None}
                    ]
                    grants = [place for place, kind in enumerate(said) if kind in GRANTS]
                    ends = [place for place, kind in enumerate(said) if kind in ENDS]
                    assert grants
                    assert not ends or grants[-1] > ends[-1]

    @invariant()
    def ids_never_return(self) -> None:
        with self.engine.connect() as connection:
            now = dict(
                connection.execute(select(tables.addresses.c.subscriber_id, tables.addresses.c.id)).all()
            )
        assert not self.dead_ids & set(now)
        fresh = set(now) - set(self.ids)
        assert not fresh or not self.ids or min(fresh) > max(self.ids)
        self.ids |= dict.fromkeys(fresh, "")

    @invariant()
    def moves_are_allowed(self) -> None:
        """What changed in one step is in the table of moves, or two of its moves in a row."""
        with self.engine.connect() as connection:
            c = tables.subscriptions.c
            rows = connection.execute(select(c.subscriber_id, c.list_id, c.state)).all()
        now = {(row[0], row[1]): SubscriptionState(row[2]) for row in rows}
        for key, state in now.items():
            before = self.states.get(key, state)
            assert state is before or state in SUBSCRIPTION_MOVES[before]
        self.states = now

    @invariant()
    def counts_add_up(self) -> None:
        with self.engine.connect() as connection:
            for list_id in subscribers.list_ids(connection).values():
                counts = subscribers.audience_counts(connection, list_id, self.now)
                assert counts.readers == len(
                    connection.execute(subscribers.audience(list_id, self.now)).all()
                )
                assert (
                    counts.active == counts.readers + counts.paused + counts.suppressed + counts.unreachable
                )


@pytest.mark.parametrize(
    ("engine", "examples"),
    [
        ("sqlite", 15),
        pytest.param("sqlite", 100, marks=pytest.mark.slow),
        pytest.param("postgresql", 15, marks=pytest.mark.slow),
    ],
    indirect=["engine"],
)
def test_nobody_comes_back(engine, examples):
    """The machine finds no way back for anybody who left, on either database."""
    # Not shrunk: a run of databases takes minutes to shrink, and twenty steps can be read.
    quiet = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
    machine = type("MachineOfOneDatabase", (Machine,), {"engine": engine})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=quiet,
        ),
    )
