"""Waves: when each reader of an audience is due, by their time zone. Pure; the rule that gave the instants is not here.

Promises: kept with the audience, so that every process plans the same; an instant that has passed is due at once;
who is planned keeps their due time, whatever becomes of their zone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, case, literal

from subscribers import Instant

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Waves:
    """Instants by IANA zone; `default` is for readers without a zone, or with one that is not named here."""

    by_zone: Mapping[str, datetime]
    default: datetime

    def __post_init__(self) -> None:
        """Turn all into UTC: instants on the nights the clocks change are unequal to themselves in another zone."""
        by_zone = {zone: at.astimezone(UTC) for zone, at in self.by_zone.items()}
        object.__setattr__(self, "by_zone", by_zone)
        object.__setattr__(self, "default", self.default.astimezone(UTC))

    @property
    def first(self) -> datetime:
        """The earliest instant: before it, nothing of the audience goes out."""
        return min([self.default, *self.by_zone.values()])

    @property
    def last(self) -> datetime:
        """The latest instant."""
        return max([self.default, *self.by_zone.values()])

    def due(self, zone: ColumnElement[Any], now: datetime) -> ColumnElement[datetime]:
        """Give the instant for a column of zones, never before `now`."""
        instant = Instant()
        groups = [
            (zone.in_(zones), literal(max(at, now), instant))
            for at, zones in self._zones().items()
            if at != self.default
        ]
        default = literal(max(self.default, now), instant)
        return case(*groups, else_=default) if groups else default

    def _zones(self) -> dict[datetime, list[str]]:
        """Give the zones of each instant: a handful of sets is looked up for each reader, not six hundred names."""
        zones: dict[datetime, list[str]] = {}
        for zone, at in sorted(self.by_zone.items()):
            zones.setdefault(at, []).append(zone)
        return zones

    def to_json(self) -> str:
        """Give the text that is kept with the audience."""
        waves = {at.isoformat(): zones for at, zones in self._zones().items()}
        return json.dumps({"default": self.default.isoformat(), "waves": waves})

    @classmethod
    def from_json(cls, text: str) -> Waves:
        """Read what `to_json` wrote."""
        told = json.loads(text)
        by_zone = {zone: datetime.fromisoformat(at) for at, zones in told["waves"].items() for zone in zones}
        return cls(by_zone, datetime.fromisoformat(told["default"]))
