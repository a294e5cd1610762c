"""The sums themselves: queries over the tables of the rooms, each with its name, its words and its labels."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import case, func, or_, select

from mailer import __version__
from mailer.delivery import ledger
from mailer.delivery.states import DeliveryState, MailingState
from mailer.delivery.tables import deliveries, letters, mailings, relay_counts, workers
from mailer.feedback.tables import notices
from mailer.feedback.tables import unknown as unknown_mails
from mailer.hooks import queue
from mailer.hooks.outbox import newest
from mailer.hooks.tables import receivers, reports
from mailer.web import budgets
from mailer.web.budgets import Allowance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.settings import Settings

MAILINGS: Final = 10  # the newest that run, are paused or ended within two days
DOMAINS: Final = 20  # the largest of them; the others are summed up
OTHER: Final = "other"
_RECENT: Final = timedelta(days=2)
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_ALIVE: Final = timedelta(minutes=2)
_OUTCOMES: Final = (
    DeliveryState.ACCEPTED, DeliveryState.DEFERRED, DeliveryState.REFUSED, DeliveryState.UNCERTAIN,
)  # fmt: skip
_d = deliveries.c


@dataclass(frozen=True, slots=True)
class Sum:
    """One metric: its values by their labels."""

    name: str
    about: str
    labels: tuple[str, ...]
    values: Mapping[Any, float]  # a number by the labels, in their order


def every(connection: Connection, settings: Settings, now: datetime) -> Iterator[Sum]:
    """Give all sums at one moment."""
    yield Sum("mailer_version_info", "The program's version.", ("version",), {(__version__,): 1})
    shown = _mailings(connection, now)
    yield from _deliveries(connection, shown, now)
    yield from _letters(connection, now)
    yield from _feedback(connection, now)
    yield from _hooks(connection, now)
    yield _budgets(connection, settings, now)
    yield _relays(connection, settings, now)
    alive = select(func.count()).where(workers.c.ended_at.is_(None), workers.c.seen_at > now - _ALIVE)
    count = float(connection.scalar(alive) or 0)
    yield Sum("mailer_senders", "Processes that send, seen within two minutes.", (), {(): count})


def _mailings(connection: Connection, now: datetime) -> dict[int, str]:
    m = mailings.c
    going = m.state.in_([MailingState.RUNNING, MailingState.PAUSED])
    query = select(m.id, m.name).where(or_(going, m.changed_at > now - _RECENT))
    return {row.id: row.name for row in connection.execute(query.order_by(m.id.desc()).limit(MAILINGS))}


def _deliveries(connection: Connection, shown: Mapping[int, str], now: datetime) -> Iterator[Sum]:
    """Read each mailing once: its sums by domain, from which those by state follow."""
    states: Counter[tuple[str, ...]] = Counter()
    outcomes: Counter[tuple[str, ...]] = Counter()
    most: Counter[str] = Counter()  # a domain's readers in that mailing which has most of them
    rate = 0
    wanted = list(DeliveryState)
    fresh = (_d.state == DeliveryState.ACCEPTED) & (_d.at > now - timedelta(minutes=1))
    columns = [func.sum(case((_d.state == state, 1), else_=0)) for state in wanted]
    for mailing_id, name in shown.items():
        query = select(_d.domain, func.sum(case((fresh, 1), else_=0)), *columns)
        for domain, now_sent, *counts in connection.execute(
            query.where(_d.mailing_id == mailing_id).group_by(_d.domain)
        ):
            rate += now_sent
            most[domain] = max(most[domain], sum(counts))
            for state, count in zip(wanted, counts, strict=True):
                states[name, _word(state)] += count
                if domain and state in _OUTCOMES:  # the erased have none
                    outcomes[domain, state.value] += count
        for state, count in ledger.packed_states(connection, mailing_id).items():
            states[name, _word(state)] += count  # an old mailing that runs again
    yield Sum("mailer_deliveries", "Readers of recent mailings, by state.", ("mailing", "state"), states)
    yield Sum(
        "mailer_domain_outcomes",
        "Outcomes of recent mailings, by the readers' domain: the largest, and all others as one.",
        ("domain", "state"),
        _largest(outcomes, most),
    )
    yield Sum(
        "mailer_accepted_last_minute", "Messages that relays accepted within a minute.", (), {(): float(rate)}
    )


def _word(state: DeliveryState) -> str:
    return "waiting" if state is DeliveryState.PLANNED else state.value


def _largest(outcomes: Counter[tuple[str, ...]], most: Counter[str]) -> dict[tuple[str, ...], float]:
    """Keep the largest domains by their names; whoever reads mail at a domain of their own is not named."""
    sizes: Counter[str] = Counter()
    for (domain, _), count in outcomes.items():
        sizes[domain] += count
    named = {
        domain for domain, count in sizes.most_common(DOMAINS) if domain and count > 1 and most[domain] > 1
    }
    found: Counter[tuple[str, ...]] = Counter()
    for (domain, state), count in outcomes.items():
        found[domain if domain in named else OTHER, state] += count
    return {labels: float(count) for labels, count in found.items() if count}


def _letters(connection: Connection, now: datetime) -> Iterator[Sum]:
    waiting = letters.c.state.in_([DeliveryState.PLANNED, DeliveryState.DEFERRED])
    count = connection.scalar(select(func.count()).where(waiting, letters.c.due_at <= now)) or 0
    yield Sum("mailer_letters_due", "Service mails that should be on their way.", (), {(): float(count)})
    recent = select(letters.c.purpose, letters.c.state, func.count()).where(letters.c.created_at > now - _DAY)
    rows = connection.execute(recent.group_by(letters.c.purpose, letters.c.state))
    values = {(purpose, state): float(number) for purpose, state, number in rows}
    yield Sum("mailer_letters_last_day", "Service mails of a day, by state.", ("purpose", "state"), values)


def _feedback(connection: Connection, now: datetime) -> Iterator[Sum]:
    n = notices.c
    recent = select(n.kind, n.effect, func.count()).where(n.at > now - _DAY).group_by(n.kind, n.effect)
    values = {(kind, effect): float(count) for kind, effect, count in connection.execute(recent)}
    yield Sum(
        "mailer_notices_last_day",
        "What came back within a day, and what it changed.",
        ("kind", "effect"),
        values,
    )
    open_ = select(func.count()).where(unknown_mails.c.solved_at.is_(None))
    count = float(connection.scalar(open_) or 0)
    yield Sum("mailer_unknown_mails", "Mails that came back and nobody understood.", (), {(): count})


def _hooks(connection: Connection, now: datetime) -> Iterator[Sum]:
    r = reports.c
    recent = (
        select(r.hook, func.sum(r.notices), func.sum(r.unknown)).where(r.at > now - _DAY).group_by(r.hook)
    )
    known = list(connection.execute(recent))
    values = {
        (hook, word): float(count)
        for hook, *counts in known
        for word, count in zip(_HEARD, counts, strict=True)
    }
    yield Sum(
        "mailer_provider_events_last_day", "What providers reported within a day.", ("hook", "what"), values
    )
    told = queue.overview(connection)
    counts = {(one.name, state): float(getattr(one, state)) for one in told for state in _TOLD}
    yield Sum("mailer_webhook_dispatches", "Events for receivers, by state.", ("receiver", "state"), counts)
    failing = {(one.name,): float(one.failures) for one in told}
    yield Sum("mailer_webhook_failures", "Failures in a row of a receiver.", ("receiver",), failing)
    ended = {(one.name,): float(one.ended_at is not None) for one in told}
    yield Sum("mailer_webhook_ended", "1 where a receiver is told nothing more.", ("receiver",), ended)
    read = connection.scalar(select(func.min(receivers.c.read_upto)).where(receivers.c.ended_at.is_(None)))
    behind = float(newest(connection) - read) if read is not None else 0.0
    yield Sum(
        "mailer_webhook_events_behind", "Events that no receiver was asked about yet.", (), {(): behind}
    )


_HEARD: Final = ("notices", "unknown")
_TOLD: Final = ("waiting", "delivered", "abandoned")


def _budgets(connection: Connection, settings: Settings, now: datetime) -> Sum:
    web = settings.web
    allowances = {
        "address": Allowance(web.address_per_day, _DAY.total_seconds()),
        "network": Allowance(web.network_per_hour, _HOUR.total_seconds()),
        "all": Allowance(web.all_per_hour, _HOUR.total_seconds()),
    }
    values = {(kind,): float(budgets.full(connection, kind, one, now)) for kind, one in allowances.items()}
    return Sum("mailer_budgets_spent", "Subjects whose budget of letters is spent.", ("kind",), values)


def _relays(connection: Connection, settings: Settings, now: datetime) -> Sum:
    c = relay_counts.c
    named = {one.name for one in settings.relays}
    query = select(c.relay, func.sum(c.taken)).where(c.minute > now - _HOUR).group_by(c.relay)
    values = {(relay,): float(taken) for relay, taken in connection.execute(query) if relay in named}
    return Sum(
        "mailer_relay_last_hour",
        "Messages that a relay with a limit took within an hour.",
        ("relay",),
        values,
    )
