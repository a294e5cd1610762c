"""How the loopback server behaves: a frozen description, so that a test reads as what it is about.

A rule names a moment of the dialogue and what to do there; the first that matches wins. Everything else of
the script holds for the whole server.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

MOMENTS = (
    "greeting",
    "ehlo",
    "helo",
    "starttls",
    "auth",
    "mail",
    "rcpt",
    "data",
    "final",
    "rset",
    "noop",
    "quit",
)
EXTENSIONS = ("PIPELINING", "SIZE 52428800", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "DSN")
PLAIN = ("SIZE 52428800", "8BITMIME")


class Do(StrEnum):
    """What happens at a moment."""

    REPLY = "reply"  # say `reply` instead of the usual; a 2yz or 3yz has its usual effect
    DROP = "drop"  # close without a word; at `final` nothing was accepted
    REPLY_DROP = "reply-drop"  # say `reply`, then close
    ACCEPT_DROP = "accept-drop"  # at `final`: accept and record, then close without a word
    ACCEPT_STALL = "accept-stall"  # at `final`: accept and record, then never answer again
    STALL = "stall"  # never answer again, read on


@dataclass(frozen=True, slots=True)
class Rule:
    """At a moment, for recipients that match the glob, from the `first` match on and for `times` of them."""

    at: str
    reply: str = ""
    do: Do = Do.REPLY
    recipient: str = "*"
    first: int = 1
    times: int | None = None

    def __post_init__(self) -> None:
        if self.at not in MOMENTS:
            raise ValueError(f"no moment is called {self.at}")

    def matches(self, recipient: str) -> bool:
        """Say whether it speaks of this recipient, whatever the count."""
        return self.recipient == "*" or fnmatchcase(recipient.lower(), self.recipient.lower())

    def covers(self, count: int) -> bool:
        """Say whether the count-th match (from 1) is meant."""
        return count >= self.first and (self.times is None or count < self.first + self.times)


@dataclass(frozen=True, slots=True)
class Script:
    """All of a server's behaviour. The default is a good server that pipelines."""

    rules: tuple[Rule, ...] = ()
    extensions: tuple[str, ...] = EXTENSIONS
    extensions_after_tls: tuple[str, ...] | None = None  # None: the same
    tls: str = "off"  # off, starttls or implicit
    tls_breaks: bool = False  # a go-ahead for STARTTLS, then nonsense instead of a handshake
    injected: str = ""  # text in the clear behind the answer to STARTTLS
    users: dict[str, str] = field(default_factory=dict)  # AUTH is offered where there are any
    mechanisms: str = "PLAIN LOGIN"
    auth_needs_tls: bool = False
    auth_required: bool = False
    delay: float = 0.0  # seconds before every write
    split: bool = False  # every octet of every reply on its own
    drop_at: int | None = None  # octets of a connection after which it is dropped,
    drop_connections: int | None = None  # which so many connections suffer (None: all)
    max_connections: int | None = None
    max_messages: int | None = None  # of one connection; the next MAIL is answered by 421
    final: str = "250 2.0.0 Ok: queued as {id}"

    @classmethod
    def from_json(cls, text: str) -> Script:
        """Read a script as a process gets it on its command line: the same names, rules as objects."""
        raw: dict[str, Any] = json.loads(text)
        known = {one.name for one in fields(cls)}
        if unknown := raw.keys() - known:
            raise ValueError(f"a script knows nothing of {', '.join(sorted(unknown))}")
        rules = tuple(Rule(**{**rule, "do": Do(rule.get("do", "reply"))}) for rule in raw.pop("rules", ()))
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()
        }
        return replace(cls(rules=rules), **values)


def octets(reply: str, **values: str) -> bytes:
    """Give a reply as it goes over the wire: lines end in CRLF; `250-a` and `250 b` are kept as they are."""
    text = reply.format(**values) if values else reply
    return "".join(f"{line}\r\n" for line in text.split("\n")).encode("utf-8", "surrogateescape")
