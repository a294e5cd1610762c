"""docs/scale.md reckons with what was measured: its tables are those of the arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.demand import markdown, stages, table
from tests.docs.pages import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.mark.parametrize("given", [stages, table], ids=["what a message costs", "readers an hour"])
def test_the_tables_of_scale(given: Callable[[], Iterator[tuple[str, ...]]]):
    """Both stand there as `python -m benchmarks.demand` prints them; whoever measures anew puts them in again."""
    assert markdown(given()) in read("scale.md")
