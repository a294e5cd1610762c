"""Conditions over `deliveries` that several statements share."""

from __future__ import annotations

from sqlalchemy import Boolean, ColumnElement, literal_column


def waiting() -> ColumnElement[bool]:
    """Planned or deferred, in literal words: only so can SQLite prove that the partial index serves."""
    return literal_column("deliveries.state IN ('planned', 'deferred')", type_=Boolean)
