"""Whatever happens in whatever order: nobody who left becomes mailable without a new, recorded consent."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, text

from subscribers.status import (
    ADDRESS_MOVES,
    PERSON_MOVES,
    SUBSCRIPTION_MOVES,
)
from tests.subscribers.befalling import (
    Befalling,
    emails,
    imports,
    lists,
    moves,
    signups,
    some_list,
    some_lists,
)
from tests.subscribers.mailboxes import EMAILS

if TYPE_CHECKING:
    import subscribers


BETWEEN = (
    "", "", "unsubscribe", "complain", "lose", "erase", "block", "file", "move", "erase and add", "sign up and leave",
    "wait",
)  # fmt: skip
ENDINGS = (
    "unsubscribe", "complain", "lose", "erase", "block", "file", "file of complaints", "leave and sign up", "pause",
)  # fmt: skip
REGRETTED = ("", "", "", "complain", "complain elsewhere", "lose", "block", "file", "sign up and leave")
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


class Machine(Befalling):
    """What chance seldom puts together, one after the other."""

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
