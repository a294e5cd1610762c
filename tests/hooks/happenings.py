"""What happens and is told of, for the tests of hooks: readers, events, a turn of the part, what its tables hold."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from mailer import events
from mailer.database import reading, writing
from mailer.hooks import outbox
from mailer.hooks.running import run
from mailer.hooks.tables import dispatches, receivers
from subscribers import add
from tests.web.hooks.standing import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailer.delivery.ground import Ground


def reader(ground: Ground, email: str = "ann@reader.example") -> int:
    with writing(ground.database) as connection:
        person = add(
            connection,
            email=email,
            list_key="main",
            now=ground.clock(),
            hash_key=KEYS.suppression,
            basis="t",
            name="Ann",
        )
    return person.id


def happen(ground: Ground, kind: str, subject: object = "72.main", **data: object) -> None:
    with writing(ground.database) as connection:
        events.record(connection, kind, str(subject), ground.clock(), "test", **data)


def enrol(ground: Ground) -> None:
    """Know the receivers before anything happens, as a running daemon does."""
    with writing(ground.database) as connection:
        outbox.enrol(connection, [one.name for one in ground.settings.webhooks], 0, ground.clock())


def tell(ground: Ground, done: Callable[[], bool], **more: Any) -> None:
    """Run the part until something is so; the limit guards against hanging alone."""

    async def main() -> None:
        stopped = asyncio.Event()
        part = asyncio.create_task(run(ground, stopped, look=0.02, chance=lambda: 0.5, **more))
        try:
            async with asyncio.timeout(40):
                while not await asyncio.to_thread(done):
                    await asyncio.sleep(0.02)
                    if part.done():
                        break
        finally:
            stopped.set()
            await part

    asyncio.run(main())


def rows(ground: Ground) -> list[Any]:
    with reading(ground.database) as connection:
        return list(connection.execute(select(dispatches).order_by(dispatches.c.id)))


def state(ground: Ground) -> Any:
    with reading(ground.database) as connection:
        return connection.execute(select(receivers)).one()
