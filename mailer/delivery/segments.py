"""Segments as the ledger uses them: a name becomes a condition over an audience."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from sqlalchemy import Select

from mailer.errors import Problem, UserError

Narrow: TypeAlias = Callable[[Select[Any], str], Select[Any]]
"""Narrows readers (columns as audience() gives them) to those of a segment, by its name."""


def plain(_readers: Select[Any], segment: str) -> Select[Any]:
    """Refuse every segment: for a newsletter that has written none down."""
    raise UserError(Problem(f"there is no segment {segment!r}: segments.toml names none", "segments.toml"))
