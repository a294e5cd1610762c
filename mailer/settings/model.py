"""What the rest of the program knows of mailer.toml: frozen values in which everything is decided.

A ListSettings holds the outcome for one list: its own word, else its brand's, else the newsletter's, else
the default. Secrets never show in a repr.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mailer.errors import Problem, UserError
from mailer.settings.feedback import FeedbackSettings
from mailer.settings.hooks import ApiSettings, HookSettings, MonitorSettings, WebhookSettings
from mailer.settings.lines import line_of
from mailer.settings.schedule import ScheduleSettings, UpkeepSettings
from mailer.settings.web import WebSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from pathlib import Path
    from uuid import UUID

    from mailer.settings.values import Mailbox

STATE = ".mailer"
MOST_WORKERS: Final = 64  # processes of one command: more than this is more machines' work


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """One server that takes mail, as it was written; `mailer.smtp.relay.parse_relay` reads it.

    `options` is what its table says beside the URL: limits, kind, tls, username, the password from its file.
    """

    name: str
    url: str = field(repr=False)
    options: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class DomainLimit:
    """What one receiving domain gets at most; None means no limit."""

    per_second: float | None = None
    connections: int | None = None


@dataclass(frozen=True, slots=True)
class Tripwire:
    """The shares of the outcomes so far at which a mailing pauses itself, once `after` are known."""

    after: int = 200
    refused_percent: float = 10
    deferred_percent: float = 50
    bounced_percent: float = 5
    complaint_percent: float = 0.3


@dataclass(frozen=True, slots=True)
class ListSettings:
    """Everything that holds for one list. `relay` None means: all relays, by weight."""

    key: str
    name: str
    sender: Mailbox
    reply_to: str | None
    postal_address: str
    base_url: str | None
    public_url: str | None
    permalink: str | None
    time_zone: str
    language: str
    issues: tuple[str, ...]
    templates: Path
    theme: Mapping[str, str]
    relay: str | None
    return_path: str | None
    unsubscribe_mailto: str | None
    message_domain: str
    list_id: str
    feedback_id: str
    why: str
    brand: str | None
    archive: bool
    welcome: Path | None
    folder: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """One newsletter: mailer.toml with the environment laid over it.

    `warnings` are what does not stop the program and yet should be mended before a send: placeholders.
    `secret` is MAILER_SECRET where it is set; else the ring stands in `secret_file`. `workers` is how many processes of
    one command send together.
    """

    folder: Path
    file: Path
    id: UUID
    name: str
    database: str = field(repr=False)
    lists: Mapping[str, ListSettings]
    relays: tuple[RelaySettings, ...] = ()
    domains: Mapping[str, DomainLimit] = field(default_factory=dict)
    tripwire: Tripwire = field(default_factory=Tripwire)
    operator: str | None = None
    workers: int = 1
    attributes: Mapping[str, str] = field(default_factory=dict)
    forget_after: timedelta | None = None
    hooks: Mapping[str, HookSettings] = field(default_factory=dict)
    webhooks: tuple[WebhookSettings, ...] = ()
    api: ApiSettings = field(default_factory=ApiSettings)
    monitor: MonitorSettings = field(default_factory=MonitorSettings)
    web: WebSettings = field(default_factory=WebSettings)
    schedules: tuple[ScheduleSettings, ...] = ()
    upkeep: UpkeepSettings = field(default_factory=UpkeepSettings)
    feedback: FeedbackSettings = field(default_factory=FeedbackSettings)
    secret: str | None = field(default=None, repr=False)
    warnings: tuple[Problem, ...] = ()
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict, repr=False)

    def problem(self, message: str, *path: str | int) -> Problem:
        """Give a problem that names the key and the line of mailer.toml it stands on."""
        return Problem(message, self.file.name, line_of(self.lines, path), ".".join(map(str, path)))

    @property
    def state(self) -> Path:
        """The folder of what must not be lost and must not be shared: .mailer/."""
        return self.folder / STATE

    @property
    def secret_file(self) -> Path:
        """Where init wrote the ring of secrets."""
        return self.state / "secret.key"

    def for_list(self, key: str) -> ListSettings:
        """Give the list's settings, or raise a UserError that names the lists there are."""
        if key not in self.lists:
            known = ", ".join(sorted(self.lists))
            raise UserError(Problem(f"there is no list {key!r}; the lists are: {known}", key="list"))
        return self.lists[key]
