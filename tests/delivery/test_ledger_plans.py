"""How the databases go about the ledger's statements: what they read, however wrong their estimates are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text

from mailer.database import reading, writing
from mailer.delivery import ledger
from mailer.delivery.ledger import claiming
from mailer.delivery.model import Settlement
from mailer.delivery.states import DeliveryState

if TYPE_CHECKING:
    from tests.delivery.conftest import World


S = DeliveryState


@pytest.fixture
def capture_plans(world: World) -> list[str]:
    """Collect PostgreSQL's plan of every statement that changes a delivery."""
    plans: list[str] = []

    def look(connection: object, cursor: object, words: str, values: object, *_: object) -> None:
        if "UPDATE deliveries" in words and not words.startswith("EXPLAIN"):
            plans.append("\n".join(row[0] for row in cursor.execute(f"EXPLAIN {words}", values)))  # type: ignore[attr-defined]

    event.listen(world.engine, "before_cursor_execute", look)
    return plans


def test_no_estimate_of_the_server_makes_it_read_a_whole_mailing(
    world: World, capture_plans: list[str]
) -> None:
    """Of a mailing that has just begun PostgreSQL knows nothing: claims, fences and outcomes search the primary key."""
    if world.engine.dialect.name != "postgresql":
        return  # SQLite's plans do not depend on how much there is
    world.join("ann@one.example")
    world.extend()
    with writing(world.engine) as c:
        # Many rows of an older mailing, which the server knows well; of the new one it knows nothing.
        c.execute(
            text(
                "INSERT INTO deliveries (mailing_id, subscriber_id, edition_id, list_id, address_id, address, domain,"
                " due_at, state) SELECT 999, i, 1, 1, i, 'a@b.example', 'b.example', now(), 'accepted'"
                " FROM generate_series(1, 20000) i"
            )
        )
        c.execute(text("ANALYZE deliveries"))
        claims = ledger.claim(c, world.mailing_id, 1, world.now, 10, within=(1, 1000))
        ledger.advance(c, 1, [], claims, world.now)
        ledger.settle(c, 1, [Settlement(claims[0], S.ACCEPTED, world.now)])
    assert len(capture_plans) == 3
    for plan in capture_plans:
        assert "Seq Scan on deliveries" not in plan
        assert "subscriber_id = ANY" in plan


def test_claiming_reads_the_index_of_those_who_wait(world: World) -> None:
    """A claim costs what it claims, not what the mailing holds: SQLite searches the partial index and sorts nothing."""
    if world.engine.dialect.name != "sqlite":
        return  # PostgreSQL chooses by statistics, which a test's few rows do not give
    statement = str(
        claiming._claim_statement(excluding=False, within=False, server=False).compile(world.engine)
    )
    with reading(world.engine) as c:
        marks = tuple([1] * statement.count("?"))
        plan = [row[3] for row in c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", marks)]
    assert any("USING INDEX deliveries_waiting" in line for line in plan)
    assert not any("TEMP B-TREE" in line for line in plan)
