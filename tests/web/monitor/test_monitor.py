"""The second port: sums for Prometheus that name no reader, and whether the process can work."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, text

from mailer.database import open_engine, writing
from mailer.delivery import ledger, mailing
from mailer.delivery.model import Settlement
from mailer.delivery.states import DeliveryState, MailingState
from mailer.hooks.tables import receivers, reports
from mailer.web.monitor import run
from mailer.web.monitor.serving import app
from mailer.web.monitor.sums import DOMAINS
from subscribers import add, audience, ensure_lists
from tests.delivery.conftest import edition
from tests.web.hooks.standing import KEYS, Clock, Web, ground_on

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from mailer.delivery.ground import Ground


@pytest.fixture
def ground(engine: Engine, tmp_path: Path) -> Ground:
    return ground_on(engine, tmp_path / "newsletter", clock=Clock())


def mail(ground: Ground, emails: list[str], accepted: int, **issue: Any) -> None:
    """A mailing that runs, to these readers, of whom so many have it."""
    now = ground.clock()
    with writing(ground.database) as connection:
        for email in emails:
            add(connection, email=email, list_key="main", now=now, hash_key=KEYS.suppression, basis="t")
        opened = mailing.open_mailing(connection, edition(**issue), "main", now)
        mailing.freeze(connection, opened.id, edition(**issue), None, now, committed=True)
        found = mailing.get(connection, opened.id)
        list_id = ensure_lists(connection, ["main"], now)["main"]
        readers = audience(list_id, now)
        ledger.plan(connection, readers, mailing_id=found.id, edition_id=found.edition_id or 0, due_at=now)
        claims = ledger.claim(connection, found.id, 1, now, accepted) if accepted else []
        ledger.fence(connection, 1, claims, now)
        ledger.settle(connection, 1, [Settlement(one, DeliveryState.ACCEPTED, now) for one in claims])


def scraped(ground: Ground) -> dict[tuple[str, tuple[str, ...]], float]:
    answer = Web(app(ground)).get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_mailing_is_told_by_state_and_by_domain(ground: Ground):
    """How many wait, how many have it, and where; within the last minute, too."""
    mail(ground, ["a@big.example", "b@big.example", "c@big.example", "me@ann-smith.example"], 3)
    found = scraped(ground)
    assert found["mailer_up", ()] == 1
    assert found["mailer_deliveries", ("72.main", "accepted")] == 3
    assert found["mailer_deliveries", ("72.main", "waiting")] == 1
    assert found["mailer_domain_outcomes", ("big.example", "accepted")] == 3
    assert found["mailer_accepted_last_minute", ()] == 3


def test_an_old_mailing_that_runs_again_is_told_whole(ground: Ground):
    """What is packed of it counts with the rest."""
    mail(ground, ["a@big.example", "b@big.example"], 2)
    with writing(ground.database) as connection:
        mailing.move(connection, 1, MailingState.FINISHED, ground.clock())
        assert ledger.shelve(connection, 1, ground.clock() + timedelta(days=1), 0)
        mailing.move(connection, 1, MailingState.RUNNING, ground.clock())
    found = scraped(ground)
    assert found["mailer_deliveries", ("72.main", "accepted")] == 2


def test_no_reader_is_named(ground: Ground):
    """Addresses are nowhere, and a domain with one reader is among the others."""
    mail(ground, ["me@ann-smith.example", "a@big.example", "b@big.example"], 3)
    text = Web(app(ground)).get("/metrics").text
    assert "ann-smith" not in text
    assert "@" not in text
    assert 'domain="other"' in text


def test_no_reader_is_named_by_having_had_two_mails(ground: Ground):
    """A domain's size is that of its readers, not of what they got."""
    for number in (72, 73):
        emails = ["me@ann-smith.example", "a@big.example", "b@big.example"]
        mail(ground, emails, 3, number=number, slug=f"issue-{number}")
    found = scraped(ground)
    assert found["mailer_domain_outcomes", ("big.example", "accepted")] == 4
    assert found["mailer_domain_outcomes", ("other", "accepted")] == 2


def test_the_number_of_domains_is_bounded(ground: Ground):
    """However many domains there are, the largest are named and the others are one."""
    emails = [f"{who}@d{number}.example" for number in range(DOMAINS + 15) for who in ("a", "b")]
    mail(ground, emails, len(emails))
    named = {labels[0] for name, labels in scraped(ground) if name == "mailer_domain_outcomes"}
    assert len(named) == DOMAINS + 1
    outcomes = [value for (name, _), value in scraped(ground).items() if name == "mailer_domain_outcomes"]
    assert sum(outcomes) == len(emails)


def test_hooks_are_told(ground: Ground):
    """What providers reported, how receivers stand, and how far behind they are."""
    with writing(ground.database) as connection:
        row = {"hook": "ses", "key": "k", "digest": b"d", "at": ground.clock(), "notices": 3, "unknown": 2}
        connection.execute(insert(reports).values(**row))
        connection.execute(insert(receivers).values(name="crm", read_upto=0, failures=4))
    mail(ground, ["a@big.example"], 0)
    found = scraped(ground)
    assert found["mailer_provider_events_last_day", ("ses", "notices")] == 3
    assert found["mailer_provider_events_last_day", ("ses", "unknown")] == 2
    assert found["mailer_webhook_failures", ("crm",)] == 4
    assert found["mailer_webhook_ended", ("crm",)] == 0
    assert ("mailer_webhook_dispatches", ("crm", "waiting")) in found
    assert found["mailer_budgets_spent", ("address",)] == 0
    assert found["mailer_letters_due", ()] == 0


def test_scrapes_in_a_row_read_the_database_once(ground: Ground, monkeypatch):
    """Half a minute long the sums are given again: a curious scraper does not slow a send down."""
    from mailer.web.monitor import sums

    asked: list[object] = []
    every = sums.every
    monkeypatch.setattr(sums, "every", lambda *words: asked.append(1) or every(*words))
    web = Web(app(ground))
    for _ in range(5):
        assert web.get("/metrics").status_code == 200
    assert len(asked) == 1


def test_a_ready_process_says_so(ground: Ground):
    """With the newsletter's UUID, so that a watcher knows whom it asked."""
    answer = Web(app(ground)).get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert answer.json()["newsletter"] == str(ground.settings.id)


def test_a_process_with_an_old_or_a_foreign_database_is_not_ready(ground: Ground):
    """503, with a sentence; what stands in the database does not matter then."""
    with writing(ground.database) as connection:
        connection.execute(text("UPDATE newsletter SET uuid = '00000000-0000-0000-0000-000000000000'"))
    answer = Web(app(ground)).get("/readyz")
    assert (answer.status_code, answer.json()["problems"]) == (
        503,
        ["the database belongs to another newsletter"],
    )
    with writing(ground.database) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert "the database is at schema 0001" in Web(app(ground)).get("/readyz").text


def test_a_database_that_is_away_is_told(tmp_path: Path, migrated_sqlite: Path):
    """/readyz says 503, /metrics says that it could read nothing, and neither falls over."""
    import shutil
    from dataclasses import replace

    shutil.copy(migrated_sqlite, tmp_path / "test.db")
    engine = open_engine(f"sqlite:///{tmp_path / 'test.db'}")
    ground = ground_on(engine, tmp_path / "newsletter", clock=Clock())
    engine.dispose()
    away = replace(ground, database=open_engine(f"sqlite:///{tmp_path / 'none' / 'gone.db'}"))
    answer = Web(app(away)).get("/readyz")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["the database does not answer"])
    assert scraped(away) == {("mailer_up", ()): 0.0}


def test_the_part_serves_and_ends(ground: Ground):
    """On a real port, on the loopback; it ends when it is told to."""

    async def main() -> Any:
        stopped, started = asyncio.Event(), asyncio.get_running_loop().create_future()
        part = asyncio.create_task(run(ground, stopped, port=0, started=started))
        async with asyncio.timeout(20):
            port = await started
            async with httpx.AsyncClient(trust_env=False) as client:
                answer = await client.get(f"http://127.0.0.1:{port}/readyz")
            stopped.set()
            await part
        return answer.json()

    assert asyncio.run(main())["ready"] is True


def test_a_port_that_is_taken_stops_nobody(ground: Ground, monkeypatch, caplog):
    """It is said in the log, and asked for again: the daemon goes on, and so does the mail."""
    from mailer.web.monitor import serving

    monkeypatch.setattr(serving, "AGAIN", 0.02)

    async def main(other: socket.socket) -> int:
        stopped, started = asyncio.Event(), asyncio.get_running_loop().create_future()
        part = asyncio.create_task(run(ground, stopped, port=other.getsockname()[1], started=started))
        async with asyncio.timeout(20):
            while "nobody can listen at 127.0.0.1" not in caplog.text:  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.01)
            other.close()
            port = await started
            stopped.set()
            await part
        return port

    with socket.create_server(("127.0.0.1", 0)) as other:
        assert asyncio.run(main(other)) > 0


def test_port_0_serves_nowhere(ground: Ground):
    """Whoever wants no second port has none."""
    object.__setattr__(ground.settings.monitor, "port", 0)

    async def main() -> None:
        stopped = asyncio.Event()
        part = asyncio.create_task(run(ground, stopped))
        await asyncio.sleep(0.05)
        assert not part.done()
        stopped.set()
        async with asyncio.timeout(5):
            await part

    asyncio.run(main())
