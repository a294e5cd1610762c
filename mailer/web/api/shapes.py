"""What goes in and out of the operators' interface: one model a shape, unknown fields refused, everything bounded.

Patterns keep out what no database or mail can hold: control characters, and numbers that are no ids.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StrictBool

from mailer.settings.values import time_zone

T = TypeVar("T")
_NO_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"


def _zone(name: str) -> str:
    """Refuse a zone that is none: the subscribers would pass over it."""
    return time_zone(name)


Line = Annotated[str, Field(max_length=500, pattern=_NO_CONTROLS)]
Email = Annotated[
    str,
    Field(
        min_length=3, max_length=320, pattern=r"^[^\s\x00-\x1f\x7f@][^\x00-\x1f\x7f]*@[^\s\x00-\x1f\x7f]+$"
    ),
]
ListKey = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Tag = Annotated[str, Field(min_length=1, max_length=64, pattern=_NO_CONTROLS)]
Labels = Annotated[list[Tag], Field(max_length=100)]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")]
Zone = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$"), AfterValidator(_zone)]
State = Literal["pending", "active", "paused", "unsubscribed"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Problem(BaseModel):
    """An error (RFC 9457). `code` is a word for programs; `errors` names fields."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    code: str | None = None
    errors: list[dict[str, str]] | None = None


class Page(BaseModel, Generic[T]):
    """Some of many: `next` is the cursor of the following page, null on the last one."""

    items: list[T]
    next: str | None


class Subscription(BaseModel):
    """How somebody stands to one list."""

    list: str
    state: State
    paused_until: datetime | None
    reason: str | None
    joined_at: datetime
    changed_at: datetime


class Subscriber(BaseModel):
    """Somebody. `address_state` other than reachable stops every list."""

    id: int
    email: str | None
    name: str
    language: str | None
    time_zone: str | None
    attributes: dict[str, Any]
    tags: list[str]
    address_state: Literal["reachable", "unreachable", "complained"] | None
    address_reason: str | None
    created_at: datetime
    subscriptions: list[Subscription]


class NewSubscriber(_In):
    """Somebody to be made a reader by your word: `basis` says by what right, and is kept as evidence.

    Who left, complained, is dead or suppressed is not brought back, unless `revive` says so; a block by hand not even
    then.
    """

    email: Email
    list: ListKey
    basis: Annotated[str, Field(min_length=1, max_length=500, pattern=_NO_CONTROLS)]
    name: Annotated[str, Field(max_length=200, pattern=_NO_CONTROLS)] = ""
    language: Language | None = None
    time_zone: Zone | None = None
    attributes: dict[str, Any] = {}
    tags: Labels = []
    revive: StrictBool = False


class Profile(_In):
    """What is to be changed: what is left out stays, an empty text empties, an attribute that is null goes."""

    name: Annotated[str, Field(max_length=200, pattern=_NO_CONTROLS)] | None = None
    language: Language | Literal[""] | None = None
    time_zone: Zone | Literal[""] | None = None
    attributes: dict[str, Any] | None = None


class Tags(_In):
    """Tags to put on and to take off."""

    add: Labels = []
    remove: Labels = []


class Which(_In):
    """One list, or all of them."""

    list: ListKey | None = None


class Pause(Which):
    """Until when; without a time until they resume."""

    until: AwareDatetime | None = None


class NewAddress(_In):
    """Where mail is to go from now on."""

    email: Email


class Whose(_In):
    """Whom is asked about. In a body, for addresses in URLs end up in logs."""

    email: Email


class Changed(BaseModel):
    """The lists that the call changed; none if it was so before."""

    id: int
    lists: list[str]


class Erased(BaseModel):
    """Whether there was anything left to forget."""

    id: int
    erased: bool


class List(BaseModel):
    """A list of the newsletter."""

    key: str
    name: str
    brand: str | None
    language: str


class Counts(BaseModel):
    """The people of a list: readers = active - paused - suppressed - unreachable."""

    active: int
    paused: int
    suppressed: int
    unreachable: int
    pending: int
    unsubscribed: int
    readers: int


class ListWithCounts(List):
    """A list with its people counted."""

    counts: Counts


class Segment(BaseModel):
    """A condition that segments.toml names."""

    name: str
    text: str


class SegmentWithCount(Segment):
    """A segment with the readers of a list that it selects now."""

    list: str
    readers: int


class Mailing(BaseModel):
    """The sending of one issue."""

    name: str
    list: str
    number: int | None
    slug: str
    subject: str
    state: Literal["running", "paused", "cancelled", "finished"]
    reason: str
    created_at: datetime
    changed_at: datetime
    finished_at: datetime | None


class Audit(BaseModel):
    """The sums of a mailing. They balance: planned is the sum of all others."""

    mailing: str
    state: Literal["running", "paused", "cancelled", "finished"]
    planned: int
    waiting: int
    claimed: int
    sending: int
    accepted: int
    deferred: int
    refused: int
    uncertain: int
    skipped: dict[str, int]
    balanced: bool


class Recipient(BaseModel):
    """One reader's row of a mailing; the address is blank once the person is erased."""

    subscriber: int
    email: str
    state: str
    reason: str
    reply: str
    relay_id: str
    attempts: int
    at: datetime | None


class Cancel(_In):
    """A mailing that is cancelled cannot be taken up again: `confirm` repeats its name."""

    confirm: Line


class Suppression(BaseModel):
    """An address that is not mailed, known by its hash alone."""

    id: int
    hash: str
    scope: Literal["list", "brand", "everything"]
    scope_key: str
    reason: str
    created_at: datetime
    expires_at: datetime | None
    lifted_at: datetime | None


class Block(_In):
    """An address never to be mailed again: by one list, or by all."""

    email: Email
    list: ListKey | None = None
    why: Line = ""


class Lift(_In):
    """What forbids mail to an address is lifted; blocks by hand stay unless `manual`. Makes nobody a reader."""

    email: Email
    why: Annotated[str, Field(min_length=1, max_length=500, pattern=_NO_CONTROLS)]
    manual: StrictBool = False


class Lifted(BaseModel):
    """How many suppressions were lifted."""

    lifted: int


class Blocked(BaseModel):
    """What is not mailed from now on."""

    scope: Literal["list", "everything"]
    list: str | None
