"""How `mailer send` goes: prepare, foresee, ask, begin, deliver, tell."""

from __future__ import annotations

import gc
import signal
import sys
import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from mailer import events
from mailer.cli import progress
from mailer.cli.foretelling import ask, describe, foresee, tell_dry
from mailer.cli.output import confirm, emit, note, say
from mailer.cli.preparing import Asked, Send, prepare, refuse, secure
from mailer.cli.telling import summary, tell, tell_nothing
from mailer.cli.workplace import workplace
from mailer.database import reading, writing
from mailer.delivery import audience, dispatch, forecast, mailing, steering
from mailer.delivery.dispatch import Prospect, Step
from mailer.delivery.engine import End
from mailer.delivery.sending import Result, deliver
from mailer.delivery.states import DeliveryState
from mailer.delivery.supply import BATCH
from mailer.errors import Problem, UserError
from mailer.run.crew import Crew, manned
from mailer.run.order import Order, sent

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mailer.delivery.engine import Engine
    from mailer.delivery.mailing import Mailing

_YOUNG_DEATHS: Final = 5  # in a row, after which a place in the crew stays empty


def run(asked: Asked) -> int:
    """Send, and give the exit code."""
    if asked.uncertain == "skip":
        return _leave_uncertain(asked)
    this = prepare(asked)
    refuse(this)
    if not asked.dry_run:
        secure(this)
    prospect = foresee(this)
    if asked.uncertain is not None:
        return _uncertain(this, prospect)
    if prospect.step is Step.NOTHING:
        return tell_nothing(this, prospect)
    if prospect.step is Step.OPEN and not prospect.readers:
        whom = f"segment {asked.segment}" if asked.segment else this.request.list_key
        raise UserError(Problem(f"nobody to send to: {whom} has no readers who may be mailed", key="list"))
    describe(this, prospect)
    if asked.dry_run:
        tell_dry(prospect)
        return 0
    if prospect.step is not Step.CONTINUE:
        ask(this, prospect)
    found = _begin(this, prospect)
    return _deliver(this, found, prospect.readers)


def _begin(this: Send, prospect: Prospect) -> Mailing:
    now = this.ground.clock()
    with writing(this.ground.database) as connection:
        found = dispatch.begin(
            connection, prospect, this.edition, this.request, this.origin, now, this.ground.narrow
        )
        if prospect.step is not Step.CONTINUE:
            data = {
                "step": prospect.step.value,
                "list": this.request.list_key,
                "segment": this.request.segment,
            }
            events.record(connection, "mailing.started", found.name, now, events.person(), **data)
    return found


def _deliver(this: Send, found: Mailing, total: int) -> int:
    """Run the engine until nothing is due; between the first few and the rest, hold."""
    import uvloop  # noqa: PLC0415

    gc.freeze()  # what was imported stays; the collector need not look through it again and again
    while True:
        result = uvloop.run(_engine(this, found, total))
        if result.end is not End.DONE or not _held(this, found, result):
            return tell(this, found, result)


async def _engine(this: Send, found: Mailing, total: int) -> Result:
    """Send with this process and a crew beside it: its end is the end of all."""
    box: list[Engine] = []
    order = Order(this.place.settings, found.id, this.named.list.key, this.asked.wait)
    others = manned(this.ground, order, _others(this, total), note, most=_YOUNG_DEATHS)
    async with others as crew:

        def watch(engine: Engine) -> None:
            box.append(engine)
            for number in (signal.SIGINT, signal.SIGTERM):
                engine.loop.add_signal_handler(number, stop, engine)
            crew.start()

        def stop(engine: Engine) -> None:
            engine.stop(End.STOPPED)
            crew.stop()

        async with progress.shown(lambda: crew.sent + sum(map(sent, box)), total):
            result = await deliver(this.ground, found.id, wait=this.asked.wait, watch=watch)
    return _together(this, found, result, crew)


def _others(this: Send, total: int) -> int:
    """Give how many more processes are of use: each has a batch to send, and a connection to send it through."""
    wanted = this.asked.workers or this.place.settings.workers
    connections = sum(relay.connections for relay in this.ground.relays)
    return max(0, min(wanted, -(-total // BATCH), connections) - 1)


def _together(this: Send, found: Mailing, result: Result, crew: Crew) -> Result:
    """Give the result of all: the sums when the last has laid down what it held, and who was accounted for."""
    if result.sums is None or not crew.count:
        return result
    with writing(this.ground.database) as connection:
        sums = dispatch.finish(connection, found.id, this.ground.clock())
    return replace(result, sums=sums, recovered=[*result.recovered, *crew.recovered])


def _held(this: Send, found: Mailing, result: Result) -> bool:
    """Hold the rest until its time or until Enter; false if nothing is held."""
    with reading(this.ground.database) as connection:
        rest = audience.left_to_plan(connection, found.id)
    if rest is None:
        return False
    if rest.not_before is not None and rest.not_before > this.ground.clock():
        zone = ZoneInfo(this.named.list.time_zone)
        note(f"{forecast.balance(result.sums)}" if result.sums else "")
        note(f"The rest is held until {rest.not_before.astimezone(zone):%H:%M:%S}; Enter lets it go now.")
        _until(rest.not_before, this)
    with writing(this.ground.database) as connection:
        audience.let_go(connection, found.id)
    return True


def _until(moment: datetime, this: Send) -> None:
    """Wait for the moment or for Enter; Ctrl-D is no Enter: like Ctrl-C it ends the send, and the rest stays held."""
    import select  # noqa: PLC0415 - only a held send waits for a key

    while (left := (moment - this.ground.clock()).total_seconds()) > 0:
        if sys.stdin is not None and sys.stdin.isatty():
            ready, _, _ = select.select([sys.stdin], [], [], min(left, 1))
            if ready and not sys.stdin.readline().endswith("\n"):
                raise EOFError
            if ready:
                return
        else:
            time.sleep(min(left, 1))


def _leave_uncertain(asked: Asked) -> int:
    """Settle the uncertain as they are, for good: nothing is sent, so no file and no relay is needed."""
    place, now = workplace(), dispatch.now_utc()
    with writing(place.engine) as connection:
        found = steering.find(connection, asked.issue, asked.list_key)
        count = _decided(connection, found, "skip", now)
        sums = dispatch.finish(connection, found.id, now)
        found = mailing.get(connection, found.id)
    emit({**summary(found, sums), "seconds": 0.0})
    say(f"{count:,} uncertain: left as they are for good.")
    say(f"{found.name}: {forecast.balance(sums)}")
    return 0


def _decided(connection: Connection, found: Mailing, word: str, now: datetime) -> int:
    count = dispatch.decide_uncertain(connection, found, word, now)
    events.record(connection, f"uncertain.{word}", found.name, now, events.person(), count=count)
    return count


def _uncertain(this: Send, prospect: Prospect) -> int:
    """Send to the uncertain again, at the risk of a second copy: a person asked for it."""
    found, sums = prospect.mailing, prospect.sums
    if found is None or sums is None:
        raise UserError(Problem("this issue was never sent: nothing is uncertain", key="uncertain"))
    count = sums[DeliveryState.UNCERTAIN]
    if count:
        risk = f"Risk a second copy for {forecast.many(count, 'reader')}?"
        confirm(risk, yes=this.asked.yes)
    with writing(this.ground.database) as connection:
        moved = _decided(connection, found, this.asked.uncertain or "", this.ground.clock())
    note(f"{moved:,} uncertain: planned again.")
    return _deliver(this, found, sums.unsettled + moved)
