"""Letters: service mails (confirmations, welcomes, notices) in a table and a stream of their own.

Promises: written in the caller's transaction, once for each key; overtakes every mailing and is held up by none, since
it has a connection of its own; the same states and fence as a delivery. One thing differs: a letter in doubt is sent
again, with the same Message-ID. A second confirmation harms nobody, a missing one does.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from sqlalchemy import case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mailer.database import writing
from mailer.delivery.model import Claim
from mailer.delivery.outcome import judge_final, judge_loss, judge_refusal
from mailer.delivery.sharing import limits
from mailer.delivery.states import WAITING, DeliveryState
from mailer.delivery.tables import letters
from mailer.errors import TryLater
from mailer.smtp import Envelope, SessionLost
from mailer.smtp.connect import open_session
from subscribers import audience

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine

    from mailer.delivery.model import Settlement
    from mailer.message import Message
    from mailer.smtp import Session
    from mailer.smtp.relay import Relay

T = TypeVar("T")
log = logging.getLogger(__name__)
STREAM: Final = "letters"
_L = letters.c
_BATCH: Final = 20
_END: Final = DeliveryState.SKIPPED  # of a letter to who was erased
_IDLE: Final = 0.5  # seconds between two looks for new letters
_REST: Final = 5.0  # seconds after a relay gave no session


class Held(NamedTuple):
    """One letter in this worker's hands."""

    id: int
    mail_from: str
    address: str
    content: bytes
    message_id: str
    attempts: int


def write(
    connection: Connection,
    message: Message,
    *,
    purpose: str,
    key: str,
    now: datetime,
    subscriber_id: int | None = None,
    list_id: int | None = None,
) -> bool:
    """Write a letter, to go out at once; false if one with this key stands already.

    With `list_id` it is list mail: it goes only if that person may be mailed by the list when it leaves.
    """
    row = {
        "purpose": purpose, "key": key, "subscriber_id": subscriber_id, "address": message.recipient,
        "mail_from": message.mail_from, "content": message.content, "message_id": message.message_id,
        "list_id": list_id, "due_at": now, "state": DeliveryState.PLANNED, "created_at": now,
    }  # fmt: skip
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    written = dialect.insert(letters).values(**row).on_conflict_do_nothing().returning(_L.id)
    return connection.execute(written).first() is not None


class Written(NamedTuple):
    """One letter to a person, as it is told to them."""

    purpose: str
    address: str
    state: str
    message_id: str
    created_at: datetime
    at: datetime | None
    reply: str


def written_to(connection: Connection, subscriber_id: int) -> list[Written]:
    """Give the letters to a person, oldest first."""
    query = select(*(_L[name] for name in Written._fields)).where(_L.subscriber_id == subscriber_id)
    return [Written(*row) for row in connection.execute(query.order_by(_L.id))]


def claim(connection: Connection, epoch: int, now: datetime) -> list[Held]:
    """Take a few due letters into this worker's hands, oldest first."""
    due = (
        select(_L.id)
        .where(_L.state.in_(WAITING), _L.due_at <= now, _L.address != "")
        .order_by(_L.due_at, _L.id)
        .limit(_BATCH)
    ).with_for_update(skip_locked=True)
    chosen = due.cte("due").prefix_with("MATERIALIZED", dialect="postgresql")
    statement = (
        update(letters)
        .where(_L.id.in_(select(chosen.c.id)))
        .values(state=DeliveryState.CLAIMED, epoch=epoch, at=now)
        .returning(*(_L[name] for name in Held._fields))
    )
    return sorted(Held(*row) for row in connection.execute(statement))


def fence(connection: Connection, held: Held, epoch: int, now: datetime) -> bool:
    """Record that the letter's body may leave; false if another worker has it, or nobody is to get it any more."""
    mine = (_L.id == held.id, _L.epoch == epoch, _L.state == DeliveryState.CLAIMED)
    if not _wanted(connection, held, now):
        values = {"state": DeliveryState.SKIPPED, "at": now, "content": b""}
        connection.execute(update(letters).where(*mine).values(**values))
        return False
    sending = {"state": DeliveryState.SENDING, "at": now}
    return bool(connection.execute(update(letters).where(*mine).values(**sending)).rowcount)


def _wanted(connection: Connection, held: Held, now: datetime) -> bool:
    """Tell whether the letter may still go: nobody was erased, and list mail goes to readers alone."""
    query = select(_L.address, _L.list_id, _L.subscriber_id).where(_L.id == held.id)
    row = connection.execute(query).one()
    if row.address == "" or row.list_id is None:
        return bool(row.address != "")
    readers = audience(row.list_id, now)
    one = readers.selected_columns
    who = readers.where(one.subscriber_id == row.subscriber_id, one.email == row.address)
    return connection.execute(who).first() is not None


def settle(connection: Connection, held: Held, epoch: int, outcome: Settlement) -> None:
    """Record what came of a letter; in doubt it is sent again.

    Its content goes when it is of no more use: it holds an address and links. Of who was erased meanwhile the reply
    stays unsaid.
    """
    again = outcome.state is DeliveryState.UNCERTAIN
    state = DeliveryState.DEFERRED if again else outcome.state
    erased = _L.address == ""
    values: dict[str, object] = {
        "state": case((erased, _END.value), else_=state.value) if state in WAITING else state,
        "due_at": outcome.due_at or outcome.at,
        "at": outcome.at,
        "reply": case((erased, ""), else_=outcome.reply),
        "relay_id": outcome.relay_id,
        "attempts": _L.attempts + 1,
    }
    if state not in WAITING:
        values["content"] = b""
    connection.execute(update(letters).where(_L.id == held.id, *_open(epoch)).values(**values))


def _open(epoch: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Give what holds for the letters in an epoch's hands."""
    return _L.epoch == epoch, _L.state.in_((DeliveryState.CLAIMED, DeliveryState.SENDING))


def lay_back(connection: Connection, epoch: int) -> int:
    """Lay back every letter that this epoch holds: it ended, or died. Of who was erased nothing is sent again."""
    state = case((_L.address == "", _END.value), else_=DeliveryState.DEFERRED.value)
    return connection.execute(update(letters).where(*_open(epoch)).values(state=state)).rowcount


class Post:
    """Sends letters as they are written, until it is stopped."""

    def __init__(
        self,
        database: Engine,
        relays: Sequence[Relay],
        epoch: int,
        hostname: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._relays = [relay for relay in relays if relay.serves(STREAM)]
        self._epoch = epoch
        self._hostname = hostname
        self._clock = clock
        self._stopped = asyncio.Event()
        self._lost = False  # the database was away
        self._random = random.Random()  # noqa: S311 - it spreads retries, it guards nothing

    def stop(self) -> None:
        """End after the letter that is on its way."""
        self._stopped.set()

    async def run(self) -> None:
        """Look for letters, send them over one session, look again; a database that is away is waited for."""
        while not self._stopped.is_set():
            try:
                await self._pause(await self._look())
            except TryLater as problem:
                log.warning("letters, trying again: %s", problem)
                self._lost = True
                await self._pause(_REST)
        await self._do(lambda c: lay_back(c, self._epoch))

    async def _look(self) -> float:
        """Send what is there, and give the seconds until the next look."""
        if self._lost:  # what was in hand then, nobody remembers
            await self._do(lambda c: lay_back(c, self._epoch))
            self._lost = False
        held = await self._do(lambda c: claim(c, self._epoch, self._clock()))
        if not held:
            return _IDLE
        session = await self._session()
        if session is None:
            await self._do(lambda c: lay_back(c, self._epoch))
            return _REST
        await self._send_all(session, held)
        return 0

    async def _session(self) -> Session | None:
        """Give a session of the first relay that gives one."""
        for relay in self._relays:
            try:
                session = await open_session(relay, hostname=self._hostname)
            except SessionLost:
                continue
            self._relay = relay
            return session
        return None

    async def _send_all(self, session: Session, held: Sequence[Held]) -> None:
        try:
            for one in held:
                if not await self._send(session, one):
                    await self._do(lambda c: lay_back(c, self._epoch))
                    return
            await session.quit()
        finally:
            session.abort()  # nothing, where it was ended in good order

    async def _send(self, session: Session, held: Held) -> bool:
        """Send one letter; false when the session is gone."""
        settlement, alive = await self._said(session, held)
        if settlement is not None:
            await self._do(lambda c: self._settle(c, held, settlement))
        return alive

    def _settle(self, connection: Connection, held: Held, outcome: Settlement) -> None:
        """Record what came of a letter; what a relay took counts against its hour and day."""
        settle(connection, held, self._epoch, outcome)
        if outcome.state is DeliveryState.ACCEPTED:
            limits.count(connection, self._relay, self._clock())

    async def _said(self, session: Session, held: Held) -> tuple[Settlement | None, bool]:
        """Give what came of it (None: it is laid back), and whether the session lives."""
        claim_ = Claim(0, 0, 0, 0, held.address, held.address.rpartition("@")[2], held.attempts)
        utf8 = not (held.address.isascii() and held.mail_from.isascii())
        envelope = Envelope(held.mail_from, held.address, len(held.content), smtputf8=utf8)
        jitter = self._random.random()
        try:
            offer = await session.exchange(None, envelope)
            if offer.refusal is not None:
                now = self._clock()
                verdict = judge_refusal(
                    claim_, offer.refusal, offer.refused_at, self._relay.kind, now, jitter
                )
                return verdict.settlement, verdict.settlement is not None
            if not await self._do(lambda c: fence(c, held, self._epoch, self._clock())):
                session.abort()
                return None, False
            answer = await session.exchange(held.content, None)
        except SessionLost as lost:
            return judge_loss(claim_, lost, self._relay.kind, self._clock(), jitter), False
        if answer.final is None:
            raise AssertionError("a body was sent and not answered")
        return judge_final(claim_, answer.final, self._relay.kind, self._clock(), jitter).settlement, True

    async def _do(self, work: Callable[[Connection], T]) -> T:
        def once() -> T:
            with writing(self._database) as connection:
                return work(connection)

        return await asyncio.to_thread(once)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except TimeoutError:
            return
