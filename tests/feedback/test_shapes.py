"""Bounces of many systems and languages, in the shapes that they have: each read for what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailer.feedback.model import Permanence
from mailer.feedback.reading import read
from tests.feedback import lookalikes, shapes, tongues

if TYPE_CHECKING:
    from tests.feedback.shapes import Shape

CLASSES = {"5": Permanence.PERMANENT, "4": Permanence.TEMPORARY, "": Permanence.NONE}
SHAPES = {**shapes.SHAPES, **tongues.SHAPES, **lookalikes.SHAPES}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_shape_is_read(shape: Shape):
    """D02-D06, D13-D17, D10: its kind, whom it is about, for how long, given up or not, dead or not."""
    reading = read(shape.raw)
    assert reading.kind == shape.kind
    final = shape.kind == "bounce"
    if not shape.told:
        return  # who is answering or writing is not what such a mail is about
    assert {
        (each.recipient, each.permanence, each.final if final else None, each.hardbounce)
        for each in reading.recipients
    } == {
        (address, CLASSES[kind], given_up if final else None, dead)
        for address, kind, given_up, dead in shape.told
    }


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_nobody_dies_of_a_mail_cut_off(shape: Shape):
    """No truncation calls somebody dead whom the whole mail does not."""
    dead = {address for address, _, _, gone in shape.told if gone}
    for end in range(0, len(shape.raw), 97):
        told = [each.recipient for each in read(shape.raw[:end]).recipients if each.hardbounce]
        assert all(any(whole.startswith(address) for whole in dead) for address in told)
