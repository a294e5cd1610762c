"""mailer.toml as it may be written: one model per table, every key typed, unknown keys refused.

These models are the shape of the file and nothing more. What they mean together, which list inherits what
from its brand and from the newsletter, is resolved in resolve.py; the rest of the program sees only the
result.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from mailer.settings.attributes import AttributesValue  # noqa: TC001 - pydantic reads it
from mailer.settings.feedback import FeedbackTable
from mailer.settings.hooks import ApiTable, HookTable, MonitorTable, WebhookTable
from mailer.settings.model import MOST_WORKERS
from mailer.settings.privacy import SpanValue  # noqa: TC001 - pydantic reads it
from mailer.settings.schedule import ScheduleTable, UpkeepTable
from mailer.settings.values import (
    AddressValue,
    DatabaseValue,
    DomainValue,
    FeedbackIdValue,
    GlobValue,
    LanguageValue,
    LineValue,
    ListIdValue,
    MailboxValue,
    ThemeValue,
    UrlValue,
    UuidValue,
    ZoneValue,
)
from mailer.settings.web import WebTable


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Globs = Annotated[tuple[GlobValue, ...], BeforeValidator(_several), Field(min_length=1)]
Percent = Annotated[float, Field(gt=0, le=100)]
Rate = Annotated[float, Field(gt=0, le=1_000_000)]
Whole = Annotated[int, Field(ge=1, le=1_000_000_000)]
Workers = Annotated[int, Field(ge=1, le=MOST_WORKERS)]


class Table(BaseModel):
    """Any table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False, hide_input_in_errors=True)


class BrandTable(Table):
    """`[brands.x]`: the legal sender that several lists share; also the first half of a list's keys."""

    name: LineValue | None = None
    sender: MailboxValue | None = Field(default=None, alias="from")
    reply_to: AddressValue | None = None
    postal_address: str | None = Field(default=None, max_length=500)
    public_url: UrlValue | None = None
    base_url: UrlValue | None = None
    permalink: LineValue | None = None
    theme: ThemeValue = {}
    language: LanguageValue | None = None
    time_zone: ZoneValue | None = None
    relay: str | None = None
    return_path: AddressValue | None = None
    unsubscribe_mailto: AddressValue | None = None
    message_domain: DomainValue | None = None
    feedback_id: FeedbackIdValue | None = None
    why: LineValue | None = None


class ListTable(BrandTable):
    """`[lists.x]`: what this list has of its own."""

    brand: str | None = None
    issues: Globs | None = None
    templates: GlobValue | None = None
    list_id: ListIdValue | None = None
    archive: bool | None = None
    welcome: GlobValue | None = None


class RelayTable(Table):
    """`[[relays]]`: one server that takes mail. The address is read by the smtp room."""

    name: str
    url: SecretStr | None = None
    url_file: str | None = None
    username: LineValue | None = None
    password_file: str | None = None
    kind: LineValue | None = None
    tls: LineValue | None = None
    streams: Annotated[tuple[LineValue, ...], BeforeValidator(_several)] = ()
    connections: int | None = Field(default=None, ge=1, le=500)
    per_second: Rate | None = None
    per_hour: Whole | None = None
    per_day: Whole | None = None
    per_connection: Whole | None = None
    weight: int | None = Field(default=None, ge=1, le=1000)


class DomainTable(Table):
    """`[domains."gmail.com"]`: what one receiving domain gets at most."""

    per_second: Rate | None = None
    connections: int | None = Field(default=None, ge=1, le=500)


class TripwireTable(Table):
    """`[tripwire]`: the shares at which a mailing pauses itself and asks a person."""

    after: int = Field(default=200, ge=1)
    refused_percent: Percent = 10
    deferred_percent: Percent = 50
    bounced_percent: Percent = 5
    complaint_percent: Percent = 0.3


class Document(ListTable):
    """The whole of mailer.toml: the newsletter's own keys are the defaults of every list."""

    id: UuidValue
    database: DatabaseValue | None = None
    operator: AddressValue | None = None
    workers: Workers = 1
    forget_after: SpanValue | None = None
    relays: tuple[RelayTable, ...] = ()
    lists: dict[str, ListTable] = {}
    brands: dict[str, BrandTable] = {}
    domains: dict[DomainValue, DomainTable] = {}
    tripwire: TripwireTable = TripwireTable()
    attributes: AttributesValue = {}
    hooks: dict[str, HookTable] = {}
    webhooks: tuple[WebhookTable, ...] = ()
    api: ApiTable = ApiTable()
    monitor: MonitorTable = MonitorTable()
    web: WebTable = WebTable()
    schedule: tuple[ScheduleTable, ...] = ()
    upkeep: UpkeepTable = UpkeepTable()
    feedback: FeedbackTable = FeedbackTable()
