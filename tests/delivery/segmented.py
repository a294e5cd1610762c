"""A newsletter whose mailings go to segments, as the tests of segments on the ledger see it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from mailer.database import reading, writing
from mailer.delivery import dispatch
from mailer.delivery.audience import Planner
from mailer.delivery.dispatch import Request, Step
from mailer.delivery.segments import Segments
from mailer.delivery.tables import deliveries
from mailer.issue.provenance import Provenance
from subscribers import audience
from tests.delivery.conftest import World, edition

if TYPE_CHECKING:
    from pathlib import Path

    from mailer.settings import Settings


@dataclass
class Newsletter:
    """A folder with segments, over the ledger of `world`."""

    folder: Path
    world: World
    settings: Settings

    @property
    def segments(self) -> Segments:
        return Segments(self.settings)

    def write(self, **texts: str) -> None:
        lines = [f"{name} = '''{text}'''" for name, text in texts.items()]
        (self.folder / "segments.toml").write_text("\n".join(lines), encoding="utf-8")

    def declare(self, **kinds: str) -> None:
        self.settings = replace(self.settings, attributes=kinds)

    def whom(self, name: str, *, whole: bool = False) -> set[str]:
        """Give the addresses of a segment's readers."""
        with reading(self.world.engine) as c:
            readers = audience(self.world.list_id, self.world.now)
            condition = self.segments.freeze(name, "main", self.world.now)
            return {row.email for row in c.execute(self.segments(readers, condition, whole=whole))}

    def begin(self, **asked: object) -> int:
        """Send issue 73 to whom was asked for; nothing is planned yet."""
        request, issue = Request("main", "main", **asked), edition(73, "next", "Another")
        with writing(self.world.engine) as c:
            seen = dispatch.foresee(c, issue, request, self.world.list_id, self.world.now, self.segments)
            assert seen.step in {Step.OPEN, Step.EXTEND}
            made = dispatch.begin(
                c,
                seen,
                issue,
                request,
                Provenance(None, committed=False, repository=False),
                self.world.now,
                self.segments,
            )
        self.readers = seen.readers
        return made.id

    def plan(self, mailing_id: int) -> set[str]:
        """Plan all of it as a process does that starts now; give the addresses."""
        planner = Planner(mailing_id, self.segments)
        with writing(self.world.engine) as c:
            while planner.step(c, self.world.now):
                pass
            mine = select(deliveries.c.address).where(deliveries.c.mailing_id == mailing_id)
            return set(c.execute(mine).scalars())
