"""Dispatch: from "send this issue" to a mailing that runs, and from a process to one that sends.

`foresee` reads and decides, nothing else; `begin` writes what was foreseen in one transaction; `deliver` sends what
is due. So a person can be shown what would happen before anything does, and a second call goes on where the first
one stopped: an issue's identity, not the command, decides who still gets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from mailer import events
from mailer.delivery import audience as planning
from mailer.delivery import ledger, mailing
from mailer.delivery.segments import Narrow, plain
from mailer.delivery.states import DeliveryState, MailingState
from mailer.errors import PersonNeeded, Problem, UserError
from subscribers import audience, audience_counts, ensure_lists

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import timedelta

    from sqlalchemy import Connection, Select

    from mailer.delivery.mailing import Mailing
    from mailer.delivery.model import Counts
    from mailer.delivery.waves import Waves
    from mailer.edition import Edition
    from mailer.issue.provenance import Provenance
    from subscribers import AudienceCounts


class Step(StrEnum):
    """What a send would do."""

    OPEN = "open"  # the first send of this issue
    EXTEND = "extend"  # another list, segment or new readers
    CONTINUE = "continue"  # somebody still waits
    NOTHING = "nothing"  # everybody has it


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for. `list_key` is whom to reach, `issue_list` whose issue it is."""

    issue_list: str
    list_key: str
    segment: str = ""
    first: int | None = None
    hold: timedelta | None = None
    new_readers: bool = False
    again: str = ""
    waves: Waves | None = None  # due times by the readers' zones


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would happen, and to how many. `readers` is how many messages would go out in all."""

    step: Step
    list_id: int
    mailing: Mailing | None
    readers: int
    joined_since: int
    people: AudienceCounts
    sums: Counts | None
    had_it: int = 0  # of a mailing made --again: who had an earlier one


def now_utc() -> datetime:
    """Give the time: the one clock of the room's entry."""
    return datetime.now(UTC)


def lists_of(connection: Connection, keys: Mapping[str, object], now: datetime) -> dict[str, int]:
    """Give the ids of the lists, made on first sight; runs in a write transaction."""
    return ensure_lists(connection, keys, now)


def foresee(
    connection: Connection,
    edition: Edition,
    request: Request,
    list_id: int,
    now: datetime,
    narrow: Narrow = plain,
) -> Prospect:
    """Give what a send would do now.

    Raises UserError for a file that no longer agrees with what went out under its name, and PersonNeeded for a
    mailing that is paused or cancelled.
    """
    found = mailing.of_issue(connection, request.issue_list, edition.number, edition.slug, request.again)
    readers = _readers(request, list_id, now, narrow)
    people = audience_counts(connection, list_id, now)
    if found is None:
        count = people.readers if not request.segment else _count(connection, readers)
        first = mailing.of_issue(connection, request.issue_list, edition.number, edition.slug)
        had_it = count - planning.count_unplanned(connection, readers, first.id) if first else 0
        return Prospect(Step.OPEN, list_id, None, count, 0, people, None, had_it)
    mailing.agree(found, edition)
    _may_go_on(found)
    sums = ledger.counts(connection, found.id)
    joined = planning.count_unplanned(connection, readers, found.id)
    rest = planning.left_to_plan(connection, found.id)
    step = _step(
        request, sums, covered=planning.covers(connection, found.id, list_id, request.segment), rest=rest
    )
    count = sums.unsettled + (joined if step is Step.EXTEND or rest else 0)
    return Prospect(step, list_id, found, count, joined, people, sums)


def _step(request: Request, sums: Counts, *, covered: bool, rest: planning.Rest | None) -> Step:
    """Decide. Pure."""
    if not covered or request.new_readers:
        return Step.EXTEND
    return Step.CONTINUE if sums.unsettled or rest else Step.NOTHING


def _may_go_on(found: Mailing) -> None:
    if found.state is MailingState.PAUSED:
        raise PersonNeeded(
            Problem(f"{found.name} is paused ({found.reason}): `mailer resume {found.name}` lets it go on")
        )
    if found.state is MailingState.CANCELLED:
        raise PersonNeeded(
            Problem(
                f"{found.name} was cancelled ({found.reason}): --again NAME makes another mailing of the issue"
            )
        )


def _readers(request: Request, list_id: int, now: datetime, narrow: Narrow) -> Select[Any]:
    readers = audience(list_id, now)
    return narrow(readers, _frozen(request, now, narrow), whole=True) if request.segment else readers


def _frozen(request: Request, now: datetime, narrow: Narrow) -> str:
    """Give the segment's text as it is now; without `of` it speaks of issues of the list whose issue is sent."""
    return narrow.freeze(request.segment, request.issue_list, now) if request.segment else ""


def _count(connection: Connection, readers: Select[Any]) -> int:
    return connection.execute(select(func.count()).select_from(readers.subquery())).scalar_one()


def begin(
    connection: Connection,
    prospect: Prospect,
    edition: Edition,
    request: Request,
    provenance: Provenance,
    now: datetime,
    narrow: Narrow = plain,
) -> Mailing:
    """Write what was foreseen: the mailing, its frozen edition, its audience. Planning the rows is deliver's work.

    Raises PersonNeeded for a mailing that was paused or cancelled since: the person had not heard of it.
    """
    if prospect.step is Step.OPEN:
        mailing.opening(connection)
    found = mailing.of_issue(connection, request.issue_list, edition.number, edition.slug, request.again)
    if found is None:
        found = mailing.open_mailing(connection, edition, request.issue_list, now, request.again)
        mailing.freeze(connection, found.id, edition, provenance.commit, now, committed=provenance.committed)
    elif prospect.step is Step.OPEN:
        prospect = foresee(
            connection, edition, request, prospect.list_id, now, narrow
        )  # another send was first
    _may_go_on(mailing.hold(connection, found.id))
    if prospect.step in {Step.OPEN, Step.EXTEND}:
        _extend(connection, found.id, request, prospect.list_id, now, narrow)
    if prospect.step is not Step.NOTHING:
        mailing.move(connection, found.id, MailingState.RUNNING, now)
    return mailing.get(connection, found.id)


def _extend(
    connection: Connection, mailing_id: int, request: Request, list_id: int, now: datetime, narrow: Narrow
) -> None:
    # Whoever is newest on the list bounds the ids to plan; looking for one of the segment could read everybody.
    readers, condition = audience(list_id, now), _frozen(request, now, narrow)
    rest: datetime | None = None
    if request.first is not None:
        mailing.extend(
            connection,
            mailing_id,
            readers,
            list_id=list_id,
            now=now,
            segment=request.segment,
            condition=condition,
            first=request.first,
            waves=request.waves,
        )
        rest = now + request.hold if request.hold is not None else now
    mailing.extend(
        connection,
        mailing_id,
        readers,
        list_id=list_id,
        now=now,
        segment=request.segment,
        condition=condition,
        not_before=rest,
        waves=request.waves,
    )


def finish(connection: Connection, mailing_id: int, now: datetime) -> Counts:
    """Close a mailing of which nothing is left to send or to plan; give its sums."""
    sums = ledger.counts(connection, mailing_id)
    if not _over(connection, mailing_id, sums):
        return sums
    if connection.dialect.name == "postgresql":
        # Asked again once whoever extends or plans it at this moment is done: their readers would wait for ever.
        mailing.hold(connection, mailing_id)
        sums = ledger.counts(connection, mailing_id)
    if _over(connection, mailing_id, sums) and mailing.move(
        connection, mailing_id, MailingState.FINISHED, now
    ):
        name = mailing.get(connection, mailing_id).name
        events.record(connection, "mailing.finished", name, now, "mailer", **sums.to_json())
    return sums


def _over(connection: Connection, mailing_id: int, sums: Counts) -> bool:
    return not sums.unsettled and planning.left_to_plan(connection, mailing_id) is None


def close(connection: Connection, mailing_id: int, now: datetime) -> None:
    """Close a mailing that is over, as `finish` does; of one that is not, no sums are made up."""
    runs = mailing.get(connection, mailing_id).state is MailingState.RUNNING
    if not runs or planning.left_to_plan(connection, mailing_id) is not None:
        return
    if not ledger.anybody_open(connection, mailing_id):
        finish(connection, mailing_id, now)


def close_all(connection: Connection, now: datetime, known: Collection[int] = ()) -> None:
    """Close what is over of the mailings that run, but for those in `known`.

    Whoever sends the last of a mailing closes it; but not where it died over it, and its rows were settled by others.
    """
    for one in mailing.every(connection, MailingState.RUNNING):
        if one.id not in known:
            close(connection, one.id, now)


def decide_uncertain(connection: Connection, found: Mailing, decision: str, now: datetime) -> int:
    """Apply a person's word on the uncertain of a mailing: resend or skip. Returns how many it was about.

    Raises PersonNeeded where they are to be sent again and the mailing was paused or cancelled since.
    """
    if decision not in {"resend", "skip"}:
        raise UserError(Problem(f"--uncertain takes skip or resend, not {decision!r}", key="uncertain"))
    if decision == "skip":
        return ledger.skip_uncertain(connection, found.id, now)
    count = ledger.resend_uncertain(connection, found.id, now)
    _may_go_on(mailing.hold(connection, found.id))
    if count:
        mailing.move(connection, found.id, MailingState.RUNNING, now)
    return count


def uncertain(sums: Counts) -> int:
    """How many a person must decide about."""
    return sums[DeliveryState.UNCERTAIN]
