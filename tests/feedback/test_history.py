"""What the notices of the past say: the heaviest cause of a day, and what the newest said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailer.database import reading
from mailer.feedback.history import days_without_delivery, heard_since
from mailer.feedback.model import Permanence
from mailer.feedback.policy import Cause

if TYPE_CHECKING:
    from tests.feedback.conftest import World

ANN, BO = "ann@reader.example", "bo@reader.example"
SOFT = {"hardbounce": False, "permanence": Permanence.TEMPORARY}


@pytest.mark.parametrize(
    ("reasons", "cause"),
    [
        (("expired", "mailboxfull"), Cause.BOX),
        (("mailboxfull", "expired"), Cause.BOX),
        (("mailboxfull", "hostunknown", "expired"), Cause.HOST),
        (("hostunknown", "mailboxfull"), Cause.HOST),
        (("expired", "networkerror"), Cause.WAY),
    ],
)
def test_a_day_counts_by_its_heaviest_cause(world: World, reasons: tuple[str, ...], cause: Cause):
    """R06: whatever was said first on it."""
    world.join(ANN)
    sent = world.send()
    for reason in reasons:
        world.take(world.bounce(ANN, sent, reason=reason, **SOFT))
        world.later(0.01)
    world.later(1)
    with reading(world.engine) as c:
        days = days_without_delivery(c, world.person(ANN).id, world.now)
    assert [day.cause for day in days] == [cause]


def test_what_the_newest_bounce_said_is_told(world: World):
    """The operator who asks why a mailing was paused reads what was said last."""
    world.join(ANN, BO)
    began, sent = world.now, world.send()
    for email, reason in ((ANN, "userunknown"), (BO, "blocked")):
        world.take(world.bounce(email, sent, reason=reason))
        with reading(world.engine) as c:
            assert heard_since(c, sent, began)[2] == reason
