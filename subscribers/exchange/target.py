"""What every step of an import has to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Target:
    """Where an import goes, and by what right. `import_id` is None where nothing is to be written.

    `repeat`: this very file was taken in before, so that it has nothing new to say of people who are known.
    `revive`: who left, complained or is dead is brought back.
    """

    import_id: int | None
    list_id: int
    list_key: str
    brand: str
    basis: str
    now: datetime
    hash_key: bytes
    repeat: bool = False
    revive: bool = False
