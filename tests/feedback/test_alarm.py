"""What comes back and the tripwire: a storm of it pauses a mailing in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.database import reading, writing
from mailer.delivery import mailing
from mailer.delivery.states import MailingState
from mailer.feedback import alarm
from mailer.feedback.model import Kind
from mailer.settings.model import Tripwire

if TYPE_CHECKING:
    import pytest

    from tests.feedback.conftest import World


def _running(world: World, readers: int) -> tuple[list[str], int]:
    """Give a mailing that runs and was accepted for so many readers."""
    names = [f"reader{number}@example.com" for number in range(readers)]
    world.join(*names)
    sent = world.send()
    with writing(world.engine) as c:
        mailing.move(c, sent, MailingState.RUNNING, world.now)
    return names, sent


def _state(world: World, sent: int) -> str:
    with reading(world.engine) as c:
        return str(mailing.get(c, sent).state)


def test_a_storm_of_bounces_is_counted_a_few_times_and_pauses_in_time(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """Counting for each of many notices costs their square; an alarm may be late by a sixty-fourth of them."""
    counted: list[int] = []
    real = alarm.heard_since
    monkeypatch.setattr(alarm, "SHARE", 4)
    monkeypatch.setattr(alarm, "heard_since", lambda *words: counted.append(1) or real(*words))
    names, sent = _running(world, 100)
    wire = Tripwire(after=20, bounced_percent=50)
    heard = 0
    for name in names:
        world.take(world.bounce(name, sent), wire=wire)
        heard += 1
        if _state(world, sent) == "paused":
            break
    assert 51 <= heard <= 51 * 1.25 + 1
    assert len(counted) < 20


def test_the_alarm_is_exact_again_after_a_second_and_in_one_batch(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """What came in between is counted with the next notice; a batch is counted at its end."""
    monkeypatch.setattr(alarm, "SHARE", 1)
    names, sent = _running(world, 40)
    wire = Tripwire(after=20, bounced_percent=50)
    world.take(*(world.bounce(name, sent) for name in names[:15]), wire=wire)
    for name in names[15:22]:
        world.take(world.bounce(name, sent), wire=wire)
    assert _state(world, sent) == "running"
    world.later(2 / 86_400)
    world.take(world.bounce(names[22], sent), wire=wire)
    assert _state(world, sent) == "paused"


def test_complaints_do_not_hide_among_bounces(world: World):
    """Each kind is counted anew by its own number: a few complaints pause, however many bounces came."""
    names, sent = _running(world, 200)
    wire = Tripwire(after=20, bounced_percent=90, complaint_percent=0.9)
    world.take(*(world.bounce(name, sent) for name in names[:130]), wire=wire)
    for name in names[130:132]:
        assert _state(world, sent) == "running"
        world.take(world.bounce(name, sent, kind=Kind.COMPLAINT, feedback="abuse", reason="x"), wire=wire)
    assert _state(world, sent) == "paused"
