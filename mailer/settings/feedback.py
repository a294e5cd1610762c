"""Where mails that come back are read: `[feedback]`, `[[feedback.mailboxes]]` and `[feedback.listen]` of mailer.toml.

Nothing is read in the clear: a mailbox is TLS from the start (imaps, pop3s) or from STARTTLS on (imap, pop3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mailer.settings.values import LineValue, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PORTS: Final = {"imaps": 993, "imap": 143, "pop3s": 995, "pop3": 110}


def _mailbox_url(text: str) -> str:
    parts = urlsplit(text.strip())
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in PORTS or not parts.hostname or port == -1 or any(map(str.isspace, text.strip())):
        raise ValueError('is no mailbox; write it as "imaps://name@mail.your-domain" (or pop3s://)')
    if not parts.username:
        raise ValueError("names nobody: imaps://NAME@host, an @ in the name written as %40")
    if parts.password:
        raise ValueError("holds a password, and this file is in git: write it into a file, password_file")
    return text.strip()


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False, hide_input_in_errors=True)


class MailboxTable(_Table):
    """`[[feedback.mailboxes]]`: one mailbox that is read."""

    name: str
    url: Annotated[str, AfterValidator(_mailbox_url)]
    password_file: str
    ca_file: str | None = None
    folder: LineValue = "INBOX"
    done: LineValue | None = None
    unknown: LineValue = "Unknown"
    replies: LineValue = "Replies"


class ListenTable(_Table):
    """`[feedback.listen]`: mails are taken over LMTP or SMTP."""

    host: LineValue = "127.0.0.1"
    port: int = Field(default=8024, ge=0, le=65_535)
    lmtp: bool = True
    largest_mb: int = Field(default=20, ge=1, le=1000)


class FeedbackTable(_Table):
    """`[feedback]`: how what comes back comes in."""

    mailboxes: tuple[MailboxTable, ...] = ()
    maildirs: tuple[LineValue, ...] = ()
    listen: ListenTable | None = None
    piped: bool = False
    poll_seconds: int = Field(default=60, ge=1, le=86_400)
    keep_days: int = Field(default=90, ge=1, le=3650)

    @property
    def taken(self) -> bool:
        """Whether mails that come back are read at all: only then may readers be told to write."""
        return bool(self.mailboxes or self.maildirs or self.listen or self.piped)


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """One mailbox; `done` None deletes what was understood; `unknown` and `replies` are folders."""

    name: str
    scheme: str
    host: str
    port: int
    username: str
    password_file: Path
    ca_file: Path | None = None
    folder: str = "INBOX"
    done: str | None = None
    unknown: str = "Unknown"
    replies: str = "Replies"


@dataclass(frozen=True, slots=True)
class ListenSettings:
    """Where mails are taken over LMTP or SMTP; `largest` in octets."""

    host: str = "127.0.0.1"
    port: int = 8024
    lmtp: bool = True
    largest: int = 20_000_000


@dataclass(frozen=True, slots=True)
class FeedbackSettings:
    """How what comes back comes in. `piped` says that a mail server calls `mailer feedback ingest`."""

    mailboxes: tuple[MailboxSettings, ...] = ()
    maildirs: tuple[Path, ...] = field(default=())
    listen: ListenSettings | None = None
    piped: bool = False
    poll_seconds: int = 60
    keep_days: int = 90


def feedback_of(table: FeedbackTable, folder: Path) -> FeedbackSettings:
    """Give the settings; files and folders are relative to the newsletter's."""
    listen = table.listen
    return FeedbackSettings(
        tuple(_mailbox(one, folder) for one in table.mailboxes),
        tuple(folder / one for one in table.maildirs),
        ListenSettings(listen.host, listen.port, listen.lmtp, listen.largest_mb * 1_000_000)
        if listen
        else None,
        table.piped,
        table.poll_seconds,
        table.keep_days,
    )


def _mailbox(table: MailboxTable, folder: Path) -> MailboxSettings:
    parts = urlsplit(table.url)
    return MailboxSettings(
        table.name,
        parts.scheme,
        parts.hostname or "",
        parts.port or PORTS[parts.scheme],
        unquote(parts.username or ""),
        folder / table.password_file,
        folder / table.ca_file if table.ca_file else None,
        table.folder,
        table.done or None,
        table.unknown,
        table.replies,
    )


def feedback_complaints(table: FeedbackTable) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find what contradicts itself, with the path of its key."""
    names = [one.name for one in table.mailboxes]
    for index, one in enumerate(table.mailboxes):
        path = ("feedback", "mailboxes", index)
        try:
            name_of("mailbox", one.name)
        except ValueError as error:
            yield (*path, "name"), str(error)
        if one.name in names[:index]:
            yield (*path, "name"), f"two mailboxes are named {one.name!r}"
        if one.folder in {one.done, one.unknown, one.replies}:
            yield path, "what was read is moved out of folder: done, unknown and replies must be others"
