"""What the pages for readers remember: budgets of letters, and ways back."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Change nothing yet."""
