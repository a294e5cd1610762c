"""What may befall the mailboxes, one verb a rule: words of readers, of the operator, of files and of servers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    initialize,
    rule,
)

import subscribers
from subscribers import ConfirmOutcome, Evidence, Form, MoveOutcome, SignUpOutcome
from subscribers.status import (
    AddressState,
)
from tests.subscribers.mailboxes import BRANDS, EMAILS, HASH_KEY, LISTS, Mailboxes, reads
from tests.subscribers.shadow import Request

FORM = Form("1", "Get the news. Leave with one click.")
emails = st.sampled_from(EMAILS)
lists = st.sampled_from(LISTS)
records = st.lists(
    st.tuples(emails, st.sampled_from(["active", "unsubscribed", "complained", "paused"])), max_size=4
)
some_list = st.sampled_from((*LISTS, None))
some_lists = st.sampled_from([["main"], ["beta"], ["beta", "gamma"]])
imports, signups, moves = Bundle("imports"), Bundle("signups"), Bundle("moves")


class Befalling(Mailboxes):
    """Each verb is checked at once against the notebook, and written into it."""

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
