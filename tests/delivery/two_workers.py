"""Two workers at one ledger, who crash, pause and lose people: a machine, and what must hold after each step."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from mailer.database import writing
from mailer.delivery import dispatch, ledger, mailing, retention, steering
from mailer.delivery.journal import Proof
from mailer.delivery.model import Claim, Settlement
from mailer.delivery.states import DeliveryState, MailingState
from mailer.issue.provenance import Provenance
from subscribers import ensure_lists
from tests.delivery.conftest import NOON, World, edition

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine


S = DeliveryState


workers = st.integers(0, 1)


class Ledger(RuleBasedStateMachine):
    """Two workers, each with an epoch, what it holds, and what its journal knows; and a server that remembers."""

    fresh: Callable[[], Engine]  # an engine on an empty database at the newest schema
    claims: Bundle[tuple[int, Claim]] = Bundle("claims")
    fenced: Bundle[tuple[int, Claim]] = Bundle("fenced")

    def __init__(self) -> None:
        super().__init__()
        engine = type(self).fresh()
        with writing(engine) as c:
            list_id = ensure_lists(c, ["main"], NOON)["main"]
            opened = mailing.open_mailing(c, edition(), "main", NOON)
            mailing.freeze(c, opened.id, edition(), None, NOON, committed=False)
        self.world = World(engine, list_id, opened.id)
        self.epochs = [1, 2]
        self.journals: dict[int, dict[tuple[int, int], Proof]] = {1: {}, 2: {}}
        self.server: Counter[int] = Counter()  # bodies that the server took, by reader
        self.risked: Counter[int] = Counter()  # second copies that a person asked for
        self.left: set[int] = set()
        self.people: list[int] = []
        self.planned: set[int] = set()

    def teardown(self) -> None:
        self.world.engine.dispose()

    # -- people

    @rule(count=st.integers(1, 4))
    def join(self, count: int) -> None:
        names = [f"p{len(self.people) + n}@d{n % 2}.example" for n in range(count)]
        self.people += self.world.join(*names)

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        if self.people:
            person = data.draw(st.sampled_from(self.people))
            self.world.leave(person)
            self.left.add(person)

    # -- a person at the command line

    @rule()
    def extend(self) -> None:
        self.world.extend()
        self.planned |= {row.subscriber_id for row in self.rows().values()}

    @rule(goal=st.sampled_from([MailingState.PAUSED, MailingState.RUNNING]))
    def steer(self, goal: MailingState) -> None:
        with writing(self.world.engine) as c:
            mailing.move(c, self.world.mailing_id, goal, self.world.now, "a test")

    @rule()
    def finish(self) -> None:
        with writing(self.world.engine) as c:
            dispatch.finish(c, self.world.mailing_id, self.world.now)

    @rule()
    def pack(self) -> None:
        """What is final is packed, if the mailing has ended; long ago or not makes no difference here."""
        retention.pack_old(self.world.engine, self.world.now + timedelta(days=1), rest=lambda _seconds: None)

    @rule()
    def new_readers(self) -> None:
        """A mailing that ended runs again: with whoever has no delivery of it."""
        with writing(self.world.engine) as c:
            mailing.move(c, self.world.mailing_id, MailingState.RUNNING, self.world.now)
        self.extend()

    @rule(subject=st.sampled_from(["An issue", "A corrected issue"]))
    def amend(self, subject: str) -> None:
        with writing(self.world.engine) as c:
            found = mailing.get(c, self.world.mailing_id)
        origin = Provenance(None, committed=False, repository=False)
        steering.amend(self.world.engine, found, edition(subject=subject), origin, self.world.now, "test")

    @rule()
    def resend_uncertain(self) -> None:
        for row in self.rows().values():
            if row.state == S.UNCERTAIN:
                self.risked[row.subscriber_id] += 1
        with writing(self.world.engine) as c:
            ledger.resend_uncertain(c, self.world.mailing_id, self.world.now)

    @rule(minutes=st.integers(1, 2000))
    def time_passes(self, minutes: int) -> None:
        self.world.later(minutes=minutes)

    # -- workers

    @rule(target=claims, worker=workers, limit=st.integers(1, 4))
    def claim(self, worker: int, limit: int) -> object:
        epoch = self.epochs[worker]
        return multiple(*((epoch, one) for one in self.world.claim(epoch, limit)))

    @rule(held=consumes(claims))
    def give_back(self, held: tuple[int, Claim]) -> None:
        epoch, one = held
        if epoch in self.epochs:
            with writing(self.world.engine) as c:
                ledger.give_back(c, epoch, [one])

    @rule(target=fenced, held=consumes(claims))
    def fence(self, held: tuple[int, Claim]) -> object:
        epoch, one = held
        if epoch not in self.epochs:
            return multiple()  # that process is dead
        granted = self.world.fence([one], epoch)
        if granted:
            assert one.subscriber_id not in self.left, "mailed after leaving"
            self.journals[epoch][one.mailing_id, one.subscriber_id] = Proof(
                1, one.subscriber_id, S.SENDING, ""
            )
        return multiple(*((epoch, claim) for claim in granted))

    @rule(
        held=consumes(fenced),
        state=st.sampled_from([S.ACCEPTED, S.REFUSED, S.DEFERRED, S.UNCERTAIN]),
        taken=st.booleans(),
    )
    def answer(self, held: tuple[int, Claim], state: DeliveryState, taken: bool) -> None:
        """The server answers, or the line breaks and only the server knows whether it took the body."""
        epoch, one = held
        if epoch not in self.epochs:
            return
        self.server[one.subscriber_id] += state is S.ACCEPTED or (state is S.UNCERTAIN and taken)
        self.journals[epoch][one.mailing_id, one.subscriber_id] = Proof(1, one.subscriber_id, state, "Q")
        self.world.settle([one], state, epoch, due_at=self.world.now.replace(microsecond=0))

    @rule(
        target=fenced,
        ended=st.lists(consumes(fenced), max_size=3),
        begun=st.lists(consumes(claims), max_size=3),
        lost=st.booleans(),
    )
    def advance(self, ended: list[tuple[int, Claim]], begun: list[tuple[int, Claim]], lost: bool) -> object:
        """Several connections at once, as a recorder writes them; the answer to the first try may be lost."""
        epoch = next((epoch for epoch, _ in (*ended, *begun) if epoch in self.epochs), None)
        granted: set[Claim] = set()
        if epoch is not None:
            done = [one for held, one in ended if held == epoch]
            claims = [one for held, one in begun if held == epoch]
            for one in done:
                self.server[one.subscriber_id] += 1
                self.journals[epoch][one.mailing_id, one.subscriber_id] = Proof(
                    1, one.subscriber_id, S.ACCEPTED, "Q"
                )
            settlements = [Settlement(one, S.ACCEPTED, self.world.now, relay_id="Q") for one in done]
            for again in (False, True) if lost else (False,):
                with writing(self.world.engine) as c:
                    granted = ledger.advance(c, epoch, settlements, claims, self.world.now, again=again)
            with writing(self.world.engine) as c:
                ledger.turn_back(c, epoch, [one for one in claims if one not in granted], self.world.now)
            for one in granted:
                assert one.subscriber_id not in self.left, "mailed after leaving"
                self.journals[epoch][one.mailing_id, one.subscriber_id] = Proof(
                    1, one.subscriber_id, S.SENDING, ""
                )
        # What another worker has was only looked at.
        return multiple(*((epoch, one) for one in granted), *(held for held in ended if held[0] != epoch))

    @rule(held=consumes(fenced), taken=st.booleans(), written=st.booleans())
    def crash_behind_a_body(self, held: tuple[int, Claim], taken: bool, written: bool) -> None:
        """A worker dies with a body on the wire; the journal may or may not have its answer."""
        epoch, one = held
        if epoch not in self.epochs:
            return
        self.server[one.subscriber_id] += taken
        if taken and written:
            self.journals[epoch][one.mailing_id, one.subscriber_id] = Proof(
                1, one.subscriber_id, S.ACCEPTED, "Q"
            )
        self.crash(self.epochs.index(epoch))

    @rule(worker=workers)
    def crash(self, worker: int) -> None:
        """A worker dies; the next start accounts for it."""
        epoch = self.epochs[worker]
        with writing(self.world.engine) as c:
            ledger.take_back(c, epoch, lambda _: self.journals[epoch], self.world.now)
        self.epochs[worker] = max(*self.epochs, *self.journals) + 1
        self.journals[self.epochs[worker]] = {}

    @rule(data=st.data())
    def late_proof(self, data: st.DataObject) -> None:
        """A bounce comes back of something that the server did take."""
        taken = sorted(person for person, count in self.server.items() if count)
        if taken:
            with writing(self.world.engine) as c:
                ledger.late_proof(
                    c, self.world.mailing_id, data.draw(st.sampled_from(taken)), "bounce", self.world.now
                )

    # -- what must hold

    def rows(self) -> dict[str, ledger.sums.Delivery]:
        with writing(self.world.engine) as c:
            return {row.address: row for row in ledger.recipients(c, self.world.mailing_id)}

    @invariant()
    def nobody_is_mailed_twice(self) -> None:
        for person, count in self.server.items():
            assert count <= 1 + self.risked[person], f"reader {person} was mailed {count} times"

    @invariant()
    def the_sums_balance(self) -> None:
        sums = self.world.counts()
        assert sums.planned == sum(sums.states.values()) == len(self.rows())

    @invariant()
    def nobody_is_lost(self) -> None:
        rows = {row.subscriber_id: row for row in self.rows().values()}
        assert self.planned <= set(rows)
        for row in rows.values():
            assert row.state != S.SKIPPED or row.reason
            assert row.state != S.ACCEPTED or self.server[row.subscriber_id], (
                "accepted, and no server took it"
            )
            assert (
                not self.server[row.subscriber_id]
                or row.state not in {S.REFUSED, S.SKIPPED}
                or self.risked[row.subscriber_id]
            )
