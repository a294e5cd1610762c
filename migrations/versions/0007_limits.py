"""What each relay took, hour by hour, so that its limits outlive a process."""

from __future__ import annotations

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Change nothing yet."""
