"""The tables of moves."""

from __future__ import annotations

import pytest
from sqlalchemy import CheckConstraint, insert
from sqlalchemy.exc import IntegrityError

import subscribers
from subscribers import status, tables
from subscribers.status import SubscriptionState as S


@pytest.mark.parametrize("moves", [status.PERSON_MOVES, status.ADDRESS_MOVES, status.SUBSCRIPTION_MOVES])
def test_tables_are_whole(moves):
    """Each table speaks of every state of its kind, and no state moves to itself."""
    (kind,) = {type(state) for state in moves}
    assert set(moves) == set(kind)
    assert all(
        target in kind and target is not state for state, targets in moves.items() for target in targets
    )


def test_erased_is_the_end():
    """Nothing leads out of erased."""
    assert not status.PERSON_MOVES[status.PersonState.ERASED]


def test_nobody_is_paused_who_does_not_read():
    """Only readers pause, and whoever left comes back through a sign-up or an express wish alone."""
    assert status.sources(status.SUBSCRIPTION_MOVES, S.PAUSED) == (S.ACTIVE,)
    assert set(status.sources(status.SUBSCRIPTION_MOVES, S.UNSUBSCRIBED)) == {S.PENDING, S.ACTIVE, S.PAUSED}


def test_database_checks_states(connection, clock):
    """No other way into the tables knows a state that status.py does not."""
    checked = {
        f"{table.name}.{constraint.name}"
        for table in subscribers.metadata.sorted_tables
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    assert len(checked) == 5
    row = {"name": "", "attributes": {}, "state": "zombie", "created_at": clock(), "updated_at": clock()}
    with pytest.raises(IntegrityError), connection.begin_nested():
        connection.execute(insert(tables.subscribers).values(row))


def test_instants(connection, clock):
    """An instant comes back as it went in, in UTC; one without a time zone is refused."""
    from datetime import UTC, datetime, timedelta, timezone

    moment = datetime(2026, 10, 25, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    made = insert(tables.lists).values(key="other", created_at=moment).returning(tables.lists.c.created_at)
    (back,) = connection.scalars(made)
    assert (back, back.tzinfo) == (moment, UTC)
    with pytest.raises(Exception, match="no time zone"):
        connection.execute(insert(tables.lists).values(key="naive", created_at=datetime(2026, 1, 1)))  # noqa: DTZ001
