"""Two workers on one PostgreSQL, each a real process with a folder of its own: what one word does, it does to both."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from mailer.database import open_engine, reading
from mailer.delivery.states import DeliveryState
from mailer.delivery.tables import deliveries, mailings, workers
from tests.killtest.namespaces import Processes
from tests.killtest.stage import Newsletter, Server
from tests.killtest.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
READERS = 6_000  # more batches than one worker takes in hand
LAST = f"reader{READERS - 1}@d{(READERS - 1) % 40}.example"  # in the last batch
REFUSING = {"rules": [{"at": "rcpt", "reply": "550 5.1.1 no such user"}], "delay": 0.01}


def until(true: Callable[[], bool], seconds: float = 240) -> None:
    """Wait for something; a guard against hanging, no measurement."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


class Machines:
    """Two places with a worker each, a third place for the person, one PostgreSQL and one relay."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        self.servers = [Server(folder / "accepted.jsonl", script='{"delay": 0.01}')]
        self.newsletter = Newsletter(folder, READERS, database)
        self._lead_to(self.servers[0])
        self.workers: list[Worker] = []
        self._database = open_engine(database)

    def _lead_to(self, server: Server) -> None:
        self.newsletter.relay = f"smtp://127.0.0.1:{server.port}?connections=6"

    def start(self, *servers: Server, parts: str = "delivery", issue: str = "") -> None:
        """Start the workers, each with its relay, and with an issue in its folder, if there is one."""
        for number, server in enumerate(servers):
            self._lead_to(server)
            there = self.folder / f"place{number}"
            one = Worker(number, self.newsletter, there, Processes("none"), self.newsletter.database, parts)
            if issue:
                (there / "issues").mkdir()
                (there / "issues" / "072.md").write_text(issue)
            one.start()
            self.workers.append(one)
        self._lead_to(self.servers[0])

    def senders(self) -> int:
        """Count the workers that have brought somebody something, or tried."""
        over = deliveries.c.state.in_((DeliveryState.ACCEPTED, DeliveryState.REFUSED))
        mine = workers.c.pid.in_([one.pid for one in self.workers])
        rows = select(func.count(workers.c.pid.distinct())).join(
            deliveries, deliveries.c.epoch == workers.c.epoch
        )
        with reading(self._database) as connection:
            return connection.scalar(rows.where(over, mine)) or 0

    def states(self) -> Counter[str]:
        """Give how many are in which state."""
        with reading(self._database) as connection:
            rows = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
            return Counter({row[0]: row[1] for row in connection.execute(rows)})

    def mailing(self) -> tuple[str, str]:
        """Give state and reason of the one mailing."""
        with reading(self._database) as connection:
            row = connection.execute(select(mailings.c.state, mailings.c.reason)).one()
        return str(row.state), str(row.reason)

    def quiet(self) -> bool:
        """Say whether nobody has anything in hand."""
        return not self.states() & Counter(claimed=READERS, sending=READERS)

    def both_sending(self) -> None:
        """Begin a mailing, start both, and come back when each has sent."""
        self.newsletter.begin(72, self.servers[0])
        self.start(self.servers[0], self.servers[0])
        until(lambda: self.senders() == 2)

    def taken(self) -> Counter[str]:
        """Give how often each Message-ID was taken, by any relay."""
        return sum((one.taken() for one in self.servers), Counter())

    def close(self) -> None:
        """End all of it in good order."""
        for one in self.workers:
            one.end(signal.SIGTERM)
        self._database.dispose()
        for server in self.servers:
            server.close()


@pytest.fixture
def machines(tmp_path: Path, postgres_url: str) -> Iterator[Machines]:
    """Machines that end with the test."""
    made = Machines(tmp_path, postgres_url)
    yield made
    made.close()


def test_a_pause_and_a_cancellation_hold_for_both(machines: Machines) -> None:
    """Both lay everything down; after `resume` both go on; a cancellation skips whoever still waits. Nobody has two."""
    machines.both_sending()
    machines.newsletter.must("pause", "72")
    until(machines.quiet)
    sent = machines.taken().total()
    assert machines.states() == {"accepted": sent, "planned": READERS - sent}
    machines.newsletter.must("resume", "72")
    until(lambda: machines.taken().total() > sent + 200)
    machines.newsletter.must("cancel", "72", "--yes")
    until(lambda: machines.quiet() and not machines.states()["planned"])
    sent = machines.taken().total()
    assert machines.states() == {"accepted": sent, "skipped": READERS - sent}
    assert max(machines.taken().values()) == 1


def test_a_resumed_mailing_comes_to_its_end_and_an_unsubscribe_holds_for_both(machines: Machines) -> None:
    """Who left while two workers send gets nothing from either; all others have it once."""
    machines.both_sending()
    machines.newsletter.must("subscribers", "unsubscribe", LAST, "--list", "main")
    machines.newsletter.must("pause", "72")
    until(machines.quiet)
    machines.newsletter.must("resume", "72")
    until(lambda: machines.mailing()[0] == "finished")
    assert machines.states() == {"accepted": READERS - 1, "skipped": 1}
    rows = {row["email"]: row for row in machines.newsletter.rows("72")}
    assert rows[LAST]["state"] == "skipped"
    assert set(machines.taken()) == {
        row["message_id"].strip("<>") for email, row in rows.items() if email != LAST
    }
    assert set(machines.taken().values()) == {1}


def test_the_tripwire_of_one_stops_both(machines: Machines) -> None:
    """Of two workers one is refused everywhere and trips; the other, which is well, stops with it."""
    refusing = Server(machines.folder / "refused.jsonl", script=json.dumps(REFUSING))
    (machines.folder / "refused.jsonl").touch()
    machines.servers.append(refusing)
    machines.newsletter.begin(72, machines.servers[0])
    machines.start(machines.servers[0], refusing)
    until(lambda: machines.mailing()[0] == "paused")
    until(machines.quiet)
    assert machines.mailing()[1].startswith("tripwire: ")
    states = machines.states()
    assert states["refused"] > 0
    assert states["planned"] > 0
    assert states["accepted"] == machines.taken().total()


def test_two_daemons_begin_a_due_mailing_once(machines: Machines) -> None:
    """Both keep the schedules and both see that the hour has come: one mailing, and nobody has it twice."""
    at = datetime.now(UTC) - timedelta(seconds=30)
    issue = (
        f"---\nissue: 72\ntitle: Letter 72\nsend: {at:%Y-%m-%d %H:%M:%S}Z\n---\nHello, all is well here.\n"
    )
    machines.start(machines.servers[0], machines.servers[0], parts="delivery,schedule", issue=issue)
    until(lambda: machines.states()["accepted"] == READERS)
    assert machines.mailing()[0] in {"running", "finished"}  # of the one that there is
    assert set(machines.taken().values()) == {1}
