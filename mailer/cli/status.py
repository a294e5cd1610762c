"""mailer status: what runs, waits, is due, and needs a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from mailer.cli.workplace import Workplace
    from mailer.delivery.mailing import Mailing
    from mailer.delivery.model import Counts
    from mailer.feedback.standing import Standing

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: mailer status --json")
def status() -> None:
    """Show what runs, waits, is due or needs a person."""
    from mailer.cli.output import emit, say  # noqa: PLC0415 - SQLAlchemy is loaded when it is needed
    from mailer.cli.telling import summary  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.database import reading  # noqa: PLC0415
    from mailer.delivery import dispatch, ledger, mailing  # noqa: PLC0415
    from mailer.delivery.custody import workers  # noqa: PLC0415
    from mailer.delivery.states import DeliveryState, MailingState  # noqa: PLC0415
    from mailer.feedback.standing import standing  # noqa: PLC0415
    from mailer.schedule import book  # noqa: PLC0415
    from mailer.schedule.states import DueState  # noqa: PLC0415

    place = workplace()
    with reading(place.engine) as connection:
        living = workers.alive(connection, place.settings.state / "workers", dispatch.now_utc())
        going = {MailingState.RUNNING, MailingState.PAUSED}
        # Of years of packed mailings nothing waits and nothing is in doubt: they need not be counted.
        every = [
            (one, ledger.counts(connection, one.id))
            for one in mailing.every(connection)
            if one.state in going or ledger.any_unpacked(connection, one.id)
        ]
        asked = [one for one in book.opened(connection) if one.state is DueState.ASKED]
        back = standing(connection, place.settings.feedback)
    open_ = [(one, sums) for one, sums in every if one.state in going or sums[DeliveryState.UNCERTAIN]]
    for one, sums in open_:
        emit({**summary(one, sums), "needs_person": needs_person(one, sums)})
        _say(one, sums)
    for question in asked:
        emit({"schedule": question.schedule, "due": question.due_at, "needs_person": True})
        said = f"{question.schedule}  due {question.local}: `mailer schedule answer {question.schedule} send`, or skip"
        say(f"{said}  <- needs a person", style="warning")
    if not open_ and not asked:
        say("Nothing runs, nothing waits.")
    say(f"{living} sending process{'' if living == 1 else 'es'} alive")
    _say_back(back)
    _say_indexes(place)
    if asked or back.unreadable or any(needs_person(one, sums) for one, sums in open_):
        raise typer.Exit(1)


def _say_indexes(place: Workplace) -> None:
    """Say that declared attributes have no indexes yet: segments are counted slowly, and nobody is mailed wrongly."""
    from mailer.cli.output import emit, say  # noqa: PLC0415
    from mailer.delivery.indexing import missing  # noqa: PLC0415

    declared = place.settings.attributes
    if declared and missing(place.engine, declared):
        emit({"indexes": "missing"})
        say(
            "[attributes] and the indexes differ, so counting segments is slow: `mailer db upgrade` makes them"
        )


def _say_back(back: Standing) -> None:
    """Say what is wrong with what comes back."""
    from mailer.cli.output import emit, say  # noqa: PLC0415

    for name, event in back.unreadable.items():
        reason = event.data.get("reason")
        emit({"mailbox": name, "unreadable_since": event.at, "reason": reason, "needs_person": True})
        since = f"mailbox {name} cannot be read since {event.at:%Y-%m-%d %H:%M} UTC: {reason}"
        say(f"{since}  <- needs a person", style="warning")
    if back.kept:
        emit({"kept": back.kept})
        many = ", ".join(f"{number:,} {kind}" for kind, number in back.kept.items())
        say(f"came back and was not understood: {many} (mailer feedback unknown)")


def needs_person(one: Mailing, sums: Counts) -> bool:
    """Say whether only a person can move this mailing on."""
    from mailer.delivery.states import DeliveryState, MailingState  # noqa: PLC0415

    return one.state is MailingState.PAUSED or bool(sums[DeliveryState.UNCERTAIN])


def _say(one: Mailing, sums: Counts) -> None:
    from mailer.cli.output import say  # noqa: PLC0415
    from mailer.delivery import forecast  # noqa: PLC0415

    mark = "  <- needs a person" if needs_person(one, sums) else ""
    say(
        f"{one.name}  {one.state}{': ' + one.reason if one.reason else ''}{mark}",
        style="warning" if mark else "strong",
    )
    say(f"  {forecast.balance(sums)}")
    if sums.next_due is not None:
        say(f"  next due {sums.next_due:%Y-%m-%d %H:%M} UTC")
