"""The daemon's parts: one that falls over is started again, one that a person must mend ends them all."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from mailer.delivery.engine import End
from mailer.delivery.ground import Ground
from mailer.errors import TryLater, UserError
from mailer.run import daemon
from mailer.run.delivering import Delivering
from mailer.run.parts import PARTS, Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

NOWHERE: Any = None


def run(monkeypatch: pytest.MonkeyPatch, **parts: Callable[..., Any]) -> None:
    """Run a daemon of invented parts to its end."""
    monkeypatch.setattr(daemon, "PARTS", {name: (part,) for name, part in parts.items()})
    monkeypatch.setattr(daemon, "_FIRST_REST", 0.01)
    asyncio.run(asyncio.wait_for(daemon.run(NOWHERE, list(parts), Options()), 30))


@pytest.mark.parametrize(
    "problem", [TryLater("the database is away"), ZeroDivisionError("a mistake of ours")]
)
def test_a_part_that_fell_over_is_started_again(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    """What passes, and what is a bug, ends nothing: the part starts anew, and the other never stopped."""
    starts: list[str] = []

    async def shaky(_ground: Any, stopped: asyncio.Event, _options: Options) -> None:
        starts.append("shaky")
        if len(starts) < 4:
            raise problem
        os.kill(os.getpid(), signal.SIGTERM)
        await stopped.wait()

    async def steady(_ground: Any, stopped: asyncio.Event, _options: Options) -> None:
        starts.append("steady")
        await stopped.wait()

    run(monkeypatch, shaky=shaky, steady=steady)
    assert starts == ["shaky", "steady", "shaky", "shaky"]


def test_what_a_person_must_mend_ends_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is taken is said at once, and the other parts are stopped in good order."""
    ended: list[str] = []

    async def taken(_ground: Any, _stopped: asyncio.Event, _options: Options) -> None:
        await asyncio.sleep(0.01)
        raise UserError("port 8000 is taken")

    async def steady(_ground: Any, stopped: asyncio.Event, _options: Options) -> None:
        await stopped.wait()
        ended.append("steady")

    with pytest.raises(UserError, match="port 8000 is taken"):
        run(monkeypatch, taken=taken, steady=steady)
    assert ended == ["steady"]


class Left(Exception):  # noqa: N818 - it stands for the end of the process
    """The process would have ended with this code."""


def leave(code: int) -> None:
    """End as `os._exit` does, as far as a test can."""
    raise Left(code)


@pytest.mark.parametrize(
    ("problem", "code"), [(None, 0), (UserError("port 8000 is taken"), 2), (TryLater("not now"), 0)]
)
def test_a_part_that_does_not_end_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, problem: Exception | None, code: int
) -> None:
    """Ten seconds after the signal the daemon is gone, whatever a part is doing; what a person must mend is told."""
    monkeypatch.setattr(daemon, "GRACE", -0.9)
    monkeypatch.setattr(daemon.os, "_exit", leave)
    monkeypatch.setattr(daemon.logging, "shutdown", lambda: None)

    async def deaf(_ground: Any, _stopped: asyncio.Event, _options: Options) -> None:
        await asyncio.sleep(3600)

    async def other(_ground: Any, _stopped: asyncio.Event, _options: Options) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        if problem:
            raise problem

    with pytest.raises(Left, match=f"^{code}$"):
        run(monkeypatch, deaf=deaf, other=other)
    assert "deaf did not end in time" in caplog.text
    assert ("port 8000 is taken" in caplog.text) is (code == 2)


def test_unknown_parts_are_named(newsletter: object, cli: Any) -> None:
    """`--only` with a word that is no part says which there are, and starts nothing."""
    ended = cli("run", "--only", "delivery,weather")
    assert ended.code == 2
    assert "no part 'weather'; the parts are: " + ", ".join(PARTS) in ended.err


class Latecomer:
    """An engine that registers when its part is already ending."""

    ended: End | None = None

    def stop(self, end: End) -> None:
        """Hear that it is to stop."""
        self.ended = end


def test_an_engine_that_is_only_about_to_start_is_stopped_too(engine: Engine) -> None:
    """The part was told to end while an engine was being made: that one stops before it has sent anything."""
    part = Delivering(Ground(NOWHERE, NOWHERE, engine, ()), asyncio.Event())
    late = Latecomer()
    part._end()
    part._watch(late)  # type: ignore[arg-type]
    assert late.ended is End.STOPPED
