"""Shares: this process's part of what all of them may do (sharing/): turns, connections, and what others were told.

Promises: where nothing is limited nothing is written; a plea for patience that one process heard is heard by all
within two seconds. A limit is reserved a quarter of a second at a time, and only by who has something to send.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mailer.delivery.gate import Gate
from mailer.delivery.sharing import DOMAIN, Asked, Said, Turns, Want, paces

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection

    from mailer.delivery.desk import Desk
    from mailer.delivery.recorder import Recorder
    from mailer.settings import Settings
    from mailer.smtp.relay import Relay


class Shares:
    """Made before gates and desk, which take their turns from it; `more` is rung when there are new ones."""

    def __init__(self, settings: Settings, relays: Sequence[Relay], recorder: Recorder) -> None:
        self._bell = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._recorder = recorder
        self.relays = {
            one.name: Turns(f"relay:{one.name}", one.per_second, self._bell.set)
            for one in relays
            if one.per_second
        }
        self.domains = {
            name: Turns(f"domain:{name}", limit.per_second, self._bell.set)
            for name, limit in settings.domains.items()
            if limit.per_second
        }
        self._connections = {
            name: limit.connections for name, limit in settings.domains.items() if limit.connections
        }
        self._held: set[str] = set()  # domains of which something may stand in our name
        self._pleas: dict[str, float] = {}  # heard here, and not told to the others yet
        self._heard: dict[str, int] = {}

    def gate(self, relay: Relay, freed: Callable[[], None]) -> Gate:
        """Give the gate of a relay, with its turns; `freed` is called when others may have connections of ours."""
        return Gate(relay, self.relays.get(relay.name), freed)

    async def run(self, more: asyncio.Event) -> None:
        """Reserve what is wanted, until it is cancelled."""
        every = [*self.relays.values(), *self.domains.values()]
        while every:
            await self._bell.wait()
            self._bell.clear()
            wanted = [one for one in every if one.wanted]
            if wanted:
                await self._reserve(wanted)
                more.set()

    async def _reserve(self, wanted: Sequence[Turns]) -> None:
        wanted = sorted(
            wanted, key=lambda one: one.name
        )  # in one order: no two processes wait for each other

        def reserve(connection: Connection) -> list[float]:
            return [paces.reserve(connection, one.name, one.rate, one.block) for one in wanted]

        waits = await self._recorder.call(reserve)
        now = self._loop.time()
        for one, wait in zip(wanted, waits, strict=True):
            one.take(now + wait, one.block)

    def plead(self, name: str, rest: float) -> None:
        """Tell the others, soon, that a relay or domain asked for patience; nothing to tell if `rest` is 0."""
        if rest:
            self._pleas[name] = rest

    def ask(self, gates: Sequence[Gate], desk: Desk, *, wanted: bool) -> Asked:
        """Give what is to be asked for now, `wanted` says whether relays are; what it tells of is told once.

        What is not wanted is let go before it is said: from that moment another process may have it.
        """
        told, self._pleas = self._pleas, {}
        for gate in gates if not wanted else ():
            gate.allow(0)
        relays = [
            Want(f"relay:{gate.relay.name}", gate.relay.connections, gate.kept, wanted) for gate in gates
        ]
        kept = desk.wanting()
        for name in self._held - set(kept):
            desk.forget(name)
        self._held |= set(kept)
        domains = [
            Want(f"{DOMAIN}{name}", self._connections[name], kept.get(name, 0), name in kept)
            for name in self._held
        ]
        return Asked(relays, domains, told)

    def apply(self, gates: Sequence[Gate], desk: Desk, said: Said) -> None:
        """Apply what `exchange` gave."""
        now = self._loop.time()
        for gate, count in zip(gates, said.lanes, strict=True):
            gate.allow(count)
        self._held = set(said.lent)
        for domain, count in said.lent.items():
            desk.lend(domain, count)
        pleas = [one for one in said.pleas if one.number > self._heard.get(one.name, 0)]
        self._heard |= {one.name: one.number for one in pleas}
        by_name: Mapping[str, Gate] = {f"relay:{gate.relay.name}": gate for gate in gates}
        for plea in pleas:
            if plea.name in by_name:
                by_name[plea.name].busy(now, plea.rest)
            elif plea.name.startswith(DOMAIN):
                desk.busy(plea.name.removeprefix(DOMAIN), now, plea.rest)
