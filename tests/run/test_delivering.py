"""The part that sends, run in this process: what it does about what others left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mailer.database import writing
from mailer.delivery import custody, dispatch, mailing, sending
from mailer.delivery.custody import workers
from mailer.delivery.ground import Ground
from mailer.delivery.journal import Journal
from mailer.delivery.sharing import Sums, tallies
from mailer.delivery.states import MailingState
from mailer.run import delivering
from tests.delivery.office import KEYS, Office, S

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine


def state(office: Office) -> MailingState:
    """Give the state of the mailing."""
    with writing(office.world.engine) as c:
        return mailing.get(c, office.world.mailing_id).state


async def run_until_over(office: Office, ground: Ground) -> None:
    """Run the part until the mailing no longer runs."""
    stopped = asyncio.Event()
    part = asyncio.create_task(delivering.run(ground, stopped, letters=False))
    async with asyncio.timeout(60):  # against hanging alone
        while state(office) is MailingState.RUNNING:  # noqa: ASYNC110 - it stands in the database
            await asyncio.sleep(0.05)
    stopped.set()
    await part


def test_a_mailing_whose_last_sender_died_is_closed(tmp_path: Path, engine: Engine) -> None:
    """The last reader's fate is uncertain, and nobody waits: the mailing is over, though nobody sends it any more."""
    office = Office(tmp_path, engine, 2)
    office.world.plan()
    ground = Ground(office.settings, KEYS, engine, ())
    with writing(engine) as c:
        dead = workers.enlist(c, ground.locks, office.world.now, "run")
        mark = workers.mark(c, dead.epoch) or ""
    Journal(ground.journals, dead.epoch, mark).close()
    custody.attest(ground)
    first, last = office.world.claim(dead.epoch)
    assert office.world.fence([first, last], dead.epoch) == {first, last}
    office.world.settle([first], epoch=dead.epoch)
    workers.release(dead)
    asyncio.run(run_until_over(office, ground))
    assert state(office) is MailingState.FINISHED
    sums = office.world.counts()
    assert (sums[S.ACCEPTED], sums[S.UNCERTAIN]) == (1, 1)


def test_a_mailing_that_others_are_sending_is_not_closed(tmp_path: Path, engine: Engine) -> None:
    """Somebody waits, then somebody is in another's hands: it runs on; it is closed when all is settled."""
    office = Office(tmp_path, engine, 3)
    office.world.plan()

    def closed() -> bool:
        with writing(engine) as c:
            dispatch.close_all(c, office.world.now)
        return state(office) is MailingState.FINISHED

    assert not closed()
    claims = office.world.claim()
    assert not closed()
    office.world.fence(claims)
    office.world.settle(claims[1:])
    assert not closed()
    office.world.settle(claims[:1])
    assert closed()


def test_of_workers_that_end_together_the_last_one_closes(tmp_path: Path, engine: Engine) -> None:
    """Who ends while another is still at it leaves the look through the rows to that one."""
    office = Office(tmp_path, engine, 2)
    office.world.plan()
    office.world.fence(claims := office.world.claim())
    office.world.settle(claims)
    ground = Ground(office.settings, KEYS, engine, ())
    with writing(engine) as c:
        tallies.tell(c, office.world.mailing_id, 7, office.world.now, Sums(2, 0, 0))
    sending._close(ground, office.world.mailing_id)
    assert state(office) is MailingState.RUNNING
    with writing(engine) as c:
        workers.retire(c, 7, office.world.now)
    sending._close(ground, office.world.mailing_id)
    assert state(office) is MailingState.FINISHED
