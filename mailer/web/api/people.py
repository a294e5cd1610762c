"""/subscribers: find, add, change, pause, let go and forget people, by the verbs of `subscribers`.

No rule lives here. Who left, complained or is dead is revived by `revive` alone. Addresses stand in bodies, not in
URLs.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BeforeValidator

import subscribers
from mailer import events
from mailer.database import reading
from mailer.tokens import Scope
from mailer.web.api import shapes
from mailer.web.api.acting import Desk, desk
from mailer.web.api.callers import Caller, caller
from mailer.web.api.pages import LARGEST_ID, Cursor, Limit, after, digits, page
from mailer.web.problems import ProblemError

if TYPE_CHECKING:
    from sqlalchemy import Connection

router: Final = APIRouter(prefix="/subscribers", tags=["subscribers"])
Id = Annotated[int, BeforeValidator(digits), Path(ge=1, le=LARGEST_ID)]
Reads = Annotated[Caller, Depends(caller(Scope.SUBSCRIBERS_READ))]
Writes = Annotated[Desk, Depends(desk(Scope.SUBSCRIBERS_WRITE))]
Erases = Annotated[Desk, Depends(desk(Scope.SUBSCRIBERS_ERASE))]
_LONGEST_PAUSE: Final = timedelta(days=3653)


def shown(person: subscribers.Person) -> shapes.Subscriber:
    """Give somebody as the interface tells of them."""
    return shapes.Subscriber(
        id=person.id,
        email=person.email,
        name=person.name,
        language=person.language,
        time_zone=person.time_zone,
        attributes=dict(person.attributes),
        tags=list(person.tags),
        address_state=person.address_state.value if person.address_state else None,
        address_reason=person.address_reason,
        created_at=person.created_at,
        subscriptions=[
            shapes.Subscription(
                list=one.list_key,
                state=one.state.value,
                paused_until=one.paused_until,
                reason=one.reason,
                joined_at=one.joined_at,
                changed_at=one.changed_at,
            )
            for one in person.subscriptions
        ],
    )


def present(connection: Connection, subscriber_id: int) -> subscribers.Person:
    """Give somebody who is still known; raises UnknownSubscriber, for those who were erased too."""
    person = subscribers.get(connection, subscriber_id)
    if person.email is None:
        raise subscribers.UnknownSubscriber(f"nobody has the id {subscriber_id}")
    return person


@router.get("", response_model=shapes.Page[shapes.Subscriber])
def list_people(
    who: Reads,
    list_key: Annotated[str | None, Query(alias="list", pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = None,
    state: shapes.State | None = None,
    tag: shapes.Tag | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Any:
    """List people in the order they came; `state` is that of the list, or of any list."""
    start = after("subscriber", cursor)
    with reading(who.ground.database) as connection:
        found = subscribers.people(
            connection, list_key=list_key, state=state, tag=tag, after=start, limit=limit + 1
        )
    return page("subscriber", found, limit, lambda one: one.id, shown)


@router.post("/find", response_model=shapes.Subscriber)
def find(whose: shapes.Whose, who: Reads) -> Any:
    """Find somebody by the address, however it is written."""
    with reading(who.ground.database) as connection:
        person = subscribers.find(connection, whose.email)
    if person is None:
        raise ProblemError(404, detail="nobody has that address", code="unknown-subscriber")
    return shown(person)


@router.post(
    "",
    response_model=shapes.Subscriber,
    status_code=201,
    responses={200: {"model": shapes.Subscriber, "description": "They were known; brought up to date"}},
)
def add(new: shapes.NewSubscriber, at: Writes) -> JSONResponse:
    """Make somebody a reader of a list by your word, without a confirmation letter."""

    def work(connection: Connection) -> tuple[int, shapes.Subscriber]:
        before = subscribers.find(connection, new.email)
        given = new.model_dump(exclude={"list", "email"})
        person = subscribers.add(
            connection,
            email=new.email,
            list_key=new.list,
            now=at.caller.now(),
            hash_key=at.ground.keys.suppression,
            **given,
        )
        joined = before is None or not _reads(before, new.list)
        if joined:
            _tell(connection, at, "reader.added", person.id, lists=[new.list])
        return (201 if before is None else 200), shown(person)

    return at.do(work)


def _reads(person: subscribers.Person, list_key: str) -> bool:
    known = person.subscription(list_key)
    return known is not None and known.state.value in {"active", "paused"}


def _tell(connection: Connection, at: Desk, kind: str, subscriber_id: int, **data: object) -> None:
    now = at.caller.now()
    events.record(connection, kind, str(subscriber_id), now, at.caller.name, how="api", **data)


@router.get("/{subscriber_id}", response_model=shapes.Subscriber)
def read(subscriber_id: Id, who: Reads) -> Any:
    """Show somebody."""
    with reading(who.ground.database) as connection:
        return shown(present(connection, subscriber_id))


@router.patch("/{subscriber_id}", response_model=shapes.Subscriber)
def change(subscriber_id: Id, profile: shapes.Profile, at: Writes) -> JSONResponse:
    """Change name, language or time zone."""

    def work(connection: Connection) -> tuple[int, shapes.Subscriber]:
        present(connection, subscriber_id)
        subscribers.set_profile(connection, subscriber_id, at.caller.now(), **profile.model_dump())
        return 200, shown(subscribers.get(connection, subscriber_id))

    return at.do(work)


@router.post("/{subscriber_id}/tags", response_model=shapes.Subscriber)
def tag(subscriber_id: Id, tags: shapes.Tags, at: Writes) -> JSONResponse:
    """Put tags on and take tags off."""

    def work(connection: Connection) -> tuple[int, shapes.Subscriber]:
        present(connection, subscriber_id)
        now = at.caller.now()
        return 200, shown(subscribers.tag(connection, subscriber_id, now, add=tags.add, remove=tags.remove))

    return at.do(work)


@router.post("/{subscriber_id}/pause", response_model=shapes.Changed)
def pause(subscriber_id: Id, wish: shapes.Pause, at: Writes) -> JSONResponse:
    """Hold mail back, until a time or until they resume."""

    def work(connection: Connection) -> tuple[int, shapes.Changed]:
        present(connection, subscriber_id)
        now = at.caller.now()
        done = subscribers.pause(connection, subscriber_id, wish.list, now, "api", _until(wish.until, now))
        return 200, shapes.Changed(id=subscriber_id, lists=list(done))

    return at.do(work)


def _until(until: datetime | None, now: datetime) -> datetime | None:
    if until is not None and not now < until < now + _LONGEST_PAUSE:
        raise ProblemError(422, detail="until must lie ahead, and within ten years", code="bad-time")
    return until


@router.post("/{subscriber_id}/resume", response_model=shapes.Changed)
def resume(subscriber_id: Id, wish: shapes.Which, at: Writes) -> JSONResponse:
    """End a pause; whoever left stays away."""

    def work(connection: Connection) -> tuple[int, shapes.Changed]:
        present(connection, subscriber_id)
        done = subscribers.resume(connection, subscriber_id, wish.list, at.caller.now(), "api")
        return 200, shapes.Changed(id=subscriber_id, lists=list(done))

    return at.do(work)


@router.post("/{subscriber_id}/unsubscribe", response_model=shapes.Changed)
def unsubscribe(subscriber_id: Id, wish: shapes.Which, at: Writes) -> JSONResponse:
    """Let somebody leave a list, or all; in force at once, for mailings on their way too."""

    def work(connection: Connection) -> tuple[int, shapes.Changed]:
        present(connection, subscriber_id)
        done = subscribers.unsubscribe(connection, subscriber_id, wish.list, at.caller.now(), "api")
        if done:
            _tell(connection, at, "reader.unsubscribed", subscriber_id, lists=list(done))
        return 200, shapes.Changed(id=subscriber_id, lists=list(done))

    return at.do(work)


@router.post("/{subscriber_id}/move", response_model=shapes.Subscriber)
def move(subscriber_id: Id, new: shapes.NewAddress, at: Writes) -> JSONResponse:
    """Let somebody's mail go to another address; what they chose goes with them."""

    def work(connection: Connection) -> tuple[int, shapes.Subscriber]:
        before = present(connection, subscriber_id)
        key = at.ground.keys.suppression
        now = at.caller.now()
        moved = subscribers.move(connection, subscriber_id, new.email, now=now, hash_key=key, how="api")
        if moved.email != before.email:
            _tell(connection, at, "reader.moved", subscriber_id)
        return 200, shown(moved)

    return at.do(work)


@router.delete("/{subscriber_id}", response_model=shapes.Erased)
def erase(subscriber_id: Id, at: Erases) -> JSONResponse:
    """Forget somebody for good. What is left is a hash that keeps the address from ever being mailed again."""
    from mailer import privacy  # noqa: PLC0415 - it knows every table

    gone: list[str] = []

    def work(connection: Connection) -> tuple[int, shapes.Erased]:
        present(connection, subscriber_id)
        gone[:] = privacy.erase(connection, subscriber_id, now=at.caller.now(), actor=at.caller.name)
        return 200, shapes.Erased(id=subscriber_id, erased=bool(gone))

    answer = at.do(work)
    if gone:
        privacy.sweep(at.ground.settings.state, at.ground.database, gone)
    return answer
