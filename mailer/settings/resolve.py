"""Document -> Settings: who inherits what, and which values contradict each other. Pure.

A list's own word wins over its brand's, the brand's over the newsletter's, that over the default. All
contradictions are found before one is reported, each with the path of its key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mailer.settings.document import BrandTable, Document, ListTable
from mailer.settings.feedback import feedback_complaints, feedback_of
from mailer.settings.hooks import ApiSettings, MonitorSettings, hook_complaints, hooks_of, webhooks_of
from mailer.settings.model import DomainLimit, ListSettings, RelaySettings, Settings, Tripwire
from mailer.settings.schedule import UpkeepSettings, schedule_complaints, schedules_of
from mailer.settings.values import Mailbox, is_placeholder, name_of
from mailer.settings.web import WebSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mailer.settings.lines import KeyPath

Complaint = tuple["KeyPath", str]

_NO_SENDER = 'nobody sends this: write from = "Name <news@your-domain>"'


def complaints(document: Document, *, one_relay: bool) -> Iterator[Complaint]:
    """Find what contradicts itself; `one_relay` says that MAILER_RELAY stands for all relays."""
    yield from _bad_names(document)
    names = [relay.name for relay in document.relays]
    for index, relay in enumerate(document.relays):
        if relay.name in names[:index]:
            yield ("relays", index, "name"), f"two relays are named {relay.name!r}"
    for path, table in _tables(document):
        if table.relay is not None and not one_relay and table.relay not in names:
            yield (*path, "relay"), f"there is no relay named {table.relay!r}"
    for key, table in document.lists.items():
        if table.brand is not None and table.brand not in document.brands:
            yield ("lists", key, "brand"), f"there is no [brands.{table.brand}]"
    if document.brand is not None:
        yield ("brand",), "brand belongs into a [lists.x]"
    yield from _without_sender(document)
    yield from hook_complaints(document.hooks, document.webhooks)
    yield from schedule_complaints(document.schedule, _lists(document))
    yield from feedback_complaints(document.feedback)


def _bad_names(document: Document) -> Iterator[Complaint]:
    for kind, table in (("list", document.lists), ("brand", document.brands)):
        for name in table:
            yield from _bad_name(kind, name, (f"{kind}s", name))
    for index, relay in enumerate(document.relays):
        yield from _bad_name("relay", relay.name, ("relays", index, "name"))


def _bad_name(kind: str, name: str, path: KeyPath) -> Iterator[Complaint]:
    try:
        name_of(kind, name)
    except ValueError as error:
        yield path, str(error)


def _without_sender(document: Document) -> Iterator[Complaint]:
    for key, table in _lists(document).items():
        if not _first("sender", _levels(document, table), None):
            yield (("from",) if not document.lists else ("lists", key, "from")), _NO_SENDER


def _tables(document: Document) -> Iterator[tuple[KeyPath, BrandTable]]:
    yield (), document
    yield from ((("brands", name), table) for name, table in document.brands.items())
    yield from ((("lists", key), table) for key, table in document.lists.items())


def _lists(document: Document) -> Mapping[str, ListTable]:
    """Give the lists; without a table of them there is one, named main."""
    return document.lists or {"main": ListTable()}


def _levels(document: Document, table: ListTable) -> tuple[BrandTable, ...]:
    brand = document.brands.get(table.brand or "")
    return (table, brand, document) if brand else (table, document)


def _first(name: str, levels: tuple[BrandTable, ...], default: Any = None) -> Any:
    for level in levels:
        value = getattr(level, name, None)
        if value is not None:
            return value
    return default


def resolve(
    document: Document,
    folder: Path,
    *,
    relays: tuple[RelaySettings, ...],
    fixed: Mapping[str, str],
    one_relay: bool,
) -> Settings:
    """Decide everything. `fixed` holds what the environment says for every list: base_url, public_url."""
    lists = {
        key: _list(key, document, table, folder, fixed=fixed, one_relay=one_relay)
        for key, table in _lists(document).items()
    }
    return Settings(
        folder=folder,
        file=folder / "mailer.toml",
        id=document.id,
        name=document.name or folder.name,
        database=_database(document.database, folder),
        lists=lists,
        relays=relays,
        domains={name: DomainLimit(**table.model_dump()) for name, table in document.domains.items()},
        tripwire=Tripwire(**document.tripwire.model_dump()),
        operator=document.operator,
        workers=document.workers,
        attributes=document.attributes,
        forget_after=document.forget_after,
        hooks=hooks_of(document.hooks, folder),
        webhooks=webhooks_of(document.webhooks, folder),
        api=ApiSettings(**document.api.model_dump()),
        monitor=MonitorSettings(**document.monitor.model_dump()),
        web=WebSettings(**document.web.model_dump()),
        schedules=schedules_of(document.schedule, lists),
        upkeep=UpkeepSettings(**document.upkeep.model_dump()),
        feedback=feedback_of(document.feedback, folder),
    )


def _list(
    key: str, document: Document, table: ListTable, folder: Path, *, fixed: Mapping[str, str], one_relay: bool
) -> ListSettings:
    levels = _levels(document, table)
    sender: Mailbox = _first("sender", levels)
    name = _first("name", levels, key)
    domain = _first("message_domain", levels, sender.domain)
    theme = {name: value for level in reversed(levels) for name, value in level.theme.items()}
    return ListSettings(
        key=key,
        name=name,
        sender=sender if sender.name else Mailbox(name, sender.address),
        reply_to=_first("reply_to", levels),
        postal_address=_first("postal_address", levels, "").strip(),
        base_url=fixed.get("base_url", _first("base_url", levels)),
        public_url=_bare(fixed.get("public_url", _first("public_url", levels))),
        permalink=_first("permalink", levels),
        time_zone=_first("time_zone", levels, "UTC"),
        language=_first("language", levels, "en"),
        issues=_first("issues", levels, ("issues/*.md",)),
        templates=folder / _first("templates", levels, "templates"),
        theme=theme,
        relay=None if one_relay else _first("relay", levels),
        return_path=_first("return_path", levels),
        unsubscribe_mailto=_first("unsubscribe_mailto", levels) if document.feedback.taken else None,
        message_domain=domain,
        list_id=_first("list_id", levels, f"{key}.{domain}"),
        feedback_id=_first("feedback_id", levels, document.id.hex[:12]),
        why=_first("why", levels, ""),
        brand=table.brand,
        archive=_first("archive", levels, default=False),
        welcome=_beside(folder, _first("welcome", levels)),
        folder=folder,
    )


def _bare(url: str | None) -> str | None:
    """Links are made by adding /u/TOKEN: the slash at the end would be doubled."""
    return url.rstrip("/") if url else None


def _beside(folder: Path, name: str | None) -> Path | None:
    return folder / name if name else None


def _database(url: str | None, folder: Path) -> str:
    """Relative paths of SQLite files count from the newsletter's folder, wherever the command runs."""
    if url is None:
        return f"sqlite:///{folder / '.mailer' / 'mailer.db'}"
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and not path.startswith("/"):
        return f"sqlite:///{folder / path}"
    return url


def placeholders(document: Document) -> Iterator[Complaint]:
    """Find the values that still are the documentation's examples."""
    for path, table in _tables(document):
        for name, field in type(table).model_fields.items():
            value = getattr(table, name)
            text = value.address if isinstance(value, Mailbox) else value
            if isinstance(text, str) and is_placeholder(text):
                yield (*path, field.alias or name), f"{text!r} is a placeholder: write your own"
        if table.unsubscribe_mailto and not document.feedback.taken:
            yield (*path, "unsubscribe_mailto"), "is not offered to readers: nothing in [feedback] reads it"
