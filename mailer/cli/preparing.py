"""What a person asked of `mailer send`, understood: file, list, relays; and what must not go out."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from mailer.cli.naming import issue_named, mailing_named
from mailer.cli.output import note
from mailer.cli.workplace import Workplace, workplace
from mailer.delivery import custody
from mailer.delivery.dispatch import Request
from mailer.delivery.sending import Ground
from mailer.edition.guard import compile_guarded
from mailer.edition.masthead import masthead_for
from mailer.errors import Problem, UserError
from mailer.issue.provenance import Provenance, provenance
from mailer.message.dkim import load_signers
from mailer.run.ground import lay
from mailer.settings import MOST_WORKERS

if TYPE_CHECKING:
    from mailer.cli.naming import Named
    from mailer.edition import Edition
    from mailer.settings import ListSettings

_SPAN: Final = re.compile(r"(\d{1,6})\s*([smhd])", re.IGNORECASE)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of the command line."""

    issue: str
    subject: str | None = None
    list_key: str | None = None
    segment: str = ""
    first: int | None = None
    hold: str | None = None
    new_readers: bool = False
    again: str = ""
    uncertain: str | None = None
    wait: bool = False
    dry_run: bool = False
    yes: bool = False
    workers: int | None = None


@dataclass(slots=True)
class Send:
    """One send, from the file to the summary."""

    asked: Asked
    place: Workplace
    named: Named
    edition: Edition
    origin: Provenance
    request: Request
    ground: Ground
    began: float = field(default_factory=time.monotonic)


def prepare(asked: Asked) -> Send:
    """Find the file and its list, compile it, and gather what sending needs."""
    place = workplace()
    _bounded(asked.workers)
    named = issue_named(place, asked.issue, asked.list_key)
    _ = place.engine  # says `mailer init` before anything is compiled
    edition = compile_guarded(named.path, masthead_for(named.list), subject=asked.subject)
    by_name = mailing_named(asked.issue, place.settings.lists)
    request = Request(
        issue_list=named.list.key,
        list_key=asked.list_key or named.list.key,
        segment=asked.segment,
        first=asked.first,
        hold=_hold(asked),
        new_readers=asked.new_readers,
        again=asked.again or (by_name.again if by_name else ""),
    )
    place.settings.for_list(request.list_key)
    ground = ground_of(place, named.list)
    return Send(asked, place, named, edition, provenance(named.path), request, ground)


def ground_of(place: Workplace, one: ListSettings | None = None) -> Ground:
    """Give what a process needs to send for a list, or through every relay."""
    return lay(place.settings, place.keys, place.engine, one)


def ground_here(place: Workplace) -> Ground:
    """Give what a process needs to hear what comes back: it sends nothing, so no relay has to make sense."""
    return Ground(place.settings, place.keys, place.engine, (), load_signers(place.settings.state / "dkim"))


def _bounded(workers: int | None) -> None:
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        said = f"takes 1 to {MOST_WORKERS} processes, not {workers:,}"
        raise UserError(Problem(said, key="--workers"))


def _hold(asked: Asked) -> timedelta | None:
    if asked.hold is None:
        return None
    match = _SPAN.fullmatch(asked.hold.strip())
    if match is None:
        raise UserError(Problem(f"{asked.hold!r} is no length of time; write 90s, 30m, 2h or 1d", key="hold"))
    if asked.first is None:
        raise UserError(Problem("--hold goes with --first N", key="hold"))
    return timedelta(**{_UNITS[match[2].lower()]: int(match[1])})


def refuse(this: Send) -> None:
    """Stop what must not go out, whatever was answered: errors, drafts, no way to leave."""
    problems = [
        Problem(finding.message, finding.file, finding.line, finding.rule) for finding in this.edition.errors
    ]
    file = this.edition.file
    if this.edition.draft:
        problems.append(Problem("is a draft: take `draft: true` out to send it", file, key="draft"))
    if not this.named.list.public_url:
        problems.append(
            Problem("is missing: without it readers could not unsubscribe", "mailer.toml", key="public_url")
        )
    if not this.ground.relays:
        problems.append(
            Problem("no relay: set [[relays]] in mailer.toml or MAILER_RELAY", "mailer.toml", key="relays")
        )
    if problems:
        raise UserError(*problems)


def secure(this: Send) -> None:
    """Let nothing be foreseen, let alone sent, from a database that does not know what went out."""
    caught_up = custody.secure(this.ground)
    if caught_up is not None:
        note(str(caught_up), style="warning")
