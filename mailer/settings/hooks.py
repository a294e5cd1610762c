"""The tables about hooks and the operators' interfaces: `[hooks.x]`, `[[webhooks]]`, `[api]` and `[monitor]`.

No secret stands in mailer.toml: a table names the file or the variable that holds one, and it is read when the part
that needs it starts, so that a machine that only writes issues does without. No repr and no message shows a secret or
the address of a receiver, which may hold one.
"""

from __future__ import annotations

import base64
import ipaddress
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mailer.errors import Problem, UserError
from mailer.settings.values import LineValue, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

KINDS: Final = ("ses", "postmark", "sendgrid", "mailgun", "generic")
SENT: Final = (
    "reader.subscribed", "reader.confirmed", "reader.added", "reader.unsubscribed", "reader.bounced",
    "reader.complained", "reader.came-back", "reader.moved", "reader.erased",
    "mailing.started", "mailing.paused", "mailing.resumed", "mailing.finished", "mailing.cancelled",
    "schedule.started", "schedule.late", "schedule.empty", "schedule.asked", "schedule.missed",
    "schedule.skipped", "schedule.warned", "schedule.held",
)  # fmt: skip
"""What may be sent to receivers, in the words that they read."""

_LARGEST: Final = 65_536


def _receiver(url: str) -> str:
    """Check where hooks go: https, or plain http on this machine and in private networks."""
    parts = urlsplit(url.strip())
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or any(char.isspace() for char in url.strip())
    ):
        raise ValueError("is no web address; write it as https://crm.your-domain/hook")
    if parts.fragment:
        raise ValueError("must not hold a #")
    if parts.scheme == "http" and not _near(parts.hostname):
        raise ValueError(
            "must be https: what is sent holds addresses; http is for this machine and private networks"
        )
    return url.strip()


def _near(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".internal"))


def _event(name: str) -> str:
    if name not in SENT:
        raise ValueError(f"{name!r} is not sent; the events are: {', '.join(SENT)}")
    return name


def _named(name: str) -> str:
    return name_of("hook", name)


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of hook; the kinds are: {', '.join(KINDS)}")
    return kind


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False, hide_input_in_errors=True)


class HookTable(_Table):
    """`[hooks.x]`: a provider that reports at /hooks/x. Without `kind` its name says what it is."""

    kind: Annotated[str, AfterValidator(_kind)] | None = None
    secret_file: LineValue | None = None
    secret_variable: LineValue | None = None
    username: LineValue | None = None
    header: LineValue | None = None
    public_key: LineValue | None = None
    topics: tuple[LineValue, ...] = ()


class WebhookTable(_Table):
    """`[[webhooks]]`: a receiver of events."""

    name: Annotated[str, AfterValidator(_named)]
    url: Annotated[str, AfterValidator(_receiver)]
    secret_file: LineValue | None = None
    secret_variable: LineValue | None = None
    events: tuple[Annotated[str, AfterValidator(_event)], ...] = SENT
    give_up_after_days: float = Field(default=5, gt=0, le=60)


class ApiTable(_Table):
    """`[api]`: the operators' interface."""

    per_minute: int = Field(default=600, ge=1, le=1_000_000)


class MonitorTable(_Table):
    """`[monitor]`: where /readyz and /metrics are served. Port 0 serves them nowhere."""

    host: LineValue = "127.0.0.1"
    port: int = Field(default=9725, ge=0, le=65_535)


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret stands; `read` gives it."""

    file: Path | None = None
    variable: str | None = None

    def read(self, environ: Mapping[str, str] = os.environ) -> str:
        """Give the secret; raises UserError that names the file or the variable alone."""
        if self.variable:
            if found := environ.get(self.variable, "").strip():
                return found
            raise UserError(Problem("is not set, and a hook's secret is to stand there", key=self.variable))
        if self.file is None:
            raise UserError(
                Problem("a hook has no secret: set secret_file or secret_variable", "mailer.toml")
            )
        return _read(self.file)


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            text = stream.read(_LARGEST).decode().strip()
    except OSError as error:
        raise UserError(Problem(f"cannot be read: {error.strerror}", str(file))) from None
    except UnicodeDecodeError:
        raise UserError(Problem("is not UTF-8", str(file))) from None
    if not text:
        raise UserError(Problem("is empty, and a hook's secret is to stand there", str(file)))
    return text


@dataclass(frozen=True, slots=True)
class HookSettings:
    """One provider that reports: how its words are proven."""

    name: str
    kind: str
    secret: Secret = field(repr=False)
    username: str = ""
    header: str = ""
    public_key: str = ""
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """One receiver of events."""

    name: str
    url: str = field(repr=False)
    secret: Secret = field(repr=False)
    events: tuple[str, ...] = SENT
    give_up_after_days: float = 5

    @property
    def host(self) -> str:
        """Where it stands, without what may be secret in its address."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """How much a token may ask."""

    per_minute: int = 600


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """Where the machine is told how things stand."""

    host: str = "127.0.0.1"
    port: int = 9725


def hooks_of(tables: Mapping[str, HookTable], folder: Path) -> dict[str, HookSettings]:
    """Give the providers, by their names."""
    return {name: _hook(name, table, folder) for name, table in tables.items()}


def _hook(name: str, table: HookTable, folder: Path) -> HookSettings:
    return HookSettings(
        name,
        table.kind or name,
        _secret(table, folder),
        table.username or "",
        table.header or "",
        table.public_key or "",
        table.topics,
    )


def webhooks_of(tables: tuple[WebhookTable, ...], folder: Path) -> tuple[WebhookSettings, ...]:
    """Give the receivers."""
    return tuple(
        WebhookSettings(one.name, one.url, _secret(one, folder), one.events, one.give_up_after_days)
        for one in tables
    )


def _secret(table: HookTable | WebhookTable, folder: Path) -> Secret:
    return Secret(folder / table.secret_file if table.secret_file else None, table.secret_variable)


def hook_complaints(
    hooks: Mapping[str, HookTable], webhooks: tuple[WebhookTable, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find what is missing or contradicts itself, with the path of its key."""
    for name, table in hooks.items():
        yield from ((("hooks", name), said) for said in _hook_complaints(name, table))
    names = [one.name for one in webhooks]
    for index, one in enumerate(webhooks):
        if one.name in names[:index]:
            yield ("webhooks", index, "name"), f"two webhooks are named {one.name!r}"
        if not one.secret_file and not one.secret_variable:
            yield ("webhooks", index), "needs secret_file or secret_variable: receivers know by it who speaks"


def _hook_complaints(name: str, table: HookTable) -> Iterator[str]:
    try:
        name_of("hook", name)
    except ValueError as error:
        yield str(error)
        return
    kind = table.kind or name
    if kind not in KINDS:
        yield f"which provider is this? set kind to one of: {', '.join(KINDS)}"
    elif kind == "ses" and not table.topics:
        yield "needs topics: the ARNs of the SNS topics that may speak"
    elif kind == "sendgrid":
        yield from _sendgrid_complaints(table)
    elif kind != "ses" and not table.secret_file and not table.secret_variable:
        yield "needs secret_file or secret_variable: nothing unsigned is believed"
    elif kind == "postmark" and not table.username and not table.header:
        yield "needs username (basic authentication) or header (a header of your own that holds the secret)"


def _sendgrid_complaints(table: HookTable) -> Iterator[str]:
    try:
        base64.b64decode(table.public_key or "", validate=True)
    except ValueError:  # binascii.Error is one
        yield "public_key is not the verification key that SendGrid shows"
    if not table.public_key:
        yield "needs public_key: the verification key of the signed event webhook"
