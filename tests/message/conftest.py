"""A sender, its keys and a plain edition, for every test of the message room."""

from __future__ import annotations

import pytest

from mailer.keys import Keys
from mailer.message import Sender
from tests.message.samples import KEYS, SENDER


@pytest.fixture
def keys() -> Keys:
    return KEYS


@pytest.fixture
def sender() -> Sender:
    return SENDER
