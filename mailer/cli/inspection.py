"""What check says of mailer.toml and segments.toml: placeholders, themes, relays, and what providers refuse.

Each rule has a stable name and its source in docs/standards.md. Settings that cannot be loaded at all never come here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mailer.cli.compiling import as_finding
from mailer.edition.theme import resolve_theme
from mailer.errors import MailerError
from mailer.issue.model import Finding, Level
from mailer.smtp.relay import is_loopback, parse_relay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailer.cli.workplace import Workplace
    from mailer.settings import ListSettings, Settings

_FREEMAIL: Final = frozenset({
    "gmail.com", "googlemail.com", "yahoo.com", "aol.com", "outlook.com", "hotmail.com", "live.com", "msn.com",
    "icloud.com", "gmx.de", "gmx.net", "web.de", "mail.ru", "proton.me", "protonmail.com",
})  # fmt: skip


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Give what should be mended in mailer.toml before a send."""
    for problem in settings.warnings:
        yield as_finding(problem, "placeholder", Level.WARNING)
    for index, relay in enumerate(settings.relays):
        try:
            parse_relay(relay.url, relay.name, relay.options)
        except MailerError as error:
            place = settings.problem("", "relays", index)
            yield from (
                Finding("relay", Level.ERROR, one.message, place.file, place.line) for one in error.problems
            )
    yield from _schedules(settings)
    seen = set()
    for one in settings.lists.values():
        for finding in (*_theme(settings, one), *_sender(settings, one), *_links(settings, one)):
            if finding not in seen:
                seen.add(finding)
                yield finding


def _schedules(settings: Settings) -> Iterator[Finding]:
    """Rules that cannot be read, and questions that would reach nobody."""
    if not settings.schedules:
        return
    from mailer.schedule.plan import plans_of  # noqa: PLC0415 - most newsletters have no schedule

    try:
        plans_of(settings)
    except MailerError as error:
        for problem in error.problems:
            yield Finding(
                "schedule", Level.ERROR, f"{problem.key}: {problem.message}", problem.file, problem.line
            )
    if settings.operator is None:
        said = "no operator: when a schedule must ask a person, it reaches nobody, and after a day it skips"
        place = settings.problem("", "schedule", 0)
        yield Finding("schedule-operator", Level.WARNING, said, place.file, place.line)


def _at(settings: Settings, one: ListSettings, key: str) -> tuple[str | None, int | None]:
    """Give file and line of a key that the list has from itself, its brand or the newsletter."""
    places = [
        ("lists", one.key, *key.split(".")),
        ("brands", one.brand or "", *key.split(".")),
        tuple(key.split(".")),
    ]
    for path in places:
        if path in settings.lines:
            return settings.file.name, settings.lines[path]
    return settings.file.name, None


def _theme(settings: Settings, one: ListSettings) -> Iterator[Finding]:
    try:
        resolve_theme(one.theme)
    except MailerError as error:
        for problem in error.problems:
            place = _at(settings, one, str(problem.key))
            yield Finding("theme", Level.ERROR, f"{problem.key} {problem.message}", *place)


def _sender(settings: Settings, one: ListSettings) -> Iterator[Finding]:
    """G08, O04: a free mailbox cannot be a newsletter's sender."""
    if one.sender.domain in _FREEMAIL:
        said = f"{one.sender.domain} refuses newsletters sent in its name by others: use a domain of yours"
        yield Finding("from-freemail", Level.WARNING, said, *_at(settings, one, "from"))
    if not one.postal_address:
        said = "no postal_address: many countries' laws want one in every footer"
        yield Finding("postal-address", Level.WARNING, said, *_at(settings, one, "postal_address"))


def _links(settings: Settings, one: ListSettings) -> Iterator[Finding]:
    """U01: one-click unsubscribing needs https."""
    if not one.public_url:
        said = "no public_url: readers could not unsubscribe, so nothing can be sent"
        yield Finding("public-url", Level.WARNING, said, *_at(settings, one, "public_url"))
        return
    parts = urlsplit(one.public_url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        said = "public_url must be https: mail programs offer one-click unsubscribing only then"
        yield Finding("public-url", Level.WARNING, said, *_at(settings, one, "public_url"))


def check_segments(settings: Settings) -> Iterator[Finding]:
    """Give what is wrong with segments.toml, if there is one: each mistake with its line and a caret."""
    from mailer.delivery.dispatch import now_utc  # noqa: PLC0415 - with SQLAlchemy, which a check of one file needs not
    from mailer.delivery.segments import FILE, Segments  # noqa: PLC0415

    if (settings.folder / FILE).exists():
        for problem in Segments(settings).problems(now_utc()):
            yield as_finding(problem, "segments")


def check_doubts(place: Workplace) -> Iterator[Finding]:
    """Warn of segments that ask for an attribute which nobody has, or for an issue that never went out."""
    from mailer.database import reading  # noqa: PLC0415 - with SQLAlchemy
    from mailer.delivery.dispatch import now_utc  # noqa: PLC0415
    from mailer.delivery.segments import FILE, Segments  # noqa: PLC0415

    try:
        if not (place.folder / FILE).exists() or not place.has_database:
            return
        with reading(place.engine) as connection:
            found = list(Segments(place.settings).warnings(connection, now_utc()))
    except MailerError:
        return  # a database that cannot be asked is told by whoever needs it
    yield from (as_finding(problem, "segments", Level.WARNING) for problem in found)


def check_indexes(place: Workplace) -> Iterator[Finding]:
    """Warn where an attribute is declared and has no index: after a change of [attributes], or an upgrade by itself."""
    from mailer.delivery.indexing import missing  # noqa: PLC0415 - with SQLAlchemy

    declared = place.settings.attributes
    try:
        late = bool(declared) and place.has_database and missing(place.engine, declared)
    except MailerError:
        return  # a database that cannot be asked is told by whoever needs it
    if late:
        said = "[attributes] and the indexes differ, so counting segments is slow: `mailer db upgrade` makes them"
        yield Finding("segments", Level.WARNING, said, "mailer.toml", None)
