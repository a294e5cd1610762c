"""How `mailer send` speaks: what stands before a send, the question, the progress, the summary."""

from __future__ import annotations

import gc
import re
import signal
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from mailer import events
from mailer.cli import progress
from mailer.cli.naming import issue_named, mailing_named
from mailer.cli.output import confirm, emit, note, say
from mailer.cli.workplace import Workplace, workplace
from mailer.database import reading, writing
from mailer.delivery import audience, custody, dispatch, forecast, mailing, steering
from mailer.delivery.dispatch import Prospect, Request, Step
from mailer.delivery.engine import End
from mailer.delivery.relays import relays_of
from mailer.delivery.sending import Ground, Result, deliver
from mailer.delivery.states import DeliveryState, MailingState
from mailer.edition.guard import compile_guarded
from mailer.edition.masthead import masthead_for
from mailer.errors import Problem, TryLater, UserError
from mailer.issue.provenance import Provenance, provenance
from mailer.message.dkim import load_signers
from mailer.smtp.relay import parse_relay

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mailer.cli.naming import Named
    from mailer.delivery.engine import Engine
    from mailer.delivery.mailing import Mailing
    from mailer.delivery.model import Counts
    from mailer.delivery.tripwire import Tally
    from mailer.edition import Edition
    from mailer.settings import ListSettings

_FEW: Final = 10  # what goes out to more people asks
_SPAN: Final = re.compile(r"(\d{1,6})\s*([smhd])", re.IGNORECASE)
LEFT: Final = 4  # done as far as it goes
INTERRUPTED: Final = 130
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


def run(asked: Asked) -> int:
    """Send, and give the exit code."""
    if asked.uncertain == "skip":
        return _leave_uncertain(asked)
    this = _prepare(asked)
    _refuse(this)
    if not asked.dry_run:
        _secure(this)
    prospect = _foresee(this)
    if asked.uncertain is not None:
        return _uncertain(this, prospect)
    if prospect.step is Step.NOTHING:
        return _nothing(this, prospect)
    if prospect.step is Step.OPEN and not prospect.readers:
        whom = f"segment {asked.segment}" if asked.segment else this.request.list_key
        raise UserError(Problem(f"nobody to send to: {whom} has no readers who may be mailed", key="list"))
    _describe(this, prospect)
    if asked.dry_run:
        _emit_dry(prospect)
        return 0
    if prospect.step is not Step.CONTINUE:
        _ask(this, prospect)
    found = _begin(this, prospect)
    return _deliver(this, found, prospect.readers)


def _prepare(asked: Asked) -> Send:
    place = workplace()
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
    every = [parse_relay(relay.url, relay.name, relay.options) for relay in place.settings.relays]
    relays = every if one is None else relays_of(place.settings, one)
    signers = load_signers(place.settings.state / "dkim")
    return Ground(place.settings, place.keys, place.engine, relays, signers)


def _hold(asked: Asked) -> timedelta | None:
    if asked.hold is None:
        return None
    match = _SPAN.fullmatch(asked.hold.strip())
    if match is None:
        raise UserError(Problem(f"{asked.hold!r} is no length of time; write 90s, 30m, 2h or 1d", key="hold"))
    if asked.first is None:
        raise UserError(Problem("--hold goes with --first N", key="hold"))
    return timedelta(**{_UNITS[match[2].lower()]: int(match[1])})


def _refuse(this: Send) -> None:
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


def _secure(this: Send) -> None:
    """Let nothing be foreseen, let alone sent, from a database that does not know what went out."""
    caught_up = custody.secure(this.ground)
    if caught_up is not None:
        note(str(caught_up), style="warning")


def _foresee(this: Send) -> Prospect:
    now = this.ground.clock()
    with writing(this.ground.database) as connection:
        ids = dispatch.lists_of(connection, this.place.settings.lists, now)
    with reading(this.ground.database) as connection:
        return dispatch.foresee(
            connection, this.edition, this.request, ids[this.request.list_key], now, this.ground.narrow
        )


def _describe(this: Send, prospect: Prospect) -> None:
    """Say what stands before the send."""
    one, zone = this.named.list, this.named.list.time_zone
    per_second = forecast.rate(this.ground.relays)
    lasts = forecast.duration(prospect.readers, per_second, this.ground.clock(), zone)
    number = f" #{this.edition.number}" if this.edition.number is not None else ""
    through = ", ".join(relay.label for relay in this.ground.relays)
    speed = f" at {per_second:g}/s" if per_second else ""
    say(f'{one.name}{number}: "{mailing.plain_subject(this.edition)}"', style="strong")
    say(f"File   {this.edition.file}   {_committed(this.origin)}")
    say(f"From   {one.sender.name} <{one.sender.address}>   through {through}{speed}")
    people = forecast.whom(this.request.list_key, prospect.people, prospect.readers, this.request.segment)
    say(f"To     {people}{lasts}")
    say(f"Check  {_checked(this)}")
    if this.request.again and prospect.had_it:
        say(f"Again  {forecast.many(prospect.had_it, 'reader')} of these had the issue before: a second copy")


def _committed(origin: Provenance) -> str:
    if not origin.repository:
        return "not in a git repository"
    if origin.commit is None:
        return "not committed"
    return f"commit {origin.commit[:7]}, {'not changed' if origin.committed else 'CHANGED'} since"


def _checked(this: Send) -> str:
    warnings = sum(finding.level == "warning" for finding in this.edition.findings)
    issue = this.edition.number if this.edition.number is not None else this.edition.slug
    count = forecast.many(warnings, "warning") if warnings else "no warnings"
    with reading(this.ground.database) as connection:
        event = events.latest(connection, "test.sent", f"{issue}.{this.named.list.key}")
    ago = "no test mail went out"
    if event is not None:
        minutes = (this.ground.clock() - event.at).total_seconds() / 60
        ago = f"a test mail went out {minutes:.0f} min ago"
    return f"no errors, {count}{f' (mailer check {issue})' if warnings else ''}; {ago}"


def _ask(this: Send, prospect: Prospect) -> None:
    issue = str(this.edition.number if this.edition.number is not None else this.edition.slug)
    if prospect.readers > _FEW or this.request.again:
        confirm(f"Type {issue} to send, anything else stops:", yes=this.asked.yes, typed=issue)


def _begin(this: Send, prospect: Prospect) -> Mailing:
    now = this.ground.clock()
    with writing(this.ground.database) as connection:
        found = dispatch.begin(
            connection, prospect, this.edition, this.request, this.origin, now, this.ground.narrow
        )
        if prospect.step is not Step.CONTINUE:
            data = {
                "step": prospect.step.value,
                "list": this.request.list_key,
                "segment": this.request.segment,
            }
            events.record(connection, "mailing.started", found.name, now, events.person(), **data)
    return found


def _deliver(this: Send, found: Mailing, total: int) -> int:
    """Run the engine until nothing is due; between the first few and the rest, hold."""
    import uvloop  # noqa: PLC0415

    gc.freeze()  # what was imported stays; the collector need not look through it again and again
    while True:
        result = uvloop.run(_engine(this, found, total))
        if result.end is not End.DONE or not _held(this, found, result):
            return _summary(this, found, result)


async def _engine(this: Send, found: Mailing, total: int) -> Result:
    box: list[Engine] = []

    def watch(engine: Engine) -> None:
        box.append(engine)
        for number in (signal.SIGINT, signal.SIGTERM):
            engine.loop.add_signal_handler(number, engine.stop, End.STOPPED)

    def tally() -> Tally | None:
        return box[0].work.tally if box else None

    async with progress.shown(tally, total):
        return await deliver(this.ground, found.id, wait=this.asked.wait, watch=watch)


def _held(this: Send, found: Mailing, result: Result) -> bool:
    """Hold the rest until its time or until Enter; false if nothing is held."""
    with reading(this.ground.database) as connection:
        rest = audience.left_to_plan(connection, found.id)
    if rest is None:
        return False
    if rest.not_before is not None and rest.not_before > this.ground.clock():
        zone = ZoneInfo(this.named.list.time_zone)
        note(f"{forecast.balance(result.sums)}" if result.sums else "")
        note(f"The rest is held until {rest.not_before.astimezone(zone):%H:%M:%S}; Enter lets it go now.")
        _until(rest.not_before, this)
    with writing(this.ground.database) as connection:
        audience.let_go(connection, found.id)
    return True


def _until(moment: datetime, this: Send) -> None:
    import select  # noqa: PLC0415 - only a held send waits for a key

    while (left := (moment - this.ground.clock()).total_seconds()) > 0:
        if sys.stdin is not None and sys.stdin.isatty():
            ready, _, _ = select.select([sys.stdin], [], [], min(left, 1))
            if ready:
                sys.stdin.readline()
                return
        else:
            time.sleep(min(left, 1))


def _summary(this: Send, found: Mailing, result: Result) -> int:
    """Tell how it ended, and give the exit code."""
    if result.sums is None:
        raise TryLater(Problem(f"{result.problem}; the journal has kept what was sent", key="database"))
    with reading(this.ground.database) as connection:
        found = mailing.get(connection, found.id)
    for recovered in result.recovered:
        note(forecast.recovered(recovered))
    seconds = round(time.monotonic() - this.began, 3)
    emit({**summary(found, result.sums), "seconds": seconds})
    say(f"{found.name}: {forecast.balance(result.sums)}, in {seconds:,.1f} s")
    code = _told(this, found, result, result.sums)
    if result.end is End.NO_RELAY:
        raise TryLater(
            Problem(f"no relay takes mail: {result.problem}; the same command goes on", key="relays")
        )
    return code


def _told(this: Send, found: Mailing, result: Result, sums: Counts) -> int:
    zone = this.named.list.time_zone
    if sums[DeliveryState.UNCERTAIN]:
        note(forecast.uncertain(found, sums), style="warning")
    if result.end is End.STOPPED:
        note("Stopped: what was on its way is recorded; the same command goes on.")
        return INTERRUPTED
    # A mailing that another send has finished meanwhile does not run any more either, and all is well.
    if result.end is End.NOT_RUNNING and found.state is not MailingState.FINISHED:
        note(
            f"{found.name} is {found.state}: {found.reason}. `mailer resume {found.name}` lets it go on.",
            style="error",
        )
        return LEFT
    if sums[DeliveryState.DEFERRED] or sums.waiting:
        note(forecast.deferred(found, sums, zone, alive=result.daemon), style="warning")
    return LEFT if sums.unsettled or sums[DeliveryState.UNCERTAIN] else 0


def summary(found: Mailing, sums: Counts) -> dict[str, Any]:
    """Give what send and audit print of a mailing as JSON."""
    issue = found.number if found.number is not None else found.slug
    return {"mailing": found.name, "issue": issue, "state": found.state.value, **sums.to_json()}


def _nothing(this: Send, prospect: Prospect) -> int:
    """Say that everybody has it."""
    if prospect.mailing is None or prospect.sums is None:
        raise AssertionError("nothing to send of what was never opened")
    with writing(this.ground.database) as connection:
        dispatch.finish(connection, prospect.mailing.id, this.ground.clock())
        found = mailing.get(connection, prospect.mailing.id)
    emit({**summary(found, prospect.sums), "seconds": 0.0})
    say(forecast.went_out(found, prospect.sums, prospect.joined_since, this.named.list.time_zone))
    if prospect.sums[DeliveryState.UNCERTAIN]:
        note(forecast.uncertain(found, prospect.sums), style="warning")
        return LEFT
    return 0


def _emit_dry(prospect: Prospect) -> None:
    emit({"step": prospect.step.value, "readers": prospect.readers, "joined_since": prospect.joined_since})
    say("A dry run: nothing was sent, nothing was written.")


def _leave_uncertain(asked: Asked) -> int:
    """Settle the uncertain as they are, for good: nothing is sent, so no file and no relay is needed."""
    place, now = workplace(), dispatch.now_utc()
    with writing(place.engine) as connection:
        found = steering.find(connection, asked.issue, asked.list_key)
        count = _decided(connection, found, "skip", now)
        sums = dispatch.finish(connection, found.id, now)
        found = mailing.get(connection, found.id)
    emit({**summary(found, sums), "seconds": 0.0})
    say(f"{count:,} uncertain: left as they are for good.")
    say(f"{found.name}: {forecast.balance(sums)}")
    return 0


def _decided(connection: Connection, found: Mailing, word: str, now: datetime) -> int:
    count = dispatch.decide_uncertain(connection, found, word, now)
    events.record(connection, f"uncertain.{word}", found.name, now, events.person(), count=count)
    return count


def _uncertain(this: Send, prospect: Prospect) -> int:
    """Send to the uncertain again, at the risk of a second copy: a person asked for it."""
    found, sums = prospect.mailing, prospect.sums
    if found is None or sums is None:
        raise UserError(Problem("this issue was never sent: nothing is uncertain", key="uncertain"))
    count = sums[DeliveryState.UNCERTAIN]
    if count:
        risk = f"Risk a second copy for {forecast.many(count, 'reader')}?"
        confirm(risk, yes=this.asked.yes)
    with writing(this.ground.database) as connection:
        moved = _decided(connection, found, this.asked.uncertain or "", this.ground.clock())
    note(f"{moved:,} uncertain: planned again.")
    return _deliver(this, found, sums.unsettled + moved)
