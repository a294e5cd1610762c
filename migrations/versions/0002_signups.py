"""Sign-ups and what they were shown, and the letters' words to new readers."""

from __future__ import annotations

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Change nothing yet."""
