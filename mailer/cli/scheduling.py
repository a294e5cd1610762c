"""What `mailer schedule` shows of a newsletter's schedules, and what a person tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mailer import events
from mailer.cli.dates import began, instants, shown
from mailer.cli.output import emit, note, say
from mailer.cli.preparing import ground_of
from mailer.cli.workplace import workplace
from mailer.database import reading, writing
from mailer.delivery.custody import workers
from mailer.errors import Problem, UserError
from mailer.schedule import book, questions
from mailer.schedule.outlook import Prospect, outlook
from mailer.schedule.states import DueState, Skipped
from mailer.schedule.ticking import Scheduler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from mailer.delivery.ground import Ground
    from mailer.schedule.plan import Plan


class Place(NamedTuple):
    """What the commands work on."""

    ground: Ground
    scheduler: Scheduler
    plans: Sequence[Plan]
    known: dict[str, Row[Any]]


def _place(name: str | None = None, *, meet: bool = False) -> Place:
    ground = ground_of(workplace())
    scheduler = Scheduler(ground)
    plans = [plan for plan in scheduler.plans() if name in {None, plan.name}]
    if name is not None and not plans:
        names = ", ".join(plan.name for plan in scheduler.plans()) or "there is none"
        raise UserError(Problem(f"no schedule {name!r}; the schedules are: {names}", key="schedule"))
    with reading(ground.database) as connection:
        known = scheduler.meet() if meet else book.standings(connection)
    return Place(ground, scheduler, plans, known)


def show_list() -> None:
    """Show every schedule and every open question."""
    place = _place()
    now = place.ground.clock()
    with reading(place.ground.database) as connection:
        open_ = book.opened(connection)
    shown_ = [plan for plan in place.plans if plan.rule is not None or next(plan.after(now), None)]
    for plan in shown_:
        standing = place.known.get(plan.name)
        paused = standing is not None and standing.paused_at is not None
        coming = outlook(place.ground, place.scheduler, plan, standing, now, 1)
        told = [_prospect(plan, one) for one in coming]
        emit({**_told(plan), "paused": paused, "next": told[0] if told else None})
        say(f"{plan.name}  {plan.says}  list {plan.list_key}{'  PAUSED' if paused else ''}", style="strong")
        for one in coming:
            _say(plan, one)
    for entry in open_:
        _say_open(entry)
    if not shown_ and not open_:
        say("No schedules: [[schedule]] in mailer.toml, or `send:` in an issue, makes one.")


def _told(plan: Plan) -> dict[str, Any]:
    return {"schedule": plan.name, "list": plan.list_key, "rule": plan.says}


def _prospect(plan: Plan, one: Prospect) -> dict[str, Any]:
    told = {"file": one.file or None, "commit": one.commit, "missing": one.missing, "skipped": one.skipped}
    return {**instants(one.due, plan.zone), **told}


def _say(plan: Plan, one: Prospect) -> None:
    from datetime import UTC  # noqa: PLC0415

    what = f"{one.file}{f'  commit {one.commit[:7]}' if one.commit else ''}" if one.file else "nothing"
    what = "skipped" if one.skipped else what
    say(f"  {shown(one.due.utc, plan.zone)} {plan.zone_name}  =  {shown(one.due.utc, UTC)} UTC  {what}")
    if one.begins != one.due.utc:
        say(
            f"    begins {shown(one.begins, UTC)} UTC, with the first of the readers' mornings", style="faint"
        )
    for words in one.missing:
        say(f"    missing: {words}", style="warning")


def _say_open(entry: book.Entry) -> None:
    words = {
        DueState.ASKED: "a person must decide",
        DueState.HELD: "waits for its page",
        DueState.APPROVED: "is about to go",
    }
    emit({
        "schedule": entry.schedule, "state": entry.state, "due": entry.due_at, "reason": entry.reason,
        "words": entry.words, "file": entry.file or None, "until": entry.until,
    })  # fmt: skip
    say(f"{entry.schedule}  {entry.local}: {words[entry.state]}", style="warning")
    for one in entry.words:
        say(f"    {one}")
    if entry.state is DueState.ASKED:
        say(
            f"    `mailer schedule answer {entry.schedule} send`, or skip; until {entry.until:%Y-%m-%d %H:%M} UTC"
        )


def show_next(name: str | None, start: str | None, count: int) -> None:
    """Show the next due times of one schedule, or of all."""
    place = _place(name)
    for plan in place.plans:
        standing = place.known.get(plan.name)
        found = outlook(place.ground, place.scheduler, plan, standing, began(start, plan.zone), count)
        if found:
            say(f"{plan.name}  {plan.says}  list {plan.list_key}", style="strong")
        for one in found:
            emit({"schedule": plan.name, **_prospect(plan, one)})
            _say(plan, one)
    if not place.plans:
        say("No schedules: [[schedule]] in mailer.toml, or `send:` in an issue, makes one.")


def pause(name: str) -> None:
    """Pause a schedule of mailer.toml."""
    _steer(name, "paused")


def resume(name: str) -> None:
    """Let it go on."""
    _steer(name, "resumed")


def _steer(name: str, word: str) -> None:
    place = _place(name, meet=True)
    (plan,) = place.plans
    if plan.rule is None:
        raise UserError(
            Problem(f"{name} is one date: `mailer schedule skip {name}` leaves it out", key="schedule")
        )
    now = place.ground.clock()
    with writing(place.ground.database) as connection:
        changed = (book.pause if word == "paused" else book.resume)(connection, name, now)
        if changed:
            events.record(connection, f"schedule.{word}", name, now, events.person())
    emit({"schedule": name, "state": "paused" if word == "paused" else "active"})
    say(f"{name} is {word}" if changed else f"{name} was {word} already")


def skip(name: str) -> None:
    """Leave out the next due time that is not left out yet."""
    place = _place(name, meet=True)
    (plan,) = place.plans
    now = place.ground.clock()
    for due in plan.after(now):
        with writing(place.ground.database) as connection:
            values = {"reason": Skipped.PERSON.value, "actor": events.person()}
            row = book.write(connection, plan, due, DueState.SKIPPED, now, **values)
            if row is not None:
                data = {"due": due.utc.isoformat(), "id": row, "reason": Skipped.PERSON.value}
                events.record(connection, "schedule.skipped", name, now, events.person(), **data)
        if row is not None:
            emit({"schedule": name, **instants(due, plan.zone)})
            say(f"{name} skips {shown(due.utc, plan.zone)} {plan.zone_name}")
            return
    raise UserError(Problem(f"{name} has no due time to skip", key="schedule"))


def answer(name: str, word: str) -> None:
    """Answer the oldest open question of a schedule."""
    if word not in {"send", "skip"}:
        raise UserError(Problem(f"the answer is send or skip, not {word!r}", key="answer"))
    ground = ground_of(workplace())
    now = ground.clock()
    with reading(ground.database) as connection:
        open_ = [one for one in book.opened(connection) if one.state is DueState.ASKED]
    mine = next((one for one in open_ if one.schedule == name), None)
    if mine is None:
        names = ", ".join(one.schedule for one in open_) or "nothing is asked"
        raise UserError(Problem(f"nothing is asked about {name!r}; open: {names}", key="schedule"))
    with writing(ground.database) as connection:
        said: questions.Word = "send" if word == "send" else "skip"
        found = questions.answer(connection, mine.id, said, now, events.person())
        alive = workers.daemon_alive(connection, ground.locks, now)
    if found is None:
        raise AssertionError("rows of due times are never deleted while they are open")
    emit({"schedule": name, "due": mine.due_at, "answer": word, "outcome": found.outcome})
    say(f"{name}: {found.outcome}")
    if word == "send" and not alive:
        note("No `mailer run` is alive: start it, it begins the mailing.", style="warning")
