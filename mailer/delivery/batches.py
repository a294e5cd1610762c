"""Batches: the readers of a mailing, a thousand at a time, handed to workers of several machines by Procrastinate.

Only on PostgreSQL. Promises: what is planned and its jobs are committed together; the ledger stays the truth: a batch
that is handed out twice finds nobody waiting, and one that is lost is cut anew by the sweep. The queue holds ids of
mailings and ranges of readers' ids alone, in a schema of its own that may be thrown away at any time.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import func, select, text

from mailer.database import reading, silence, writing
from mailer.delivery.ledger.words import WAITING
from mailer.delivery.tables import deliveries

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from datetime import datetime

    from procrastinate import App
    from procrastinate.tasks import Task
    from sqlalchemy import URL, Connection, Engine

SIZE: Final = 1_000  # readers in a batch
_MOST: Final = 1_000  # batches that are cut at once
_QUEUE, _TASK, _SCHEMA = "deliver", "send-batch", "mailer_queue"
_STALLED: Final = 30.0
_LOCK: Final = 0x62617463  # one sweep at a time; the number is ours alone
_d = deliveries.c
log = logging.getLogger(__name__)


class Batch(NamedTuple):
    """Readers of a mailing, from one id to another."""

    mailing_id: int
    first: int
    last: int


def cut(mailing_id: int, first: int, last: int, readers: int) -> Iterator[Batch]:
    """Cut a range of ids that holds so many readers into batches of about the same size. Pure."""
    parts = min(max(1, -(-readers // SIZE)), _MOST, last - first + 1)
    for number in range(parts):
        begin = first + (last - first + 1) * number // parts
        end = first + (last - first + 1) * (number + 1) // parts - 1
        yield Batch(mailing_id, begin, end)


def prepare(database: Engine) -> None:
    """Make the queue's schema where there is none, or one of another version of the queue: nothing in it is needed."""
    from procrastinate.schema import SchemaManager  # noqa: PLC0415 - only a worker of several needs it

    words = SchemaManager.get_schema()
    mark = f"{len(words)}-{hash_of(words)}"
    with reading(database) as connection:
        if _mark(connection) == mark:
            return
    with writing(database) as connection:
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        if _mark(connection) == mark:
            return
        for line in (f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE", f"CREATE SCHEMA {_SCHEMA}"):
            connection.execute(text(line))
        connection.execute(text(f"SET LOCAL search_path TO {_SCHEMA}"))
        _driver(connection).execute(words)
        connection.execute(text(f"COMMENT ON SCHEMA {_SCHEMA} IS '{mark}'"))


def hash_of(words: str) -> str:
    """Give a short mark of a text."""
    from hashlib import sha256  # noqa: PLC0415

    return sha256(words.encode()).hexdigest()[:16]


def _mark(connection: Connection) -> str | None:
    found = text("SELECT obj_description(to_regnamespace(:name)::oid, 'pg_namespace')")
    mark: str | None = connection.scalar(found, {"name": _SCHEMA})
    return mark


def kept(database: Engine) -> bool:
    """Say whether batches are handed around here: with PostgreSQL and the queue's library."""
    return database.dialect.name == "postgresql" and find_spec("procrastinate") is not None


def there(connection: Connection) -> bool:
    """Say whether anybody ever worked off batches here: else none need be made."""
    if connection.dialect.name != "postgresql":
        return False
    return bool(connection.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": _TABLE}))


_TABLE: Final = f"{_SCHEMA}.procrastinate_jobs"


def defer(connection: Connection, batches: Sequence[Batch]) -> None:
    """Hand batches to whichever worker is free, once the caller's transaction is committed."""
    if not batches or not there(connection):
        return
    connection.execute(text(f"SET LOCAL search_path TO {_SCHEMA}, public"))
    job = _task(None).configure(connection=_driver(connection))
    jobs: Any = ({"mailing": one.mailing_id, "first": one.first, "last": one.last} for one in batches)
    job.batch_defer(*jobs)
    connection.execute(text("SET LOCAL search_path TO DEFAULT"))


def sweep(connection: Connection, mailing_ids: Sequence[int], now: datetime) -> None:
    """Cut batches anew of mailings that have readers due and no batch: retried, resumed, laid back by the dead."""
    if not mailing_ids or not connection.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
        return
    for mailing_id in mailing_ids:
        if not _live(connection, mailing_id):
            waiting = (_d.mailing_id == mailing_id, WAITING, _d.due_at <= now)
            columns = (func.min(_d.subscriber_id), func.max(_d.subscriber_id), func.count())
            first, last, count = connection.execute(select(*columns).where(*waiting)).one()
            if count:
                defer(connection, list(cut(mailing_id, first, last, count)))


def _live(connection: Connection, mailing_id: int) -> bool:
    words = (
        f"SELECT 1 FROM {_TABLE} WHERE queue_name = '{_QUEUE}' AND status IN ('todo', 'doing')"  # noqa: S608 - constants
        " AND (args->>'mailing')::int = :mailing LIMIT 1"
    )
    return connection.execute(text(words), {"mailing": mailing_id}).first() is not None


async def work(database: Engine, handle: Callable[[Batch], Awaitable[None]], at_once: int) -> None:
    """Work off batches, so many at once, until it is cancelled; those of silent workers are handed out anew."""
    import asyncio  # noqa: PLC0415

    app = _app(database.url)

    async def send_batch(mailing: int, first: int, last: int) -> None:
        await handle(Batch(mailing, first, last))

    app.task(name=_TASK, queue=_QUEUE)(send_batch)
    async with app.open_async():
        rescue = asyncio.create_task(_rescue(app))
        try:
            await app.run_worker_async(
                queues=[_QUEUE], concurrency=at_once, install_signal_handlers=False, delete_jobs="always",
                shutdown_graceful_timeout=5, fetch_job_polling_interval=2,
            )  # fmt: skip
        finally:
            rescue.cancel()
            await asyncio.gather(rescue, return_exceptions=True)


async def _rescue(app: App) -> None:
    """Hand out anew what silent workers had, for as long as the process lives, whatever goes wrong once."""
    import asyncio  # noqa: PLC0415

    from procrastinate.exceptions import ProcrastinateException  # noqa: PLC0415

    while True:
        try:
            for job in await app.job_manager.get_stalled_jobs(queue=_QUEUE, seconds_since_heartbeat=_STALLED):
                await app.job_manager.retry_job(job)
        except ProcrastinateException as problem:  # the database is away, or another worker was quicker
            log.info("batches of silent workers, looking again: %s", problem.__cause__ or problem)
        await asyncio.sleep(_STALLED / 3)


def _app(url: URL) -> App:
    from procrastinate import App, PsycopgConnector  # noqa: PLC0415

    words = " ".join(f"-c {name}={value}" for name, value in silence.THEIRS.items())
    options = {
        "options": f"-c search_path={_SCHEMA},public {words}",
        "application_name": "mailer batches",
        **silence.line(url.query),
    }
    name = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return App(connector=PsycopgConnector(conninfo=name, min_size=1, max_size=4, kwargs=options))


@cache
def _task(_: None) -> Task[Any, Any, Any]:
    """Give the task as those see it who only hand in: each does so on a connection of its own."""
    from procrastinate import App, SyncPsycopgConnector  # noqa: PLC0415

    app = App(connector=SyncPsycopgConnector())

    def send_batch(mailing: int, first: int, last: int) -> None:
        raise AssertionError(f"batches are worked off by another app: {mailing} {first} {last}")

    return app.task(name=_TASK, queue=_QUEUE)(send_batch)


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection
