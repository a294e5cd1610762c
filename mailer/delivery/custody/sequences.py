"""Ids that are never reused: a database that lost its newest rows must not hand out their ids again.

A Message-ID, a journal and a link to leave name ids; a second person, or a second mailing, under the same id would be
taken for the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from mailer.delivery.tables import mailings, workers
from subscribers import metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Column, Connection

_KEYS: Final[dict[str, Column[int]]] = {
    "workers": workers.c.epoch,
    "mailings": mailings.c.id,
    "subscribers": metadata.tables["subscribers"].c.id,
}


def highest_ids(connection: Connection) -> dict[str, int]:
    """Give the highest id that stands in each of the tables whose ids leave the database."""
    return {
        name: connection.execute(sa.select(sa.func.max(key))).scalar() or 0 for name, key in _KEYS.items()
    }


def raise_ids(connection: Connection, least: Mapping[str, int]) -> None:
    """Hand out only higher ids from now on; never lowers anything."""
    raise_one = _raise_postgresql if connection.dialect.name == "postgresql" else _raise_sqlite
    for name, value in least.items():
        if name in _KEYS and value > 0:
            raise_one(connection, name, value)


def _raise_sqlite(connection: Connection, name: str, value: int) -> None:
    values = {"name": name, "value": value}
    known = connection.execute(
        sa.text("UPDATE sqlite_sequence SET seq = max(seq, :value) WHERE name = :name"), values
    ).rowcount
    if not known:
        connection.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :value)"), values)


def _raise_postgresql(connection: Connection, name: str, value: int) -> None:
    values = {"name": name, "key": _KEYS[name].name, "value": value}
    found = sa.text(
        "SELECT setval(s, greatest(nextval(s), :value)) "
        "FROM (SELECT CAST(pg_get_serial_sequence(:name, :key) AS regclass) AS s) AS found"
    )
    connection.execute(found, values)
