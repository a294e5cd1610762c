"""How pause, resume and cancel speak."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from mailer import events
from mailer.cli.naming import issue_named
from mailer.cli.output import confirm, emit, note, say
from mailer.cli.workplace import Workplace, workplace
from mailer.database import reading
from mailer.delivery import dispatch, forecast, ledger, mailing, steering
from mailer.delivery.states import MailingState
from mailer.edition import Slot
from mailer.errors import PersonNeeded, Problem, UserError

if TYPE_CHECKING:
    from mailer.delivery.mailing import Mailing
    from mailer.edition import Edition, Slotted


def pause(wanted: str, list_key: str | None) -> None:
    """Pause; the process that sends hears of it at its next message."""
    place = workplace()
    found = steering.pause(place.engine, _find(place, wanted, list_key), dispatch.now_utc(), events.person())
    _tell(place, found, f"{found.name} is paused; `mailer resume {found.name}` lets it go on.")


def resume(wanted: str, list_key: str | None, *, amend: bool, yes: bool) -> None:
    """Let a paused mailing go on, with the corrected file if asked."""
    place = workplace()
    found = _find(place, wanted, list_key)
    if amend:
        _amend(place, found, yes=yes)
    if found.state is not MailingState.PAUSED:
        message = {
            MailingState.RUNNING: "runs; nothing to resume",
            MailingState.FINISHED: "is finished: nothing waits",
            MailingState.CANCELLED: "was cancelled: `mailer send --again NAME` makes another mailing of the issue",
        }[found.state]
        if amend and found.state is MailingState.RUNNING:
            _tell(place, found, f"{found.name} runs on.")
            return
        raise PersonNeeded(Problem(f"{found.name} {message}"))
    found = steering.resume(place.engine, found, dispatch.now_utc(), events.person())
    issue = found.number if found.number is not None else found.slug
    _tell(
        place,
        found,
        f"{found.name} is {found.state}; `mailer send {issue}` or `mailer run` sends what waits.",
    )


def cancel(wanted: str, list_key: str | None, *, yes: bool) -> None:
    """End a mailing for good."""
    place = workplace()
    found = _find(place, wanted, list_key)
    with reading(place.engine) as connection:
        sums = ledger.counts(connection, found.id)
    confirm(f"Cancel {found.name}? {forecast.many(sums.unsettled, 'reader')} will not get it.", yes=yes)
    steering.cancel(place.engine, found, dispatch.now_utc(), events.person())
    _tell(place, found, f"{found.name} is cancelled.")


def _find(place: Workplace, wanted: str, list_key: str | None) -> Mailing:
    with reading(place.engine) as connection:
        return steering.find(connection, wanted, list_key)


def _tell(place: Workplace, found: Mailing, sentence: str) -> None:
    with reading(place.engine) as connection:
        sums, found = ledger.counts(connection, found.id), mailing.get(connection, found.id)
    emit({"mailing": found.name, "state": found.state.value, **sums.to_json()})
    say(sentence)
    say(forecast.balance(sums))


def _amend(place: Workplace, found: Mailing, *, yes: bool) -> None:
    """Show what the corrected file changes, ask, and bring it to those who wait."""
    from mailer.edition.guard import compile_guarded  # noqa: PLC0415 - only an amendment compiles
    from mailer.edition.masthead import masthead_for  # noqa: PLC0415
    from mailer.issue.provenance import provenance  # noqa: PLC0415

    named = issue_named(place, found.name)
    corrected = compile_guarded(named.path, masthead_for(named.list))
    if corrected.errors:
        raise UserError(*(Problem(one.message, one.file, one.line, one.rule) for one in corrected.errors))
    with reading(place.engine) as connection:
        before = mailing.edition(connection, found.edition_id)
        waiting = ledger.counts(connection, found.id).unsettled
    changes = differences(before, corrected)
    if not changes:
        note("The file says what it said: nothing to amend.")
        return
    for line in changes:
        note(line)
    confirm(f"Bring this to the {forecast.many(waiting, 'reader')} who wait?", yes=yes)
    origin = provenance(named.path)
    done = steering.amend(place.engine, found, corrected, origin, dispatch.now_utc(), events.person())
    runs = found.state is MailingState.RUNNING
    count = done.waiting + (0 if runs else done.in_hand)
    note(f"{forecast.many(count, 'reader')} will get the corrected issue.")
    if runs and done.in_hand:
        many = forecast.many(done.in_hand, "more reader")
        note(f"{many} were about to be sent to: who is within the next two seconds gets the old one.")


def differences(before: Edition, after: Edition) -> list[str]:
    """Give a unified difference of subject and text, as a person reads it."""
    old, new = _readable(before), _readable(after)
    return list(difflib.unified_diff(old, new, "what went out", "the file now", lineterm="", n=1))


def _readable(edition: Edition) -> list[str]:
    return [f"Subject: {_plain(edition.subject)}", *_plain(edition.text).splitlines()]


def _plain(text: Slotted) -> str:
    return "".join(f"{{{part.name}}}" if isinstance(part, Slot) else part for part in text)
