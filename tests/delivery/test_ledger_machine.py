"""A state machine over the ledger: two workers, crashes, pauses, people who leave; and what must hold throughout."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    run_state_machine_as_test,
)
from sqlalchemy import text

from mailer.database import open_engine, upgrade, writing
from tests.delivery.two_workers import Ledger

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine


def emptied(url: str) -> Engine:
    """Give an engine on a PostgreSQL database whose tables are emptied, and whose ids begin anew."""
    engine = open_engine(url)
    with writing(engine) as c:
        names = c.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        tables = ", ".join(sorted(set(names) - {"alembic_version"}))
        c.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
    return engine


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "examples"), [("sqlite", 60), ("postgresql", 30)])
def test_the_ledger_keeps_its_promises(
    kind: str, examples: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Never accepted twice, nobody skipped silently, nothing after an unsubscribe, sums balance: whatever happens."""
    if kind == "sqlite":
        template, file = request.getfixturevalue("migrated_sqlite"), tmp_path / "ledger.db"

        def fresh() -> Engine:
            shutil.copy(template, file)
            return open_engine(f"sqlite:///{file}")
    else:
        url = request.getfixturevalue("postgres_url")
        migrated = open_engine(url)
        upgrade(migrated)
        migrated.dispose()

        def fresh() -> Engine:
            return emptied(url)

    Ledger.fresh = staticmethod(fresh)
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
