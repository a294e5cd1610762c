"""Options of a relay as words: read, checked against limits, and every fault collected before one is raised.

Promises: all problems at once, each with its key; no value of a secret in any of them. Never: knows what an
option is for; that is relay.py's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote

from mailer.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

SECRETS = frozenset({"username", "password"})


class Options:
    """The options of one relay, and what is wrong with them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self.words: dict[str, str] = {}

    def wrong(self, key: str, message: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(f"relay {self.name}: {key} {message}", key=key))

    def load(self, query: str, table: Mapping[str, object], known: frozenset[str]) -> None:
        """Take the query of the URL, then the table, which wins."""
        for pair in filter(None, query.split("&")):
            key, _, value = pair.partition("=")
            if key in self.words:
                self.wrong(key, "is given twice")
            if key in SECRETS:
                self.wrong(key, "belongs before the @ of the URL, or in a table of mailer.toml")
            self.words[key] = unquote(value)
        self.words.update(
            {key: _plain(value) for key, value in table.items() if key != "url" and value is not None}
        )
        for key in sorted(self.words.keys() - known):
            self.wrong(key, f"is not an option; there are {', '.join(sorted(known - SECRETS))}")

    def numbers(
        self, read: Callable[[str], float], limits: Mapping[str, tuple[float, float]]
    ) -> dict[str, float]:
        """Give every number that was set, by its key; `read` is int or float."""
        found = {key: self._number(key, read, *limits[key]) for key in limits if key in self.words}
        return {key: value for key, value in found.items() if value is not None}

    def _number(self, key: str, read: Callable[[str], float], low: float, high: float) -> float | None:
        value = self.words[key]
        try:
            number = read(value)
        except ValueError:
            number = low - 1
        if low <= number <= high:
            return number
        what = "whole number" if read is int else "number"
        self.wrong(key, f"must be a {what} from {low:g} to {high:g}, not {value[:40]!r}")
        return None

    def word(self, key: str, meanings: Mapping[str, T]) -> T | None:
        """Give the meaning of a word, None where the key is not set."""
        value = self.words.get(key)
        if value is None:
            return None
        if value.lower() not in meanings:
            self.wrong(key, f"must be one of {', '.join(meanings)}, not {value[:40]!r}")
        return meanings.get(value.lower())


def _plain(value: object) -> str:
    """Write a value of a TOML table as a query would have it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value)
