"""The frozen values of incoming hooks: what was posted, what it reports, and how a provider's words become ours.

A provider is a verifier, a way to find its events in a body, and a table of its words: the next one is no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mailer.feedback.model import Evidence, Kind, Permanence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from mailer.settings.hooks import HookSettings


class Refused(Exception):  # noqa: N818 - it names what is done, and the caller answers with it
    """The post is not believed, or cannot be read: nothing of it was taken. `status` is the answer."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Post:
    """What was posted: headers by lower-case name, the octets, and when."""

    headers: Mapping[str, str]
    body: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """A believed post: what the provider calls it (the same is taken once), and its events."""

    key: str
    events: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What one event says of one recipient, beside what happened."""

    recipient: str = ""
    key: str = ""
    status: str = ""
    reply: str = ""
    at: datetime | None = None
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a provider's table: its words, what they are in ours, and where that stands.

    Words that are left out match anything; `kind` None means understood and of no consequence. An empty reason lets
    the remote server's words decide.
    """

    words: tuple[str, ...]
    kind: Kind | None
    permanence: Permanence = Permanence.NONE
    reason: str = ""
    hardbounce: bool = False
    source: str = ""
    feedback: str = ""

    def matches(self, said: Sequence[str]) -> bool:
        """Say whether the row is about an event that says these words; case does not count."""
        return all(
            word in {"", other.lower()} for word, other in zip(self.words, said, strict=False)
        ) and len(said) >= len(self.words)


@dataclass(frozen=True, slots=True)
class Provider:
    """How one kind of hook is believed, read and understood."""

    verify: Callable[[Post, HookSettings, Secrets], Report]
    words: Callable[[Mapping[str, Any]], tuple[str, ...]]
    facts: Callable[[Mapping[str, Any]], Iterable[Facts]]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a verifier needs beside the settings: the secret's text, and SNS's certificates."""

    secret: str = field(default="", repr=False)
    certificate: Callable[[str], bytes] | None = None
    confirm: Callable[[str], object] | None = None
