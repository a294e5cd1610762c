"""Whatever happens in whatever order: nobody who left becomes mailable without a new, recorded consent."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, select, text

import subscribers
from subscribers import ConfirmOutcome, Evidence, Form, MoveOutcome, SignUpOutcome, tables
from subscribers.status import (
    ADDRESS_MOVES,
    GRANTS,
    PERSON_MOVES,
    SUBSCRIPTION_MOVES,
    AddressState,
    ConsentKind,
)
from tests.subscribers.shadow import Request, Shadow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Engine

HASH_KEY = b"k" * 32
LISTS = ("main", "beta", "gamma")
BRANDS = {"main": "", "beta": "acme", "gamma": "acme"}
EMAILS = tuple(f"p{number}@example.org" for number in range(4))
FORM = Form("1", "Get the news. Leave with one click.")
ENDS = {ConsentKind.WITHDRAWN, ConsentKind.COMPLAINED, ConsentKind.UNDONE}
LINES = select(tables.consents).order_by(tables.consents.c.id)
BETWEEN = (
    "", "", "unsubscribe", "complain", "lose", "erase", "block", "file", "move", "erase and add", "sign up and leave",
    "wait",
)  # fmt: skip
ENDINGS = (
    "unsubscribe", "complain", "lose", "erase", "block", "file", "file of complaints", "leave and sign up", "pause",
)  # fmt: skip
REGRETTED = ("", "", "", "complain", "complain elsewhere", "lose", "block", "file", "sign up and leave")
emails = st.sampled_from(EMAILS)
lists = st.sampled_from(LISTS)
records = st.lists(
    st.tuples(emails, st.sampled_from(["active", "unsubscribed", "complained", "paused"])), max_size=4
)
some_list = st.sampled_from((*LISTS, None))
some_lists = st.sampled_from([["main"], ["beta"], ["beta", "gamma"]])


def reads(person: subscribers.Person) -> set[str]:
    """Give the lists that somebody reads, or would but for a pause."""
    return {each.list_key for each in person.subscriptions if each.state in {"active", "paused"}}


def empty(engine) -> None:
    with engine.begin() as connection:
        for table in reversed(subscribers.metadata.sorted_tables):
            connection.execute(table.delete())


TABLES_OF_MOVES = {
    "subscribers": PERSON_MOVES,
    "addresses": ADDRESS_MOVES,
    "subscriptions": SUBSCRIPTION_MOVES,
}


def quicken(engine) -> None:
    """Nothing here must outlive a power cut."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        engine.dispose()


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
    """Three mailboxes, three lists, and whatever may befall them; `shadow` is our own notebook of it."""

    engine: ClassVar[Engine]
    seen: ClassVar[Counter[str]]
    imports = Bundle("imports")
    signups = Bundle("signups")
    moves = Bundle("moves")

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

    @initialize(target=signups, key=lists)
    def begin(self, key) -> Any:
        """The first has read for long, the second has asked: most of what can go wrong begins there."""
        self.add(EMAILS[0], key, revive=False)
        return self.sign_up(EMAILS[1], [key])

    @rule(target=signups, email=emails, keys=some_lists)
    def sign_up(self, email, keys) -> subscribers.SignUp:
        with self.engine.begin() as connection:
            words = {"now": self.tick(), "hash_key": HASH_KEY, "form": FORM}
            asked = subscribers.sign_up(connection, email=email, list_keys=keys, **words)
        assert (asked.outcome is SignUpOutcome.BLOCKED) == (email in self.shadow.blocked)
        self.note(asked)
        return asked

    def note(self, asked) -> None:
        if asked is not None and asked.id is not None:
            request = Request(asked.subscriber_id, asked.email, asked.lists, asked.expires_at)
            self.shadow.ask(asked.id, request)

    @rule(asked=signups)
    def confirm(self, asked) -> None:
        """The mailbox answers: what it asked for since it left it reads from now on, and nothing else."""
        if asked is None or asked.id is None:
            return
        with self.somebody(asked.subscriber_id) as (connection, person, read):
            words = (connection, asked.subscriber_id, asked.id, self.tick())
            seen = subscribers.look_at_sign_up(*words)
            done = subscribers.confirm(*words, Evidence("192.0.2.1", "x"))
            assert seen == done
            may = self.shadow.may_confirm(asked.id, read, self.now)
            assert set(done.confirmed) == may
            assert (done.outcome is ConfirmOutcome.CONFIRMED) == bool(may)
            if may:
                assert person.email == asked.email
                self.shadow.confirm(asked.id, may)
                assert self.reaches(connection, person.id, may)
            self.seen[f"confirm: {done.outcome}"] += 1

    @rule(target=signups, asked=signups)
    def sign_up_again(self, asked) -> subscribers.SignUp | None:
        if asked is None or asked.id is None:
            return None
        with self.engine.begin() as connection:
            words = (connection, asked.subscriber_id, asked.id)
            again = subscribers.sign_up_again(*words, now=self.tick(), hash_key=HASH_KEY)
        self.note(again)
        return again

    @rule(email=emails, key=some_list)
    def come_back(self, email, key) -> None:
        """Within a day, what they read and left by themselves; nothing that somebody else ended."""
        with self.somebody(email) as (connection, person, _):
            if person is None:
                return
            may = self.shadow.may_take_back(person.id, email, self.tick())
            assert set(subscribers.may_come_back(connection, person.id, self.now)) <= may
            back = subscribers.come_back(connection, person.id, key, self.now)
            assert set(back) <= may
            self.shadow.take_back(person.id, email, back)
            assert self.reaches(connection, person.id, back)
            self.seen["came back" if back else "did not come back"] += 1

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

    def die(self, person_id: int) -> None:
        self.dead_ids.add(person_id)
        self.shadow.end(person_id)

    @rule(email=emails)
    def block(self, email) -> None:
        """The operator's own word."""
        with self.engine.begin() as connection:
            subscribers.block(connection, email, hash_key=HASH_KEY, now=self.tick())
        self.shadow.blocked.add(email)

    @rule(email=emails)
    def unblock(self, email) -> None:
        """The end of a block, where nothing else lies on the address."""
        said = {who for who, _ in self.shadow.gone | self.shadow.angry} | self.shadow.barred
        if email not in self.shadow.blocked - said:
            return
        with self.engine.begin() as connection:
            hash_ = subscribers.address_hash(email, HASH_KEY)
            subscribers.lift(connection, hash_, now=self.tick(), why="asked", manual=True)
        self.shadow.blocked.discard(email)

    @rule(target=moves, email=emails, other=emails)
    def request_move(self, email, other) -> subscribers.AddressMove | None:
        with self.somebody(email) as (connection, person, _):
            if person is None:
                return None
            return subscribers.request_move(connection, person.id, other, now=self.tick(), hash_key=HASH_KEY)

    @rule(move=moves, undo=st.booleans())
    def answer_move(self, move, undo) -> None:
        """The new mailbox confirms, or the old one takes back."""
        if move is None or move.id is None:
            return
        verb = subscribers.undo_move if undo else subscribers.confirm_move
        with self.somebody(move.subscriber_id) as (connection, person, read):
            stranger = subscribers.find(connection, move.old_email if undo else move.email)
            done = verb(connection, move.subscriber_id, move.id, now=self.tick(), hash_key=HASH_KEY)
            self.seen[f"move: {done.outcome}"] += 1
            if done.outcome not in {MoveOutcome.MOVED, MoveOutcome.UNDONE}:
                return
            assert done.person.email == (move.old_email if undo else move.email)
            assert done.person.email not in self.shadow.blocked
        if person.email != done.person.email:
            if stranger is not None:
                assert not reads(stranger)
                self.die(stranger.id)
            self.follow(person, done.person.email, read)

    def follow(self, person, other, read) -> None:
        dead = person.address_state is AddressState.UNREACHABLE
        self.shadow.move(person.id, person.email, other, read, dead=dead)

    @rule(email=emails, other=emails)
    def move(self, email, other) -> None:
        """The operator's word moves somebody: to no mailbox that is somebody's, or must not be mailed."""
        with self.somebody(email) as (connection, person, read):
            if person is None:
                return
            words = {"now": self.tick(), "hash_key": HASH_KEY, "how": "cli"}
            try:
                subscribers.move(connection, person.id, other, **words)
            except (subscribers.AddressTaken, subscribers.WillNotRevive):
                return
        assert email == other or other not in self.shadow.blocked
        if other != email:
            self.follow(person, other, read)

    @rule(email=emails, key=lists, revive=st.booleans())
    def add(self, email, key, revive) -> None:
        now = self.tick()
        with self.somebody(email) as (connection, _, _):
            words = {"now": now, "hash_key": HASH_KEY, "basis": "asked", "revive": revive}
            try:
                made = subscribers.add(connection, email=email, list_key=key, **words)
            except subscribers.WillNotRevive:
                assert not revive or email in self.shadow.blocked
                return
            assert email not in self.shadow.blocked
            if revive:
                self.shadow.return_(email, [key])
            self.shadow.still({(made.id, key)})
            paused = made.subscription(key).state == "paused"  # which a file may have said, too
            assert paused or self.reaches(connection, made.id, [key])

    @rule(target=imports, rows=records, key=lists)
    def import_(self, rows, key, revive=False) -> int:
        path = Path(self.folder.name) / "people.csv"
        lines = [f"{email},{status},{self.now.timestamp()}\n" for email, status in rows]
        path.write_text("email,status,n\n" + "".join(lines))
        words = {"basis": "form", "now": self.tick(), "hash_key": HASH_KEY, "rejects": Path(self.folder.name)}
        shut = {email for email, _ in rows if self.shadow.shuts(email, key, revive=revive)}
        before = {email: self.reads_now(email) for email in shut}
        result = subscribers.import_file(self.engine.begin, path, list_key=key, revive=revive, **words)
        said = {(email, key) for email, status in rows if status in {"unsubscribed", "complained"}}
        self.shadow.file(result.id, said)
        for email in shut:
            assert self.reads_now(email) <= before[email]
        return result.id

    @rule(email=emails, key=lists)
    def bring_back(self, email, key) -> None:
        """The operator's file and flag: who was blocked, erased or moved away is not even so brought back."""
        with self.somebody(email) as (_, person, _):
            waits = person and (one := person.subscription(key)) and one.state == "pending"
        if not waits and email not in self.shadow.final | self.shadow.blocked:
            self.shadow.return_(email, [key])
        self.import_([(email, "active")], key, revive=True)
        with self.somebody(email) as (_, person, read):
            if person is not None and key in read:
                self.shadow.still({(person.id, key)})

    @rule(import_id=imports)
    def undo(self, import_id) -> None:
        """What an import alone said, its undoing takes back; nothing else comes back."""
        before = self.everybody()
        try:
            subscribers.undo_import(self.engine.begin, import_id, self.tick())
        except subscribers.SubscribersError:
            return
        self.shadow.undo(import_id)
        for each in before - self.everybody():
            self.die(each)

    def reads_now(self, email) -> set[str]:
        with self.somebody(email) as (_, _, read):
            return read

    def everybody(self) -> set[int]:
        with self.engine.connect() as connection:
            return set(connection.scalars(select(tables.addresses.c.subscriber_id)))

    @rule(email=emails, key=some_list)
    def unsubscribe(self, email, key) -> None:
        with self.somebody(email) as (connection, person, read):
            if person is not None:
                left = subscribers.unsubscribe(connection, person.id, key, self.tick(), "page")
                assert read & {key or each for each in LISTS} <= set(left)
                self.shadow.unsubscribe(person.id, email, left, read, self.now)

    @rule(email=emails, key=lists)
    def complain(self, email, key) -> None:
        with self.somebody(email) as (connection, person, read):
            if person is not None:
                left = subscribers.complain(connection, person.id, key, self.tick(), "fbl")
                assert read <= set(left)
                self.shadow.unsubscribe(person.id, email, left, set(), self.now)
                self.shadow.angry.add((email, BRANDS[key]))
                self.shadow.barred.add(email)

    @rule(email=emails)
    def lose(self, email) -> None:
        with self.somebody(email) as (connection, person, _):
            if person is not None:
                subscribers.lose(connection, person.id, self.tick(), "5.1.1")
                self.shadow.barred.add(email)

    @rule(email=emails)
    def erase(self, email) -> None:
        with self.somebody(email) as (connection, person, _):
            if person is not None:
                self.shadow.leave(email, [each.list_key for each in person.subscriptions])
                subscribers.erase(connection, person.id, self.tick())
                self.die(person.id)
                self.shadow.barred.add(email)
                self.shadow.final.add(email)

    @rule(email=emails, key=some_list, days=st.sampled_from([None, 1]))
    def pause(self, email, key, days) -> None:
        with self.somebody(email) as (connection, person, read):
            if person is not None:
                until = days and self.now + timedelta(days=days)
                held = subscribers.pause(connection, person.id, key, self.tick(), "page", until)
                assert set(held) == read & {key or each for each in LISTS}
                self.shadow.resting |= {(person.id, each): until for each in held}

    @rule(email=emails, key=some_list)
    def resume(self, email, key) -> None:
        with self.somebody(email) as (connection, person, read):
            if person is not None:
                back = subscribers.resume(connection, person.id, key, self.tick(), "page")
                assert set(back) <= read
                self.shadow.wake({(person.id, each) for each in back})

    # What chance seldom puts together, one after the other.

    @rule(target=signups, email=emails, keys=some_lists)
    def welcome(self, email, keys) -> subscribers.SignUp:
        """Somebody comes by their own word."""
        asked = self.sign_up(email, keys)
        self.confirm(asked)
        return asked

    @rule(email=emails, key=some_list, hours=st.sampled_from([0, 25]), between=st.sampled_from(REGRETTED))
    def regret(self, email, key, hours, between) -> None:
        """Somebody leaves, something happens or not, time passes or not, and the link to come back is pressed."""
        self.add(email, key or "main", revive=True)
        self.unsubscribe(email, key)
        self.happens(between, email, key or "main")
        self.now += timedelta(hours=hours)
        self.come_back(email, key)

    @rule(target=signups, email=emails, keys=some_lists, between=st.sampled_from(BETWEEN), other=emails)
    def old_link(self, email, keys, between, other) -> subscribers.SignUp:
        """Somebody signs up, something happens, and the link in the letter is pressed, twice."""
        asked = self.sign_up(email, keys)
        self.happens(between, email, keys[-1], other)
        self.confirm(asked)
        self.unsubscribe(email, keys[0])
        self.confirm(asked)
        return asked

    @rule(target=moves, email=emails, other=emails, between=st.sampled_from(BETWEEN))
    def wander(self, email, other, between) -> subscribers.AddressMove | None:
        """Somebody moves, something happens at either end, and the move is taken back."""
        move = self.request_move(email, other)
        self.answer_move(move, undo=False)
        self.happens(between, other, "main", email)
        self.answer_move(move, undo=True)
        return move

    @rule(target=imports, email=emails, key=lists, between=st.sampled_from(BETWEEN), again=st.booleans())
    def brought(self, email, key, between, again) -> int:
        """A file brings somebody, something happens, the file is taken back, and comes once more."""
        made = self.import_([(email, "active")], key)
        self.happens(between, email, key)
        self.undo(made)
        return self.import_([(email, "active")], key) if again else made

    @rule(email=emails, key=lists, ending=st.sampled_from(ENDINGS))
    def knock(self, email, key, ending) -> None:
        """Somebody reads, and it ends; then every door is tried that is not their own word."""
        self.add(email, key, revive=True)
        self.happens(ending, email, key)
        self.add(email, key, revive=False)
        self.add(email, "beta" if key == "main" else "main", revive=False)
        self.import_([(email, "active"), (email, "paused")], key)
        self.resume(email, None)
        if email in self.shadow.final | self.shadow.blocked:
            self.bring_back(email, key)
        if email in self.shadow.blocked:
            self.add(email, key, revive=True)
        self.time_passes(40)
        self.come_back(email, None)

    def happens(self, what: str, email: str, key: str, other: str = EMAILS[2]) -> None:
        """Do what a word of BETWEEN or ENDINGS says."""
        elsewhere = "beta" if key == "main" else "main"
        table = {
            "complain": lambda: self.complain(email, key),
            "complain elsewhere": lambda: self.complain(email, elsewhere),
            "unsubscribe": lambda: self.unsubscribe(email, key),
            "leave and sign up": lambda: (self.unsubscribe(email, key), self.sign_up(email, [key])),
            "sign up and leave": lambda: (self.sign_up(email, [key]), self.unsubscribe(email, key)),
            "file": lambda: self.import_([(email, "unsubscribed")], key),
            "file of complaints": lambda: self.import_([(email, "complained")], key),
            "pause": lambda: self.pause(email, key, None),
            "move": lambda: self.move(email, other),
            "erase and add": lambda: (self.erase(email), self.add(email, elsewhere, revive=False)),
            "wait": lambda: self.time_passes(7 * 24),
            "": lambda: None,
        }
        if what in table:
            table[what]()
        else:
            getattr(self, what)(email)

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
    def ids_never_return(self) -> None:
        with self.engine.connect() as connection:
            now = set(connection.scalars(select(tables.addresses.c.subscriber_id)))
        assert not self.dead_ids & now
        fresh = now - self.ids
        assert not fresh or not self.ids or min(fresh) > max(self.ids)
        self.ids |= fresh


@pytest.mark.parametrize(
    ("engine", "examples"),
    [
        ("sqlite", 25),
        pytest.param("sqlite", 150, marks=pytest.mark.slow),
        pytest.param("postgresql", 15, marks=pytest.mark.slow),
    ],
    indirect=["engine"],
)
def test_nobody_comes_back(engine, examples):
    """The machine finds no way back for anybody who left, on either database."""
    # Not shrunk: a run of databases takes minutes to shrink, and twenty steps can be read.
    quiet = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
    seen: Counter[str] = Counter()
    machine = type("MachineOfOneDatabase", (Machine,), {"engine": engine, "seen": seen})
    quicken(engine)
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
    # A machine in which nothing happens finds nothing.
    assert {"confirm: confirmed", "readers"} <= set(seen), seen


KNOWN = [
    *(
        ("regret", {"key": key, "hours": h, "between": b})
        for key in ("main", None)
        for h in (0, 25)
        for b in REGRETTED
    ),
    *(
        ("old_link", {"keys": keys, "between": b, "other": EMAILS[1]})
        for keys in (["main"], ["beta", "gamma"])
        for b in BETWEEN
    ),
    *(("wander", {"between": b, "other": EMAILS[1]}) for b in BETWEEN),
    *(("brought", {"key": "beta", "between": b, "again": again}) for b in BETWEEN for again in (False, True)),
    *(("knock", {"key": key, "ending": ending}) for key in ("main", "beta") for ending in ENDINGS),
]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("way", ["regret", "old_link", "wander", "brought", "knock"])
def test_no_known_way_leads_back(engine, way):
    """What chance may leave out: every way of the machine, with everything that may happen on it."""
    machine = type("MachineByHand", (Machine,), {"engine": engine, "seen": Counter()})
    quicken(engine)
    for name, words in KNOWN:
        if name != way:
            continue
        hand = machine()
        if way == "wander":
            hand.welcome(EMAILS[0], ["main"])
        getattr(hand, way)(email=EMAILS[0], **words)
        hand.nobody_comes_back()
        hand.ids_never_return()
        hand.teardown()
    assert way != "regret" or machine.seen["came back"]
