"""Tokens of the operators' API, its idempotency keys, and the hooks in and out."""

from __future__ import annotations

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Change nothing yet."""
