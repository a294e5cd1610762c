"""Leaving while a mailing runs: many at once, beside a process that sends, on one SQLite file."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import httpx
import pytest

from mailer.database import open_newsletter
from mailer.delivery.ground import Ground
from mailer.keys import Purpose, load_keys
from mailer.settings import load_settings
from mailer.web.serving import serve
from tests.stories.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
READERS, LEAVERS, AT_ONCE, CONNECTIONS = 3000, 2000, 50, 4
PATIENCE = 120.0


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path, READERS)
    made.serve(connections=CONNECTIONS)
    made.newsletter.relay += "&per_second=20"
    yield made
    if made.server is not None:
        made.server.close()


def ground_of(stage: Stage) -> Ground:
    """Give the ground of the newsletter that another process sends from."""
    settings = load_settings(stage.newsletter.folder, {})
    keys = load_keys(settings.secret_file, None)
    return Ground(settings, keys, open_newsletter(settings.database, settings.id), ())


async def left(ground: Ground, paths: list[str]) -> list[int]:
    """Post one click for each of the paths, so many at a time, over real connections; give the statuses."""
    stopped: asyncio.Event = asyncio.Event()
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(ground, stopped, port=0, started=started))
    port = await asyncio.wait_for(started, PATIENCE)
    turns = asyncio.Semaphore(AT_ONCE)
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=PATIENCE
    ) as client:

        async def post(path: str) -> int:
            async with turns:
                said = await client.post(path, data={"List-Unsubscribe": "One-Click"})
                return said.status_code

        statuses = await asyncio.gather(*(post(path) for path in paths))
    stopped.set()
    await serving
    return list(statuses)


def test_two_thousand_leave_while_a_mailing_runs(stage: Stage):
    """All are answered 200, none is lost, and none of them gets mail that was not on the wire already (U12, U15)."""
    process = stage.sending()
    ground = ground_of(stage)
    with stage.database() as database:
        (list_id,) = database.execute("SELECT id FROM lists WHERE key = 'main'").fetchone()
        chosen = [
            row[0]
            for row in database.execute(
                "SELECT subscriber_id FROM subscriptions ORDER BY subscriber_id DESC LIMIT ?", (LEAVERS,)
            )
        ]
    paths = [f"/unsubscribe/{ground.keys.link_token(Purpose.UNSUBSCRIBE, one, list_id)}" for one in chosen]
    statuses = asyncio.run(left(ground, paths))
    assert stage.server is not None
    on_the_wire = set(stage.got())
    assert process.poll() is None, "the mailing ended before they had all left: it proves nothing"
    assert statuses == [200] * LEAVERS
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    stage.newsletter.relay = stage.newsletter.relay.replace("per_second=20", "per_second=10000")
    stage.send()
    ground.database.dispose()
    with stage.database() as database:
        states = dict(database.execute("SELECT state, count(*) FROM subscriptions GROUP BY state"))
        gone = "SELECT subscriber_id FROM subscriptions WHERE state = 'unsubscribed'"
        mailboxes = database.execute(f"SELECT email FROM addresses WHERE subscriber_id IN ({gone})")  # noqa: S608 - our own words
        leavers = {row[0] for row in mailboxes}
        assert states == {"unsubscribed": LEAVERS, "active": READERS - LEAVERS}
    late = [
        row
        for row in stage.newsletter.rows("72")
        if row["email"] in leavers
        and row["state"] == "accepted"
        and row["message_id"].strip("<>") not in on_the_wire
    ]
    assert len(late) <= CONNECTIONS
