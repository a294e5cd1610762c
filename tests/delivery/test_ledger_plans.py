"""How the databases go about the ledger's statements: what they read, however wrong their estimates are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from mailer.database import reading, writing
from mailer.delivery import ledger, seat
from mailer.delivery.ledger import claiming
from mailer.delivery.model import Settlement
from mailer.delivery.seat import QUICK
from mailer.delivery.states import DeliveryState
from subscribers import readers

if TYPE_CHECKING:
    import pytest
    from sqlalchemy import Connection

    from tests.delivery.conftest import World


S = DeliveryState


_TABLES = "deliveries", "subscribers", "addresses", "subscriptions"
_PEOPLE = (
    """INSERT INTO subscribers (id, name, attributes, created_at, updated_at)
    SELECT i, '', '{}', now(), now() FROM generate_series(1001, 21000) i""",
    """INSERT INTO addresses (subscriber_id, email, normalized, domain, hash, changed_at)
    SELECT i, i || '@b.example', i || '@b.example', 'b.example', decode(md5(i::text), 'hex'), now()
    FROM generate_series(1001, 21000) i""",
    """INSERT INTO subscriptions (list_id, subscriber_id, state, joined_at, changed_at)
    SELECT :list_id, i, 'active', now(), now() FROM generate_series(1001, 21000) i""",
)


_SUPPRESSED = """INSERT INTO suppressions (hash, scope, reason, created_at)
    SELECT decode(md5(i::text), 'hex'), 'everything', 'imported', now() FROM generate_series(1, 5000) i"""


def rows_read(c: Connection) -> int:
    """Give how many rows this transaction has read of the tables that a message is about."""
    words = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
    return int(c.execute(text(f"{words} WHERE relname = ANY(:names)"), {"names": list(_TABLES)}).scalar_one())


def a_group_is_sent(world: World) -> int:
    """Claim ten readers, fence and settle them as the quick seat does; give the rows that were read for it."""
    with writing(world.engine) as c:
        before = rows_read(c)
        claims = ledger.claim(c, world.mailing_id, 1, world.now, 10, within=(1, 2000))
        for name, value in QUICK.items():
            c.execute(text(f"SET LOCAL {name} = {value}"))
        assert len(ledger.advance(c, 1, [], claims, world.now)) == 10
        ledger.settle(c, 1, [Settlement(claim, S.ACCEPTED, world.now) for claim in claims])
        return rows_read(c) - before


def a_list_is_imported_and_planned(world: World) -> None:
    with writing(world.engine) as c:
        for words in _PEOPLE:
            c.execute(text(words), {"list_id": world.list_id} if ":list_id" in words else {})
    world.extend()


def test_of_a_list_that_was_just_imported_a_group_reads_its_own_rows(world: World) -> None:
    """PostgreSQL takes a list that it has never looked at for short; it must not read all of it for each group."""
    if world.engine.dialect.name != "postgresql":
        return  # SQLite's plans do not depend on how much there is
    a_list_is_imported_and_planned(world)
    assert a_group_is_sent(world) < 1300  # a thousand of the batch, from which the claim takes ten


def test_of_a_mailing_that_has_just_begun_a_group_reads_its_own_rows(world: World) -> None:
    """PostgreSQL knows the mailings of yesterday and nothing of this one; it must not read all of it either."""
    if world.engine.dialect.name != "postgresql":
        return
    with writing(world.engine) as c:
        c.execute(
            text(
                "INSERT INTO deliveries (mailing_id, subscriber_id, edition_id, list_id, address_id, address, domain,"
                " due_at, state) SELECT 999, i, 1, 1, i, 'a@b.example', 'b.example', now(), 'accepted'"
                " FROM generate_series(1, 3000) i"
            )
        )
        c.execute(text("ANALYZE deliveries"))
    a_list_is_imported_and_planned(world)
    assert a_group_is_sent(world) < 1300


def test_what_a_batch_needs_of_its_readers_is_read_of_them_alone(world: World) -> None:
    """Of people who were just imported PostgreSQL would read all, again for each batch."""
    if world.engine.dialect.name != "postgresql":
        return
    a_list_is_imported_and_planned(world)
    with writing(world.engine) as c:
        before = rows_read(c)
        assert len(readers(c, range(2001, 2501))) == 500
        assert rows_read(c) - before == 500


def test_a_plan_that_was_made_for_a_few_is_not_kept_for_many(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody was suppressed when a worker began, and then thousands are: five seconds later it looks them up by key."""
    if world.engine.dialect.name != "postgresql":
        return
    monkeypatch.setattr(seat, "_PLANS_LAST", 0.0)
    quick = seat.AloneSeat(world.engine)
    world.join("ann@one.example")
    world.extend()
    claims = world.claim()
    for _ in range(10):  # until the driver has prepared the statement
        quick.transact(lambda c: ledger.advance(c, 1, [], claims, world.now, again=True))
    with writing(world.engine) as c:
        c.execute(text(_SUPPRESSED))

    def read(c: Connection) -> int:
        c.execute(text("SELECT pg_stat_force_next_flush()"))
        words = "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'suppressions'"
        return int(c.execute(text(words)).scalar_one())

    before = quick.transact(read)
    assert len(quick.transact(lambda c: ledger.advance(c, 1, [], claims, world.now, again=True))) == 1
    assert quick.transact(read) - before < 100
    quick.close()


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
