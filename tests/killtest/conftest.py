"""Network namespaces for tests: made for one test, and removed after it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.conftest import without
from tests.killtest.namespaces import Namespaces, Unavailable, network

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def net() -> Iterator[Namespaces]:
    """A hub and one worker in network namespaces; with MAILER_REQUIRE_ALL=1 root must be able to have them."""
    try:
        with network(1) as made:
            yield made
    except Unavailable as why:
        if os.geteuid() != 0:
            pytest.skip(f"network namespaces: {why}")
        without(f"what network namespaces need ({why})")
