"""/mailings and /lists: what there is, how it goes, and the wheel: pause, resume, cancel.

A send is not begun here: it asks a person what they see before them (how many, from whom, which findings), and that is
`mailer send`, or a schedule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import JSONResponse

from mailer.database import reading
from mailer.delivery import ledger, mailing, steering
from mailer.delivery.ledger.sums import number_of_rows
from mailer.delivery.states import DeliveryState, MailingState
from mailer.tokens import Scope
from mailer.web.api import shapes
from mailer.web.api.acting import Desk, desk
from mailer.web.api.callers import Caller, caller
from mailer.web.api.pages import Cursor, Limit, after, page
from mailer.web.problems import ProblemError
from subscribers import audience_counts, list_ids

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mailer.delivery.ledger.sums import Delivery

router: Final = APIRouter(tags=["mailings"])
Name = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/]+$")]
Lists = Annotated[Caller, Depends(caller(Scope.LISTS_READ))]
Reads = Annotated[Caller, Depends(caller(Scope.MAILINGS_READ))]
Steers = Annotated[Desk, Depends(desk(Scope.MAILINGS_WRITE))]
Audits = Annotated[Caller, Depends(caller(Scope.AUDIT_READ))]
State = Literal["running", "paused", "cancelled", "finished"]
DeliveryWord = Literal[
    "waiting", "claimed", "sending", "accepted", "deferred", "refused", "skipped", "uncertain"
]


def shown(one: mailing.Mailing) -> shapes.Mailing:
    """Give a mailing as the interface tells of it."""
    return shapes.Mailing(
        name=one.name,
        list=one.list_key,
        number=one.number,
        slug=one.slug,
        subject=one.subject,
        state=one.state.value,
        reason=one.reason,
        created_at=one.created_at,
        changed_at=one.changed_at,
        finished_at=one.finished_at,
    )


def named(connection: Connection, name: str) -> mailing.Mailing:
    """Give the mailing of a name; raises ProblemError (404)."""
    found = mailing.named(connection, name)
    if found is None:
        raise ProblemError(404, detail="there is no mailing of that name", code="unknown-mailing")
    return found


@router.get("/lists", response_model=shapes.Page[shapes.List], tags=["lists"])
def list_lists(who: Lists) -> Any:
    """List the lists."""
    lists = [_list(who, key) for key in sorted(who.ground.settings.lists)]
    return shapes.Page(items=lists, next=None)


def _list(who: Caller, key: str) -> shapes.List:
    one = who.ground.settings.lists[key]
    return shapes.List(key=key, name=one.name, brand=one.brand, language=one.language)


@router.get("/lists/{key}", response_model=shapes.ListWithCounts, tags=["lists"])
def read_list(key: Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")], who: Lists) -> Any:
    """Show a list with its people counted: that reads each of them once."""
    if key not in who.ground.settings.lists:
        raise ProblemError(404, detail="there is no list of that key", code="unknown-list")
    with reading(who.ground.database) as connection:
        list_id = list_ids(connection).get(key, 0)
        counts = audience_counts(connection, list_id, who.now())
    told = {name: getattr(counts, name) for name in shapes.Counts.model_fields}
    return shapes.ListWithCounts(**_list(who, key).model_dump(), counts=shapes.Counts(**told))


@router.get("/mailings", response_model=shapes.Page[shapes.Mailing])
def list_mailings(
    who: Reads,
    state: Annotated[State | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Any:
    """List mailings, oldest first."""
    start = after("mailing", cursor)
    wanted = [MailingState(state)] if state else []
    with reading(who.ground.database) as connection:
        found = [one for one in mailing.every(connection, *wanted) if one.id > start][: limit + 1]
    return page("mailing", found, limit, lambda one: one.id, shown)


@router.get("/mailings/{name}", response_model=shapes.Mailing)
def read_mailing(name: Name, who: Reads) -> Any:
    """Show a mailing."""
    with reading(who.ground.database) as connection:
        return shown(named(connection, name))


@router.post("/mailings/{name}/pause", response_model=shapes.Mailing)
def pause(name: Name, at: Steers) -> JSONResponse:
    """Pause a mailing, in force within two seconds."""
    return at.do_beside(lambda: (200, shown(steering.pause(at.ground.database, *_steered(at, name)))))


@router.post("/mailings/{name}/resume", response_model=shapes.Mailing)
def resume(name: Name, at: Steers) -> JSONResponse:
    """Let a paused mailing go on; a process that sends must be there: `mailer run`."""
    found, now, actor = _steered(at, name)

    def work() -> tuple[int, shapes.Mailing]:
        if found.state not in {MailingState.PAUSED, MailingState.RUNNING}:
            raise ProblemError(409, detail=f"{name} is {found.state}: it cannot go on", code="not-paused")
        if found.state is MailingState.RUNNING:
            return 200, shown(found)
        return 200, shown(steering.resume(at.ground.database, found, now, actor))

    return at.do_beside(work)


@router.post("/mailings/{name}/cancel", response_model=shapes.Mailing)
def cancel(name: Name, wish: shapes.Cancel, at: Steers) -> JSONResponse:
    """End a mailing for good; `confirm` must repeat its name."""
    found, now, actor = _steered(at, name)
    if wish.confirm != name:
        raise ProblemError(422, detail="confirm must repeat the mailing's name", code="not-confirmed")

    def work() -> tuple[int, shapes.Mailing]:
        steering.cancel(at.ground.database, found, now, actor)
        with reading(at.ground.database) as connection:
            return 200, shown(mailing.get(connection, found.id))

    return at.do_beside(work)


def _steered(at: Desk, name: str) -> tuple[mailing.Mailing, Any, str]:
    with reading(at.ground.database) as connection:
        return named(connection, name), at.caller.now(), at.caller.name


@router.get("/mailings/{name}/audit", response_model=shapes.Audit, tags=["audit"])
def audit(name: Name, who: Audits) -> Any:
    """Give the sums that must balance: that reads each row of the mailing once."""
    with reading(who.ground.database) as connection:
        found = named(connection, name)
        sums, rows = ledger.counts(connection, found.id), number_of_rows(connection, found.id)
    balanced = rows == sum(sums.states.values())
    told: dict[str, Any] = {**sums.to_json(), "balanced": balanced}
    fields = {key: told[key] for key in shapes.Audit.model_fields if key in told}
    return shapes.Audit(mailing=found.name, state=found.state.value, **fields)


@router.get("/mailings/{name}/recipients", response_model=shapes.Page[shapes.Recipient], tags=["audit"])
def recipients(
    name: Name,
    who: Audits,
    state: Annotated[DeliveryWord | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Any:
    """Give each reader's row: state, reply, the relay's id."""
    start = after("recipient", cursor)
    wanted = DeliveryState("planned" if state == "waiting" else state) if state else None
    with reading(who.ground.database) as connection:
        some = ledger.page(connection, named(connection, name).id, wanted, start, limit + 1)
    return page("recipient", some, limit, lambda row: row.subscriber_id, _row)


def _row(row: Delivery) -> shapes.Recipient:
    return shapes.Recipient(
        subscriber=row.subscriber_id,
        email=row.address,
        state="waiting" if row.state == "planned" else row.state,
        reason=row.reason,
        reply=row.reply,
        relay_id=row.relay_id,
        attempts=row.attempts,
        at=row.at,
    )
