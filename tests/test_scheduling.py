"""How the tests are handed out to the workers of pytest-xdist."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.scheduling import LongestFirst, in_order


@dataclass(frozen=True)
class Item:
    """A test, as far as the order looks at it."""

    name: str
    marks: set[str] = field(default_factory=set)

    def get_closest_marker(self, name: str) -> str | None:
        return name if name in self.marks else None


def scope(nodeid: str) -> str:
    """Give what goes to one worker together with a test."""
    return LongestFirst._split_scope(None, nodeid)  # type: ignore[arg-type]


def test_the_tests_of_a_module_that_makes_something_once_go_to_one_worker():
    """A server, a browser or a wheel is made by that worker alone, and not by each."""
    module = "tests/relays/test_postfix.py"
    assert scope(f"{module}::test_nothing_is_rewritten") == scope(f"{module}::test_with[a::b]") == module


def test_other_tests_go_to_whoever_is_free():
    """Tests of one module run beside each other, and each way of a test, too."""
    module = "tests/hooks/test_outbox.py"
    ways = {f"{module}::test_it[sqlite]", f"{module}::test_it[postgresql]"}
    assert {scope(way) for way in ways} == ways


def test_what_takes_long_begins_first():
    """At the end no worker waits for another that has just begun a long test; the order is kept besides."""
    items = [Item("a"), Item("b", {"slow"}), Item("c"), Item("d", {"dovecot"})]
    assert [item.name for item in in_order(items)] == ["b", "d", "a", "c"]  # type: ignore[arg-type,type-var]
