"""What the pages remember: budgets of letters, and requests that were taken and are not yet worked off.

A budget's subject is a keyed hash, so that the table names neither an address nor a network. A request holds the
address that was typed, for the second or so until it is worked off; never longer than a day.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from mailer.events import metadata
from subscribers import Instant

__all__ = ["budgets", "metadata", "requests"]

budgets: Final = Table(
    "budgets",
    metadata,
    Column("kind", String(16), primary_key=True),  # address, network, all
    Column("subject", LargeBinary(16), primary_key=True),
    Column(
        "whole_at", BigInteger, nullable=False
    ),  # milliseconds since 1970: when nothing of it is spent any more
    Index("budgets_whole_at", "whole_at"),
    sqlite_with_rowid=False,
)

requests: Final = Table(
    "requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("document", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)
