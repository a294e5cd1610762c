"""The part of the daemon that hears what comes back: mailboxes, Maildir folders and the listener of `[feedback]`.

Promises: each is read on its own, and a broken one holds up no other; a stop ends it within seconds, between two mails.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError

from mailer.database import writing
from mailer.errors import MailerError, UserError
from mailer.feedback.intake import keeping
from mailer.feedback.intake.mailbox import Reader
from mailer.feedback.intake.maildir import collect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mailer.delivery.ground import Ground

log = logging.getLogger(__name__)
_HOUR: Final = 3600.0


async def run(ground: Ground, stopped: asyncio.Event) -> None:
    """Hear what comes back until it is stopped. Raises UserError for what a person must mend."""
    settings = ground.settings.feedback
    server = await _listener(ground)
    readers = [Reader(ground, one) for one in settings.mailboxes]
    pool = ThreadPoolExecutor(max(1, len(readers)), thread_name_prefix="mailbox")
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Future[None]] = [loop.run_in_executor(pool, _keep, one) for one in readers]
    tasks += [asyncio.ensure_future(_folder(ground, one, stopped)) for one in settings.maildirs]
    tasks += [asyncio.ensure_future(one) for one in (_forget(ground, stopped), _end(readers, stopped))]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        _stop(readers)
        if server is not None:
            server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        pool.shutdown(wait=False)


async def _listener(ground: Ground) -> asyncio.Server | None:
    if ground.settings.feedback.listen is None:
        return None
    from mailer.feedback.intake.listener import listening  # noqa: PLC0415 - loads aiosmtpd

    return await listening(ground, ground.settings.feedback.listen)


def _keep(reader: Reader) -> None:
    """Read one mailbox until it is stopped, in its thread."""
    if reader.settings.scheme.startswith("imap"):
        from mailer.feedback.intake.imap import visit  # noqa: PLC0415 - loads imapclient

        reader.keep(visit)
        return
    from mailer.feedback.intake.pop3 import Pop  # noqa: PLC0415 - as above

    reader.keep(Pop().visit)


async def _end(readers: Sequence[Reader], stopped: asyncio.Event) -> None:
    await stopped.wait()
    _stop(readers)


def _stop(readers: Sequence[Reader]) -> None:
    for reader in readers:
        reader.stopped.set()


async def _folder(ground: Ground, folder: Path, stopped: asyncio.Event) -> None:
    """Look into a Maildir now and then."""
    while not stopped.is_set():
        try:
            await asyncio.to_thread(collect, ground, folder, stopped.is_set)
        except UserError:
            raise
        except (MailerError, OSError, DBAPIError) as problem:
            log.warning("%s: %s; trying again", folder, problem)
        await _rest(stopped, ground.settings.feedback.poll_seconds)


async def _forget(ground: Ground, stopped: asyncio.Event) -> None:
    """Let go of mails that nobody understood when they are old enough."""
    while not stopped.is_set():
        try:
            await asyncio.to_thread(forget, ground)
        except (MailerError, DBAPIError) as problem:
            log.warning("old mails cannot be let go: %s; trying again", problem)
        await _rest(stopped, _HOUR)


def forget(ground: Ground) -> int:
    """Let go of kept mails and unproven notices older than `keep_days`; give how many went."""
    before, gone, more = ground.clock() - timedelta(days=ground.settings.feedback.keep_days), 0, 1
    while more:
        with writing(ground.database) as connection:
            more = keeping.forget(connection, before)
        gone += more
    return gone


async def _rest(stopped: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopped.wait(), seconds)
