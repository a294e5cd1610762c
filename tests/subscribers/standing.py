"""How somebody stands to a list, and how many rows a table has."""

from __future__ import annotations

from sqlalchemy import func, select

import subscribers


def state(connection, person_id, list_key="main"):
    """Give how somebody stands to a list."""
    found = subscribers.get(connection, person_id).subscription(list_key)
    return found and found.state


def count(connection, table):
    return connection.scalar(select(func.count()).select_from(table))
