"""What stands before a send: the sentences, and the question."""

from __future__ import annotations

from typing import Final

from mailer import events
from mailer.cli import site
from mailer.cli.output import confirm, emit, say
from mailer.cli.preparing import Send
from mailer.database import reading, writing
from mailer.delivery import dispatch, forecast, mailing
from mailer.delivery.dispatch import Prospect, Step
from mailer.issue.provenance import Provenance

_FEW: Final = 10  # what goes out to more people asks


def foresee(this: Send) -> Prospect:
    """Give what a send would do now."""
    now = this.ground.clock()
    with writing(this.ground.database) as connection:
        ids = dispatch.lists_of(connection, this.place.settings.lists, now)
    with reading(this.ground.database) as connection:
        return dispatch.foresee(
            connection, this.edition, this.request, ids[this.request.list_key], now, this.ground.narrow
        )


def describe(this: Send, prospect: Prospect) -> None:
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


def ask(this: Send, prospect: Prospect) -> None:
    """Let a person decide, where more than a few would get it or anybody a second copy."""
    issue = str(this.edition.number if this.edition.number is not None else this.edition.slug)
    if prospect.step is Step.OPEN and (said := site.awaited(this)) is not None:
        site.ask(said)
    if prospect.readers > _FEW or this.request.again:
        confirm(f"Type {issue} to send, anything else stops:", yes=this.asked.yes, typed=issue)


def tell_dry(prospect: Prospect) -> None:
    """Tell what would have been done."""
    emit({"step": prospect.step.value, "readers": prospect.readers, "joined_since": prospect.joined_since})
    say("A dry run: nothing was sent, nothing was written.")
