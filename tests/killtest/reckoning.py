"""The reckoning of the kill-test: what the server took against what the ledger says, reader by reader. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Mapping

SETTLED = frozenset({"accepted", "refused", "skipped", "uncertain"})


@dataclass
class Reckoning:
    """The sums over all mailings; what may not be is named, one line each."""

    kills: int = 0
    allowed: int = 0
    lost: int = 0
    twice: int = 0
    taken: int = 0  # uncertain, and the server has it
    not_taken: int = 0  # uncertain, and the server never had it whole
    faults: list[str] = field(default_factory=list)

    @property
    def uncertain(self) -> int:
        """How many the ledger is in doubt about."""
        return self.taken + self.not_taken

    @property
    def good(self) -> bool:
        """Whether the promise was kept."""
        return not self.lost and not self.twice and not self.faults and self.uncertain <= self.allowed

    def line(self) -> str:
        """Give the last line of the kill-test."""
        return (
            f"kills {self.kills} lost {self.lost} twice {self.twice} "
            f"uncertain {self.uncertain} allowed {self.allowed}"
        )

    def add(self, mailing: str, readers: int, rows: Iterable[Mapping[str, str]], taken: Counter[str]) -> None:
        """Reckon one mailing: its rows as `audit --recipients --json` gives them, `taken` by Message-ID."""
        seen: set[str] = set()
        for row in rows:
            seen.add(row["email"])
            self._row(mailing, row, taken[row["message_id"].strip("<>")])
        self.lost += readers - len(seen)  # planned readers without a row

    def _row(self, mailing: str, row: Mapping[str, str], copies: int) -> None:
        state, who = row["state"], f"{mailing} {row['email']}"
        self.twice += copies > 1
        if state == "uncertain":
            self.taken += copies > 0
            self.not_taken += copies == 0
        elif state == "accepted" and not copies:
            self.faults.append(f"{who}: accepted in the ledger, and the server never took it")
        elif state != "accepted" and copies:
            self.faults.append(f"{who}: {state} in the ledger, and the server took it")
        if state not in SETTLED and not copies:
            self.lost += 1
