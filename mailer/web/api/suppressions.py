"""/suppressions: who is never mailed. Addresses are known by their hashes alone; lifting makes nobody a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

import subscribers
from mailer.database import reading
from mailer.tokens import Scope
from mailer.web.api import shapes
from mailer.web.api.acting import Desk, desk
from mailer.web.api.callers import Caller, caller
from mailer.web.api.pages import Cursor, Flag, Limit, after, page
from mailer.web.problems import ProblemError

if TYPE_CHECKING:
    from sqlalchemy import Connection

router: Final = APIRouter(prefix="/suppressions", tags=["suppressions"])
Reads = Annotated[Caller, Depends(caller(Scope.SUPPRESSIONS_READ))]
Writes = Annotated[Desk, Depends(desk(Scope.SUPPRESSIONS_WRITE))]


def shown(one: subscribers.Suppression) -> shapes.Suppression:
    """Give a suppression as the interface tells of it."""
    return shapes.Suppression(
        id=one.id,
        hash=one.hash.hex(),
        scope=one.scope.value,
        scope_key=one.scope_key,
        reason=one.reason.value,
        created_at=one.created_at,
        expires_at=one.expires_at,
        lifted_at=one.lifted_at,
    )


@router.get("", response_model=shapes.Page[shapes.Suppression])
def list_suppressions(who: Reads, *, lifted: Flag = False, cursor: Cursor = None, limit: Limit = 100) -> Any:
    """List what is in force, oldest first; with `lifted` also what was."""
    start = after("suppression", cursor)
    with reading(who.ground.database) as connection:
        found = subscribers.list_suppressions(connection, lifted=lifted, after=start, limit=limit + 1)
    return page("suppression", found, limit, lambda one: one.id, shown)


@router.post("/find", response_model=shapes.Page[shapes.Suppression])
def find(whose: shapes.Whose, who: Reads) -> Any:
    """Show what holds for one address, lifted ones too."""
    hash_ = subscribers.address_hash(whose.email, who.ground.keys.suppression)
    with reading(who.ground.database) as connection:
        found = subscribers.list_suppressions(connection, hash_=hash_, lifted=True)
    return shapes.Page(items=[shown(one) for one in found], next=None)


@router.post("", response_model=shapes.Blocked, status_code=201)
def block(new: shapes.Block, at: Writes) -> JSONResponse:
    """Block an address, whether anybody has it or not; only lifting ends that."""

    def work(connection: Connection) -> tuple[int, shapes.Blocked]:
        if new.list is not None and new.list not in at.ground.settings.lists:
            raise ProblemError(422, detail="there is no list of that key", code="unknown-list")
        key, now = at.ground.keys.suppression, at.caller.now()
        subscribers.block(
            connection, new.email, hash_key=key, now=now, list_key=new.list, evidence=new.why or None
        )
        return 201, shapes.Blocked(scope="list" if new.list else "everything", list=new.list)

    return at.do(work)


@router.post("/lift", response_model=shapes.Lifted)
def lift(wish: shapes.Lift, at: Writes) -> JSONResponse:
    """Lift what forbids mail to an address; blocks by hand only with `manual`."""

    def work(connection: Connection) -> tuple[int, shapes.Lifted]:
        hash_ = subscribers.address_hash(wish.email, at.ground.keys.suppression)
        now = at.caller.now()
        count = subscribers.lift(connection, hash_, now=now, why=f"api: {wish.why}", manual=wish.manual)
        return 200, shapes.Lifted(lifted=count)

    return at.do(work)
