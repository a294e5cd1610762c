"""Which worker of pytest-xdist gets which test: what takes long begins first, and what shares a thing stays together.

The tests that take long begin while there is still other work to do beside them: most of them wait for processes more
than they compute. The tests of a module that makes something once for all of them (a server, a browser, a wheel) go to
one worker, which alone makes it. The marker `xdist_group` is not used: with pytest 9.2 it has no effect.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).resolve().parent.parent
LONG = ("slow", "chromium", "postfix", "dovecot")


class LongestFirst(LoadScopeScheduling):
    """Hands out one test at a time, in the order of the collection, or all of a module that belong together."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if _shares(module) else nodeid


@cache
def _shares(module: str) -> bool:
    return '@pytest.fixture(scope="module")' in (ROOT / module).read_text()


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """Put first what is slow or needs a server or a browser of its own, module by module as before."""
    return sorted(items, key=lambda item: not any(map(item.get_closest_marker, LONG)))
