"""What every step of an import has to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Target:
    """Where an import goes, and by what right. `import_id` is None where nothing is to be written."""

    import_id: int | None
    list_id: int
    list_key: str
    brand: str
    basis: str
    now: datetime
    hash_key: bytes
