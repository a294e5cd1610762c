"""An office that sends through a loopback server: a newsletter, its readers, and what became of each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

from mailer.database import reading, writing
from mailer.delivery import ledger, mailing, sending
from mailer.delivery.engine import End
from mailer.delivery.handed import Handed
from mailer.delivery.states import DeliveryState
from mailer.keys import Key, Keys
from mailer.settings import load_settings
from mailer.smtp.relay import parse_relay
from subscribers import audience, ensure_lists
from tests.delivery.conftest import NOON, World, edition

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Engine as Database

    from mailer.delivery.batches import Batch
    from mailer.delivery.engine import Engine
    from mailer.message.dkim import Signer


S = DeliveryState


KEYS = Keys((Key(1, b"k" * 32),))


TOML = """
id = "{id}"
name = "Test"
from = "Test <news@sender.example>"
public_url = "https://news.sender.example"
postal_address = "1 Test Street"
{more}
"""


class Office:
    """A newsletter folder with a mailing to `people`, and a server to send it through."""

    def __init__(self, folder: Path, database: Database, people: int, more: str = "") -> None:
        (folder / "mailer.toml").write_text(TOML.format(id=uuid4(), more=more))
        self.settings = load_settings(folder, {})
        self.settings.state.mkdir(exist_ok=True)
        with writing(database) as c:
            list_id = ensure_lists(c, ["main"], NOON)["main"]
            opened = mailing.open_mailing(c, edition(), "main", NOON)
            mailing.freeze(c, opened.id, edition(), None, NOON, committed=False)
        self.world = World(database, list_id, opened.id)
        self.world.join(*(f"reader{n}@d{n % 4}.example" for n in range(people)))
        with writing(database) as c:
            mailing.extend(c, opened.id, audience(list_id, NOON), list_id=list_id, now=NOON)

    def send(
        self,
        url: str,
        *,
        stop_after: int | None = None,
        signers: Sequence[Signer] = (),
        keys: Keys = KEYS,
        batches: Sequence[Batch] | None = None,
    ) -> sending.Result:
        """Send what is due through the server at `url`; with `batches`, of these alone."""
        relays = [parse_relay(url)]
        ground = sending.Ground(self.settings, keys, self.world.engine, relays, signers)

        def watch(engine: Engine) -> None:
            if stop_after is not None:
                asyncio.get_running_loop().create_task(_stop(engine, stop_after))

        async def deliver() -> sending.Result:
            handed = Handed()
            for batch in batches or ():
                handed.hand(batch)
            given = None if batches is None else handed
            return await sending.deliver(ground, self.world.mailing_id, watch=watch, handed=given)

        return asyncio.run(deliver())

    def rows(self) -> dict[str, ledger.sums.Delivery]:
        """Give each reader's row."""
        with reading(self.world.engine) as c:
            return {row.address: row for row in ledger.recipients(c, self.world.mailing_id)}


async def _stop(engine: Engine, after: int) -> None:
    while engine.work.tally.total < after:  # noqa: ASYNC110 - the tally is a plain count, nothing to await
        await asyncio.sleep(0.001)
    engine.stop(End.STOPPED)
