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
from sqlalchemy import select, text

import subscribers
from subscribers import ConfirmOutcome, Evidence, Form, MoveOutcome, SignUpOutcome, tables
from subscribers.status import (
    ADDRESS_MOVES,
    GRANTS,
    PERSON_MOVES,
    SUBSCRIPTION_MOVES,
    AddressState,
    ConsentKind,
    Reason,
    SubscriptionState,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Engine

HASH_KEY = b"k" * 32
LISTS = ("main", "beta", "gamma")
BRANDS = {"main": "", "beta": "acme", "gamma": "acme"}
EMAILS = tuple(f"p{number}@example.org" for number in range(3))
FORM = Form("1", "Get the news. Leave with one click.")
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


TABLES_OF_MOVES = {
    "subscribers": PERSON_MOVES,
    "addresses": ADDRESS_MOVES,
    "subscriptions": SUBSCRIPTION_MOVES,
}


def guard(engine) -> None:
    """Let the database itself refuse every change of a state that stands in no table of moves."""
    with engine.begin() as connection:
        for table, moves in TABLES_OF_MOVES.items():
            allowed = ", ".join(f"'{old}>{new}'" for old, targets in moves.items() for new in targets)
            wrong = f"NEW.state <> OLD.state AND OLD.state || '>' || NEW.state NOT IN ({allowed})"
            if engine.dialect.name == "sqlite":
                body = "BEGIN SELECT RAISE(ABORT, 'a move that is in no table'); END"
                statement = (
                    f"CREATE TRIGGER IF NOT EXISTS guard_{table} BEFORE UPDATE ON {table} WHEN {wrong} {body}"
                )
                connection.execute(text(statement))
                continue
            raising = "BEGIN RAISE EXCEPTION 'a move that is in no table'; END"
            function = (
                f"CREATE OR REPLACE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ {raising} $$"
            )
            connection.execute(text(function))
            when = f"BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({wrong}) EXECUTE FUNCTION guard()"
            connection.execute(text(f"CREATE OR REPLACE TRIGGER guard_{table} {when}"))


class Machine(RuleBasedStateMachine):
    """Our own notebook of who must not be mailed until somebody says so.

    `gone` are (address, list) pairs that left; `barred` are addresses that are dead, erased, left behind or
    complained, whatever the list; `angry` are (address, brand) pairs that complained; `blocked` are addresses that the
    operator shut out; `lately` is when a person left a list of their own accord.
    """

    engine: ClassVar[Engine]
    imports = Bundle("imports")
    signups = Bundle("signups")
    moves = Bundle("moves")

    def __init__(self) -> None:
        super().__init__()
        empty(self.engine)
        self.now = datetime(2026, 7, 14, tzinfo=UTC)
        self.gone: set[tuple[str, str]] = set()
        self.barred: set[str] = set()
        self.angry: set[tuple[str, str]] = set()
        self.blocked: set[str] = set()
        self.lately: dict[tuple[int, str], datetime] = {}
        self.carried: dict[int, set[tuple[str, str]]] = {}
        self.ids: dict[int, str] = {}
        self.states: dict[tuple[int, int], SubscriptionState] = {}
        self.dead_ids: set[int] = set()
        self.folder = tempfile.TemporaryDirectory()
        with self.engine.begin() as connection:
            subscribers.ensure_lists(connection, LISTS, self.tick(), brands=BRANDS)

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

    def welcome(self, email: str, keys: Iterable[str]) -> None:
        """Somebody is a reader of these lists again, by a word that was recorded."""
        self.gone -= {(email, key) for key in keys}
        self.angry -= {(email, BRANDS[key]) for key in keys}
        self.barred.discard(email)

    @rule(target=signups, email=emails, keys=st.sampled_from([["main"], ["beta"], ["beta", "gamma"]]))
    def sign_up(self, email, keys) -> subscribers.SignUp:
        with self.engine.begin() as connection:
            asked = subscribers.sign_up(
                connection, email=email, list_keys=keys, now=self.tick(), hash_key=HASH_KEY, form=FORM
            )
        assert (asked.outcome is SignUpOutcome.BLOCKED) <= (email in self.blocked)
        return asked

    @rule(asked=signups)
    def confirm(self, asked) -> None:
        if asked.id is None:
            return
        with self.engine.begin() as connection:
            words = (connection, asked.subscriber_id, asked.id, self.tick())
            seen = subscribers.look_at_sign_up(*words)
            done = subscribers.confirm(*words, Evidence("192.0.2.1", "x"))
            assert seen == done
            if done.outcome is ConfirmOutcome.CONFIRMED:
                email = subscribers.get(connection, asked.subscriber_id).email
                assert email == asked.email
                assert set(done.confirmed) <= set(asked.lists)
                self.welcome(email, done.confirmed)
                person = subscribers.get(connection, asked.subscriber_id)
                assert all(
                    person.subscription(key).state is SubscriptionState.ACTIVE for key in done.confirmed
                )

    @rule(asked=signups)
    def sign_up_again(self, asked) -> None:
        if asked.id is not None:
            with self.engine.begin() as connection:
                subscribers.sign_up_again(
                    connection, asked.subscriber_id, asked.id, now=self.tick(), hash_key=HASH_KEY
                )

    @rule(email=emails, key=some_list)
    def come_back(self, email, key) -> None:
        with self.engine.begin() as connection:
            if person := self.person(connection, email):
                back = subscribers.come_back(connection, person.id, key, self.tick())
                for each in back:
                    assert self.now - self.lately.pop((person.id, each)) < timedelta(hours=24)
                self.gone -= {(email, each) for each in back}

    @rule(days=st.sampled_from([0.5, 2, 15]))
    def time_passes(self, days) -> None:
        """Old requests go, and nobody who ever was a reader."""
        self.now += timedelta(days=days)
        with self.engine.begin() as connection:
            known = {
                each
                for each in connection.scalars(select(tables.consents.c.subscriber_id).distinct())
                if any(line.kind in GRANTS for line in subscribers.consents_of(connection, each))
            }
            _, gone = subscribers.expire_signups(connection, self.tick())
            subscribers.expire_moves(connection, self.now)
            assert not known & set(gone)
            self.dead_ids |= set(gone)

    @rule(email=emails, on=st.booleans())
    def block(self, email, on) -> None:
        """The operator's own word, and its end, for that block alone."""
        with self.engine.begin() as connection:
            if on:
                subscribers.block(connection, email, hash_key=HASH_KEY, now=self.tick())
                self.blocked.add(email)
                return
            hash_ = subscribers.address_hash(email, HASH_KEY)
            only = {"manual": True, "only": Reason.MANUAL}
            subscribers.lift(connection, hash_, now=self.tick(), why="asked", **only)
            self.blocked.discard(email)

    @rule(target=moves, email=emails, other=emails)
    def request_move(self, email, other) -> subscribers.AddressMove | None:
        with self.engine.begin() as connection:
            if person := self.person(connection, email):
                key = HASH_KEY
                return subscribers.request_move(connection, person.id, other, now=self.tick(), hash_key=key)
        return None

    @rule(move=moves, undo=st.booleans())
    def answer_move(self, move, undo) -> None:
        """The new mailbox confirms, or the old one takes back."""
        if move is None or move.id is None:
            return
        verb = subscribers.undo_move if undo else subscribers.confirm_move
        with self.engine.begin() as connection:
            person = (
                subscribers.get(connection, move.subscriber_id) if self.is_there(connection, move) else None
            )
            done = verb(connection, move.subscriber_id, move.id, now=self.tick(), hash_key=HASH_KEY)
        if done.outcome in {MoveOutcome.MOVED, MoveOutcome.UNDONE} and person.email != done.person.email:
            self.follow(person, done.person.email)

    def is_there(self, connection, move) -> bool:
        found = connection.scalar(
            select(tables.subscribers.c.id).where(tables.subscribers.c.id == move.subscriber_id)
        )
        return found is not None

    def follow(self, person, other) -> None:
        """Somebody's mail goes to another mailbox, which answered: what held for them holds there.

        What its owner had left before, they have left still, unless it is what they read now.
        """
        email = person.email
        reads = {each.list_key for each in person.subscriptions if each.state in {"active", "paused"}}
        dead = person.address_state is AddressState.UNREACHABLE
        self.gone -= {(other, key) for key in reads}
        self.leave(other, [key for key in LISTS if (email, key) in self.gone])
        self.angry -= {(other, BRANDS[key]) for key in reads}
        self.angry |= {(other, brand) for who, brand in self.angry if who == email}
        self.barred.discard(other)
        if email in self.barred and not dead:
            self.barred.add(other)
        self.barred.add(email)
        if email in self.blocked:
            self.blocked.add(other)

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
                assert not revive or email in self.blocked
                return
        if revive:
            self.welcome(email, [key])

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
                left = subscribers.unsubscribe(connection, person.id, key, self.tick(), "page")
                self.leave(email, left)
                self.lately |= {(person.id, each): self.now for each in left}

    @rule(email=emails, key=lists)
    def complain(self, email, key) -> None:
        with self.engine.begin() as connection:
            if person := self.person(connection, email):
                left = subscribers.complain(connection, person.id, key, self.tick(), "fbl")
                self.leave(email, left)
                self.angry.add((email, BRANDS[key]))
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

    @rule(email=emails, key=some_list, days=st.sampled_from([None, 1]), on=st.booleans())
    def pause(self, email, key, days, on) -> None:
        with self.engine.begin() as connection:
            if person := self.person(connection, email):
                until = days and self.now + timedelta(days=days)
                if on:
                    subscribers.pause(connection, person.id, key, self.tick(), "page", until)
                else:
                    subscribers.resume(connection, person.id, key, self.tick(), "page")

    @rule(email=emails, other=emails)
    def move(self, email, other) -> None:
        with self.engine.begin() as connection:
            person = self.person(connection, email)
            if person is None:
                return
            try:
                subscribers.move(connection, person.id, other, now=self.tick(), hash_key=HASH_KEY, how="page")
            except (subscribers.AddressTaken, subscribers.WillNotRevive):
                return
        if other != email:
            # The old mailbox gets nothing; the new one is as free of mail as the old one was, unless that was dead.
            self.follow(person, other)

    @invariant()
    def nobody_comes_back(self) -> None:
        with self.engine.connect() as connection:
            for key, list_id in subscribers.list_ids(connection).items():
                for row in connection.execute(subscribers.audience(list_id, self.now)).all():
                    assert (row.email, key) not in self.gone
                    assert (row.email, BRANDS[key]) not in self.angry
                    assert row.email not in self.barred
                    assert row.email not in self.blocked
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
        pytest.param("sqlite", 60, marks=pytest.mark.slow),
        pytest.param("postgresql", 15, marks=pytest.mark.slow),
    ],
    indirect=["engine"],
)
def test_nobody_comes_back(engine, examples):
    """The machine finds no way back for anybody who left, on either database."""
    # Not shrunk: a run of databases takes minutes to shrink, and twenty steps can be read.
    quiet = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
    machine = type("MachineOfOneDatabase", (Machine,), {"engine": engine})
    guard(engine)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=quiet,
        ),
    )
