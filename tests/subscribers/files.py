"""What the tests of imports look at: rows of a file, readers of a list, and all that is held."""

from __future__ import annotations

import csv

from sqlalchemy import select

import subscribers
from subscribers import tables


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def everybody(engine, clock, list_key="main"):
    with engine.begin() as connection:
        list_id = subscribers.ensure_lists(connection, [list_key], clock.now)[list_key]
        return {row.email for row in connection.execute(subscribers.audience(list_id, clock.now))}


def snapshot(engine):
    """Everything that is held about people."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in subscribers.metadata.sorted_tables
            if table is not tables.imports
        }
