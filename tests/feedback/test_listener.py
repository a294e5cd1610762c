"""How long the listener waits: for whoever says nothing, and for a mail that comes drop by drop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from mailer.feedback.intake import listener
from tests.feedback.house import housed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.feedback.conftest import World

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


class Nobody(asyncio.Transport):
    """The other end of a connection, which hears nothing."""

    def write(self, data: Any) -> None:
        """Say it to nobody."""

    def is_closing(self) -> bool:
        return True


@pytest.mark.parametrize(("longest", "patient"), [(600.0, True), (0.0, False)])
def test_whoever_sends_is_not_silent_but_nobody_sends_for_ever(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, longest: float, patient: bool
):
    """Each piece of a mail starts the clock anew, until a mail took too long as a whole."""
    monkeypatch.setattr(listener, "_LONGEST", longest)
    house = housed(world, tmp_path, "\n[feedback.listen]\nport = 2525\n")
    made: list[Any] = []

    async def piece_by_piece() -> list[bool]:
        loop = asyncio.get_running_loop()

        async def create_server(factory: Any, *_where: object) -> None:
            made.append(factory())

        monkeypatch.setattr(loop, "create_server", create_server)
        await listener.listening(house.ground, house.ground.settings.feedback.listen)
        (connection,) = made
        connection.connection_made(Nobody({"peername": ("192.0.2.1", 1)}))
        clocks = []
        for _ in range(3):
            clock = connection._timeout_handle
            connection.data_received(b"X-A: a line of a mail\r\n")
            clocks.append(clock is not connection._timeout_handle and clock.cancelled())
        connection.connection_lost(None)
        return clocks

    assert asyncio.run(piece_by_piece()) == [patient] * 3
