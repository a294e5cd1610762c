"""Pages: cursors are opaque, and go on behind the last one that was given, however much has changed in between."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Query
from pydantic import BeforeValidator

from mailer.web.api.shapes import Page
from mailer.web.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LARGEST_ID: Final = 2_147_483_647


def digits(text: Any) -> Any:
    """Refuse what Python takes for a number and the document does not: spaces, signs, `1_000`, other scripts."""
    if isinstance(text, str) and not (text.isascii() and text.isdigit()):
        raise ValueError("write digits")
    return text


def _truth(text: Any) -> Any:
    """Refuse what is neither `true` nor `false`, such as `yes` and `1`."""
    if isinstance(text, str) and text not in {"true", "false"}:
        raise ValueError("write true or false")
    return text


Flag = Annotated[bool, BeforeValidator(_truth), Query()]
Limit = Annotated[int, BeforeValidator(digits), Query(ge=1, le=500, description="How many at most.")]
Cursor = Annotated[
    str | None, Query(max_length=100, pattern=r"^[A-Za-z0-9_-]+$", description="`next` of the page before.")
]


def after(noun: str, cursor: str | None) -> int:
    """Give the id behind which a page begins; raises ProblemError (422) for a cursor of something else."""
    if cursor is None:
        return 0
    try:
        kind, _, number = (
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(":")
        )
    except (binascii.Error, ValueError):
        kind = number = ""
    if kind != noun or not number.isdigit() or len(number) > 10 or int(number) > LARGEST_ID:
        raise ProblemError(422, detail="the cursor is not one of this list", code="bad-cursor")
    return int(number)


def page(
    noun: str, found: Sequence[Any], limit: int, last: Callable[[Any], int], show: Callable[[Any], Any]
) -> Page[Any]:
    """Give a page of what was found; `found` holds one more than `limit` if there are more."""
    items = found[:limit]
    more = f"{noun}:{last(items[-1])}".encode() if len(found) > limit else None
    cursor = base64.urlsafe_b64encode(more).decode().rstrip("=") if more else None
    return Page(items=[show(one) for one in items], next=cursor)
