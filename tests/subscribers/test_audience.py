"""Who is mailable now."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, text

import subscribers
from subscribers import suppression, tables
from subscribers.status import Reason, Scope


def mailable(connection, clock, list_key="main"):
    list_id = subscribers.ensure_lists(connection, [list_key], clock.now)[list_key]
    return {row.email for row in connection.execute(subscribers.audience(list_id, clock.now))}


def test_columns(connection, clock, add):
    """The audience has the six columns that the ledger plans from, and no other."""
    ann = add("Ann@Example.ORG", time_zone="Europe/Vienna")
    list_id = subscribers.ensure_lists(connection, ["main"], clock.now)["main"]
    row = connection.execute(subscribers.audience(list_id, clock.now)).one()
    assert row._asdict() == {
        "subscriber_id": ann.id,
        "list_id": list_id,
        "address_id": row.address_id,
        "email": "Ann@example.org",
        "domain": "example.org",
        "time_zone": "Europe/Vienna",
    }


def test_other_lists(connection, clock, add):
    """A reader of one list gets nothing of another."""
    add("ann@example.org")
    assert mailable(connection, clock, "beta") == set()


def test_left(connection, clock, add):
    """Whoever left is not mailable, from that call on."""
    ann = add("ann@example.org")
    subscribers.unsubscribe(connection, ann.id, "main", clock(), "one-click")
    assert mailable(connection, clock) == set()


def test_pause_ends_by_itself(connection, clock, add):
    """Whoever paused until a moment is mailable from that moment on."""
    ann = add("ann@example.org")
    subscribers.pause(connection, ann.id, "main", clock(), "page", until=clock.now + timedelta(days=7))
    assert mailable(connection, clock) == set()
    clock(days=7)
    assert mailable(connection, clock) == {"ann@example.org"}


def test_pause_without_end(connection, clock, add):
    """A pause without an end holds until it is resumed."""
    ann = add("ann@example.org")
    subscribers.pause(connection, ann.id, None, clock(), "page")
    clock(days=10_000)
    assert mailable(connection, clock) == set()
    assert subscribers.resume(connection, ann.id, None, clock(), "page") == ("main",)
    assert mailable(connection, clock) == {"ann@example.org"}


@pytest.mark.parametrize(
    ("scope", "scope_key", "main", "beta"),
    [
        (Scope.LIST, "main", False, True),
        (Scope.LIST, "beta", True, False),
        (Scope.BRAND, "acme", True, False),
        (Scope.BRAND, "", False, True),
        (Scope.EVERYTHING, "", False, False),
    ],
)
def test_suppressed(connection, clock, add, scope, scope_key, main, beta):
    """A suppression reaches a list, the lists of a brand, or everything."""
    add("ann@example.org")
    add("ann@example.org", "beta")
    hash_ = connection.scalar(select(tables.addresses.c.hash))
    suppression.suppress(
        connection, [hash_], scope=scope, scope_key=scope_key, reason=Reason.MANUAL, now=clock()
    )
    assert bool(mailable(connection, clock)) is main
    assert bool(mailable(connection, clock, "beta")) is beta


def test_suppression_ends(connection, clock, add):
    """A suppression counts until it expires or is lifted."""
    add("ann@example.org")
    hash_ = connection.scalar(select(tables.addresses.c.hash))
    end = clock(days=1)
    common = {"scope": Scope.EVERYTHING, "now": clock()}
    suppression.suppress(
        connection, [hash_], reason=Reason.COMPLAINT, expires_at=end + timedelta(days=2), **common
    )
    assert mailable(connection, clock) == set()
    clock(days=3)
    assert mailable(connection, clock) == {"ann@example.org"}
    suppression.suppress(connection, [hash_], reason=Reason.COMPLAINT, **common)
    assert mailable(connection, clock) == set()
    assert suppression.lift(connection, hash_, now=clock(), why="test") == 1
    assert mailable(connection, clock) == {"ann@example.org"}


def test_dead_complained_erased(connection, clock, add):
    """A dead address, a complaint and an erasure each end all mail."""
    people = [add(f"p{number}@example.org") for number in range(4)]
    subscribers.lose(connection, people[0].id, clock(), "5.1.1 no such user")
    subscribers.complain(connection, people[1].id, "main", clock(), "feedback loop")
    subscribers.erase(connection, people[2].id, clock())
    assert mailable(connection, clock) == {"p3@example.org"}


def test_narrowed(connection, clock, add):
    """A caller narrows the audience by its own columns, and counts it."""
    people = [add(f"p{number}@example.org") for number in range(5)]
    list_id = subscribers.ensure_lists(connection, ["main"], clock.now)["main"]
    everyone = subscribers.audience(list_id, clock.now)
    some = everyone.where(everyone.selected_columns.subscriber_id.in_([people[1].id, people[3].id]))
    assert connection.scalar(select(func.count()).select_from(some.subquery())) == 2


def test_counts_add_up(connection, clock, add):
    """Readers = active - paused - suppressed - unreachable, and each person counts once."""
    people = [add(f"p{number}@example.org") for number in range(9)]
    subscribers.pause(connection, people[0].id, None, clock(), "page")
    subscribers.lose(connection, people[1].id, clock(), "5.1.1")
    subscribers.unsubscribe(connection, people[2].id, None, clock(), "page")
    subscribers.complain(connection, people[3].id, "main", clock(), "fbl")
    hash_ = connection.scalar(
        select(tables.addresses.c.hash).where(tables.addresses.c.subscriber_id == people[4].id)
    )
    suppression.suppress(connection, [hash_], scope=Scope.EVERYTHING, reason=Reason.MANUAL, now=clock())
    subscribers.erase(connection, people[5].id, clock())
    list_id = subscribers.ensure_lists(connection, ["main"], clock.now)["main"]
    counts = subscribers.audience_counts(connection, list_id, clock.now)
    assert counts == subscribers.AudienceCounts(
        active=6, paused=1, suppressed=2, unreachable=0, pending=0, unsubscribed=3, readers=3
    )
    assert counts.readers == len(mailable(connection, clock))


def test_readers(connection, clock, add):
    """Name, language and, only if asked, attributes come in one query; strangers are left out."""
    ann = add("ann@example.org", name="Ann", language="de_at", attributes={"beta": True})
    assert subscribers.readers(connection, [ann.id, 999]) == {
        ann.id: subscribers.Reader("Ann", "de-AT", {"beta": True})
    }
    assert subscribers.readers(connection, [ann.id], with_attributes=False) == {
        ann.id: subscribers.Reader("Ann", "de-AT")
    }


def fill(connection, size):
    """Make many people fast, in a pattern that every plan has to cope with."""
    ids = range(1, size + 1)
    at = {"created_at": "2026-01-01 00:00:00.000000Z"}
    now = subscribers.Instant().process_result_value(at["created_at"], connection.dialect)
    connection.execute(
        insert(tables.subscribers),
        [{"id": n, "attributes": {}, "created_at": now, "updated_at": now} for n in ids],
    )
    connection.execute(
        insert(tables.addresses),
        [
            {"subscriber_id": n, "email": f"p{n}@d.org", "normalized": f"p{n}@d.org", "domain": "d.org"}
            | {"hash": n.to_bytes(16, "big"), "changed_at": now}
            for n in ids
        ],
    )
    connection.execute(
        insert(tables.subscriptions),
        [
            {"subscriber_id": n, "list_id": 1, "state": "active", "joined_at": now, "changed_at": now}
            for n in ids
        ],
    )


def query_plan(connection, query):
    sql = query.compile(connection, compile_kwargs={"literal_binds": True})
    return [row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {sql}"))]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("narrow", ["range", "few", "exists"])
@pytest.mark.parametrize("analyzed", [False, True])
def test_plans_use_indexes(connection, clock, narrow, analyzed):
    """A chunk, a handful and a correlated EXISTS search by keys and scan no table, with statistics or not."""
    fill(connection, 2000)
    if analyzed:
        connection.exec_driver_sql("ANALYZE")
    everyone = subscribers.audience(1, clock.now)
    who = everyone.selected_columns.subscriber_id
    if narrow == "range":
        query = everyone.where(who.between(100, 600))
    elif narrow == "few":
        query = everyone.where(who.in_(range(1, 21)))
    else:
        outer = tables.tags.alias()
        query = select(outer.c.tag).where(
            outer.c.subscriber_id.in_([1, 2]), everyone.where(who == outer.c.subscriber_id).exists()
        )
    plan = query_plan(connection, query)
    assert not [step for step in plan if step.startswith("SCAN") and "CONSTANT" not in step], plan
    narrow_steps = [step for step in plan if step.startswith(("SEARCH subscriptions", "SEARCH addresses"))]
    assert len(narrow_steps) == 2
    assert all("subscriber_id" in step for step in narrow_steps), plan
