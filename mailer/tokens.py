"""Tokens of the operators' interface: made once, shown once, kept as hashes, each with scopes, an end and a use.

Promises: the database holds the SHA-256 of a token and its first characters alone; a token is 32 random octets, so a
plain hash is enough (a slow one protects passwords that people choose). Revoked and expired ones are refused at once.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    or_,
    select,
    update,
)

from mailer.errors import Problem, UserError
from subscribers import Instant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Row

MARK: Final = "mlr_"
"""What every token begins with, so that scanners for secrets and our own logs know one."""

REMEMBERED: Final = timedelta(hours=24)
"""How long the answer under an idempotency key is given again."""

_SHOWN: Final = 12  # characters that tell one token from another
_TOUCH: Final = timedelta(minutes=1)  # how exact the last use is: a write for every read would be dear
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")


class Scope(StrEnum):
    """What a token may do: read or write, noun by noun."""

    SUBSCRIBERS_READ = "subscribers:read"
    SUBSCRIBERS_WRITE = "subscribers:write"
    SUBSCRIBERS_ERASE = "subscribers:erase"
    LISTS_READ = "lists:read"
    MAILINGS_READ = "mailings:read"
    MAILINGS_WRITE = "mailings:write"
    AUDIT_READ = "audit:read"
    SUPPRESSIONS_READ = "suppressions:read"
    SUPPRESSIONS_WRITE = "suppressions:write"


metadata: Final = MetaData()

tokens: Final = Table(
    "api_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("prefix", String(16), nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
    sqlite_autoincrement=True,
)

answers: Final = Table(
    "api_answers",
    metadata,
    Column("token_id", Integer, primary_key=True, autoincrement=False),
    Column("key", String(200), primary_key=True),  # Idempotency-Key
    Column("digest", LargeBinary(32), nullable=False),  # of the request
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("api_answers_at", "at"),
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token as it is known; the token itself is not."""

    id: int
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None

    def counts(self, now: datetime) -> bool:
        """Say whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


def scopes_of(words: Iterable[str]) -> tuple[Scope, ...]:
    """Give the scopes that words name: `subscribers:read`, `read` for all that reads, `all`; raises UserError."""
    found: set[Scope] = set()
    for word in words:
        named = {scope for scope in Scope if word in {scope.value, scope.value.partition(":")[2], "all"}}
        if not named:
            known = ", ".join(Scope)
            raise UserError(
                Problem(f"there is no scope {word!r}; the scopes are: read, all, {known}", key="scope")
            )
        found |= named
    if not found:
        raise UserError(Problem("a token that may do nothing is of no use: name scopes", key="scope"))
    return tuple(scope for scope in Scope if scope in found)


def new(
    connection: Connection,
    name: str,
    scopes: Iterable[Scope],
    now: datetime,
    *,
    expires_at: datetime | None = None,
) -> tuple[str, Token]:
    """Make a token; give it as text, for this once, and as it is known. Raises UserError if the name is taken."""
    if not _NAME.fullmatch(name):
        raise UserError(
            Problem(f"{name!r} cannot name a token: letters, digits and ._@-, at most 63", key="name")
        )
    if connection.scalar(select(tokens.c.id).where(tokens.c.name == name)) is not None:
        raise UserError(Problem(f"there is a token named {name!r} already; choose another name", key="name"))
    text = MARK + secrets.token_urlsafe(32)
    row = {
        "name": name,
        "prefix": text[:_SHOWN],
        "digest": _digest(text),
        "scopes": " ".join(scopes),
        "created_at": now,
        "expires_at": expires_at,
    }
    made = connection.execute(insert(tokens).values(**row).returning(*tokens.c)).one()
    return text, _token(made)


def every(connection: Connection) -> list[Token]:
    """Give all tokens, oldest first, revoked ones too."""
    return [_token(row) for row in connection.execute(select(tokens).order_by(tokens.c.id))]


def revoke(connection: Connection, name: str, now: datetime) -> bool:
    """Let a token count no more, at once; give whether it counted. Raises UserError if there is none of that name."""
    if connection.scalar(select(tokens.c.id).where(tokens.c.name == name)) is None:
        known = ", ".join(token.name for token in every(connection)) or "none"
        raise UserError(Problem(f"there is no token named {name!r}; the tokens are: {known}", key="name"))
    change = update(tokens).where(tokens.c.name == name, tokens.c.revoked_at.is_(None))
    return bool(connection.execute(change.values(revoked_at=now)).rowcount)


def known(connection: Connection, text: str, now: datetime) -> Token | None:
    """Give the token that a text is, if it counts."""
    if not text.startswith(MARK) or len(text) > 100 or not text.isascii():
        return None
    digest = _digest(text)
    row = connection.execute(select(tokens).where(tokens.c.digest == digest)).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    token = _token(row)
    return token if token.counts(now) else None


def is_worn(token: Token, now: datetime) -> bool:
    """Say whether the last use that is written down is so long ago that this one is written, too."""
    return token.used_at is None or now - token.used_at >= _TOUCH


def touch(connection: Connection, token: Token, now: datetime) -> None:
    """Write down that a token was used."""
    connection.execute(update(tokens).where(tokens.c.id == token.id).values(used_at=now))


def forget_old(connection: Connection, now: datetime, limit: int = 500) -> int:
    """Forget what was answered under idempotency keys a day ago, at most `limit` at a time; give how many."""
    old = select(answers.c.token_id, answers.c.key).where(answers.c.at < now - REMEMBERED).limit(limit)
    gone = connection.execute(old).all()
    for row in gone:
        connection.execute(
            delete(answers).where(answers.c.token_id == row.token_id, answers.c.key == row.key)
        )
    return len(gone)


def forget_answers(connection: Connection, addresses: Iterable[str]) -> int:
    """Forget the remembered answers that mention one of these addresses; give how many."""
    wanted = [answers.c.body.icontains(address, autoescape=True) for address in addresses if address]
    return connection.execute(delete(answers).where(or_(*wanted))).rowcount if wanted else 0


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _token(row: Row[tuple[object, ...]]) -> Token:
    values = {name: value for name, value in row._asdict().items() if name != "digest"}
    return Token(**{**values, "scopes": tuple(Scope(word) for word in values["scopes"].split())})
