"""`[[schedule]]`: when issues go out by themselves. The rule's words are read by the schedule room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mailer.settings.values import LineValue, ZoneValue, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mailer.settings.model import ListSettings

LATE: Final = ("ask", "skip")
EMPTY: Final = ("tell", "quiet")
WAIT_FOR: Final = ("canonical",)


def _one_of(words: tuple[str, ...]) -> AfterValidator:
    def check(word: str) -> str:
        if word not in words:
            raise ValueError(f"{word!r} must be {' or '.join(words)}")
        return word

    return AfterValidator(check)


class ScheduleTable(BaseModel):
    """`[[schedule]]`: one schedule; `every` or `cron` says when."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str
    every: LineValue | None = None
    cron: LineValue | None = None
    list: LineValue | None = None
    time_zone: ZoneValue | None = None
    late_hours: float = Field(default=6, ge=0, le=168)
    late: Annotated[str, _one_of(LATE)] = "ask"
    local_time: bool = False
    wait_for: Annotated[str, _one_of(WAIT_FOR)] | None = None
    wait_hours: float = Field(default=2, gt=0, le=24)
    empty: Annotated[str, _one_of(EMPTY)] = "tell"


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """One schedule: a rule, the list it serves, what lateness and emptiness do. `index`: its place in the file."""

    name: str
    list_key: str
    time_zone: str
    every: str | None = None
    cron: str | None = None
    late_hours: float = 6
    late: str = "ask"
    local_time: bool = False
    wait_for: str | None = None
    wait_hours: float = 2
    empty: str = "tell"
    index: int = 0


def schedules_of(
    tables: tuple[ScheduleTable, ...], lists: Mapping[str, ListSettings]
) -> tuple[ScheduleSettings, ...]:
    """Give the schedules; one that names no list serves the only one, and has its time zone."""
    return tuple(_schedule(index, table, lists) for index, table in enumerate(tables))


def _schedule(index: int, table: ScheduleTable, lists: Mapping[str, ListSettings]) -> ScheduleSettings:
    key = table.list or next(iter(lists))
    given = table.model_dump(exclude={"list", "time_zone"})
    return ScheduleSettings(
        **given, list_key=key, time_zone=table.time_zone or lists[key].time_zone, index=index
    )


def schedule_complaints(
    tables: tuple[ScheduleTable, ...], lists: Mapping[str, object]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find what is missing or contradicts itself, with the path of its key."""
    names = [one.name for one in tables]
    for index, one in enumerate(tables):
        path = ("schedule", index)
        try:
            name_of("schedule", one.name)
        except ValueError as error:
            yield (*path, "name"), str(error)
        if one.name in names[:index]:
            yield (*path, "name"), f"two schedules are named {one.name!r}"
        if (one.every is None) == (one.cron is None):
            yield path, 'say when, by either every = "Tue 08:00" or cron = "0 8 * * 2"'
        if one.list is None and len(lists) > 1:
            yield path, f"say which list: {', '.join(lists)}"
        if one.list is not None and one.list not in lists:
            yield (*path, "list"), f"there is no list {one.list!r}; the lists are: {', '.join(lists)}"


def _never_or_a_week(days: int) -> int:
    """Let what may still come back of a mailing come back first."""
    if 0 < days < 7:
        raise ValueError("must be 0 (never), or at least 7: bounces come for days")
    return days


class UpkeepTable(BaseModel):
    """`[upkeep]`: what is done once a day."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    backups: int = Field(default=14, ge=0, le=10_000)
    backup_folder: LineValue | None = None
    letters_days: int = Field(default=30, ge=1, le=36_500)
    events_days: int = Field(default=730, ge=30, le=36_500)
    pack_after_days: Annotated[int, AfterValidator(_never_or_a_week)] = Field(default=90, ge=0, le=36_500)


@dataclass(frozen=True, slots=True)
class UpkeepSettings:
    """How many backups are kept, and where (None: `.mailer/backups`); how long letters' contents and events are.

    `pack_after_days` after its end a mailing's deliveries are packed; 0 is never.
    """

    backups: int = 14
    backup_folder: str | None = None
    letters_days: int = 30
    events_days: int = 730
    pack_after_days: int = 90
