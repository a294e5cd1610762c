"""/segments: the conditions that segments.toml names, and how many readers of a list each selects."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy import func, select

from mailer.database import reading
from mailer.delivery.segments import segments_of
from mailer.tokens import Scope
from mailer.web.api import shapes
from mailer.web.api.callers import Caller, caller
from mailer.web.problems import ProblemError
from subscribers import SegmentError, audience, list_ids

router: Final = APIRouter(prefix="/segments", tags=["lists"])
Reads = Annotated[Caller, Depends(caller(Scope.LISTS_READ))]


@router.get("", response_model=shapes.Page[shapes.Segment])
def list_segments(who: Reads) -> Any:
    """List the segments, as they are written."""
    texts = segments_of(who.ground.settings).book().texts
    items = [shapes.Segment(name=name, text=" ".join(text.split())) for name, text in texts.items()]
    return shapes.Page(items=items, next=None)


@router.get("/{name}", response_model=shapes.SegmentWithCount)
def read_segment(
    name: Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f/]+$")],
    list_key: Annotated[str, Query(alias="list", pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")],
    who: Reads,
) -> Any:
    """Show a segment with the readers of a list that it selects now: that asks about each of them."""
    mine, now = segments_of(who.ground.settings), who.now()
    book = mine.book()
    if name not in book.texts:
        raise ProblemError(404, detail="there is no segment of that name", code="unknown-segment")
    if list_key not in who.ground.settings.lists:
        raise ProblemError(404, detail="there is no list of that key", code="unknown-list")
    try:
        condition = mine.frozen(book, name, list_key, now)
    except SegmentError as error:
        raise ProblemError(409, detail=str(error), code="bad-segment") from None
    with reading(who.ground.database) as connection:
        list_id = list_ids(connection).get(list_key, 0)
        readers = mine(audience(list_id, now), condition, whole=True)
        count = connection.scalar(select(func.count()).select_from(readers.subquery())) or 0
    text = " ".join(book.texts[name].split())
    return shapes.SegmentWithCount(name=name, text=text, list=list_key, readers=count)
