"""Which issue: never an old one, never one that went out; whatever the folder, the record and the clock hold."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.database import open_engine
from mailer.issue.dates import Moment
from mailer.issue.find import Found
from mailer.issue.number import Candidate
from mailer.schedule.choice import Record, choose
from mailer.schedule.due import Due
from mailer.schedule.judge import Ask, Empty, Send, Skip, judge, missed
from mailer.schedule.plan import Lateness, Plan, rule_of
from tests.schedule.conftest import MONDAY, TUESDAY, World

ZONE = ZoneInfo("Europe/Berlin")
DUE = Due(datetime(2026, 11, 24, 8, 0), TUESDAY)  # noqa: DTZ001 - what the wall shows
HOURS = st.integers(-24 * 400, 24 * 40).map(lambda hours: TUESDAY + timedelta(hours=hours))
NUMBERS = st.integers(1, 40)


@st.composite
def issues(draw: st.DrawFn) -> list[Found]:
    """Give the heads of a folder: dated or not, numbered or not, drafts, unreadable ones, ones with an hour."""
    made = []
    for index in range(draw(st.integers(0, 12))):
        number = draw(st.none() | NUMBERS)
        claims = (Candidate(number, "the front matter"),) if number is not None else ()
        made.append(
            Found(
                Path(f"issues/{index}.md"), f"issue-{index}", f"Issue {index}",
                draw(st.none() | HOURS), draft=draw(st.booleans()) and draw(st.booleans()), claims=claims,
                send=draw(st.none() | st.none() | st.just(Moment(DUE.local))),
                problem=draw(st.none() | st.none() | st.just("it cannot be read")),
            )
        )  # fmt: skip
    return made


RECORDS = st.builds(
    Record,
    numbers=st.frozensets(NUMBERS, max_size=6),
    slugs=st.frozensets(st.integers(0, 12).map("issue-{}".format), max_size=6),
    newest=st.none() | HOURS,
)


@given(found=issues(), record=RECORDS, first_seen=HOURS)
def test_a_candidate_is_new_dated_and_nothing_else(found: list[Found], record: Record, first_seen: datetime):
    """No draft, no unreadable one, nothing on record, nothing older than the schedule, nothing of tomorrow."""
    choice = choose(found, record, DUE, ZONE, first_seen)
    gone = [one.date for one in found if record.holds(one) and one.date is not None]
    for one in choice.candidates:
        assert not one.draft
        assert one.problem is None
        assert one.send is None
        assert not record.holds(one)
        assert one.date is not None
        assert one.date <= DUE.utc
        assert one.date.astimezone(ZONE).date() >= first_seen.astimezone(ZONE).date()
        assert all(one.date >= date for date in gone)
    dates = [one.date for one in choice.candidates]
    assert dates == sorted(dates)
    assert len(choice.hints) <= 5


@given(
    found=issues(), record=RECORDS, late=st.integers(0, 24 * 30), grace=st.integers(0, 168), ask=st.booleans(),
    approved=st.booleans(),
)  # fmt: skip
def test_what_is_sent_by_itself_is_the_one_candidate_in_time(
    found: list[Found], record: Record, late: int, grace: int, ask: bool, approved: bool
):
    """Without a person nothing goes that is late, first, or one of several; with one, something that there is."""
    plan = Plan("w", "main", "Europe/Berlin", rule_of("Tue 08:00", None), lateness=Lateness(grace, ask))
    choice = choose(found, record, DUE, ZONE, TUESDAY - timedelta(days=400))
    verdict = judge(plan, DUE, TUESDAY + timedelta(hours=late), choice, approved=approved)
    assert isinstance(verdict, Empty) == (not choice.candidates)
    if isinstance(verdict, Send):
        assert verdict.issue == choice.candidates[-1]
        assert approved or (late <= grace and not choice.first and len(choice.candidates) == 1)
    elif isinstance(verdict, Skip):
        assert late > grace
        assert not ask
    elif isinstance(verdict, Ask):
        assert not approved
        assert verdict.issue == choice.candidates[-1]


@given(hours=st.lists(st.integers(0, 24 * 60), unique=True, max_size=30), grace=st.integers(0, 168))
def test_of_the_missed_every_young_one_is_judged_or_else_the_newest(hours: list[int], grace: int):
    """Nothing is judged twice, nothing gets lost between the two."""
    now = TUESDAY + timedelta(days=60)
    dues = [Due(DUE.local, now - timedelta(hours=hour)) for hour in sorted(hours, reverse=True)]
    plan = Plan("w", "main", "UTC", rule_of("day 08:00", None), lateness=Lateness(grace))
    old, judged = missed(dues, now, plan)
    assert old + judged == dues
    young = [due for due in dues if now - due.utc <= timedelta(hours=grace)]
    assert judged == (young or dues[-1:])


@pytest.mark.slow
@settings(max_examples=40)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["one", "two"]), st.integers(-72, 200), st.booleans(), st.booleans()),
        min_size=1, max_size=25,
    )
)  # fmt: skip
def test_however_the_clock_jumps_each_issue_and_each_due_time_has_one_mailing(
    migrated_sqlite: Path, steps: list[tuple[str, int, bool, bool]]
):
    """Two schedulers, a clock that is moved forth and back, restarts, and issues that appear in between."""
    with tempfile.TemporaryDirectory() as name:
        shutil.copy(migrated_sqlite, f"{name}/test.db")
        engine = open_engine(f"sqlite:///{name}/test.db")
        try:
            _jump(World(Path(name), engine), steps)
        finally:
            engine.dispose()


def _jump(world: World, steps: list[tuple[str, int, bool, bool]]) -> None:
    world.sent(1)
    world.tick()
    number = 2
    for who, hours, restart, write in steps:
        if write:
            world.issue(number, f"{world.now:%Y-%m-%d %H:%M}")
            number += 1
        if restart:
            world.restart(who)
        world.tick(who, at=max(MONDAY - timedelta(days=30), world.now + timedelta(hours=hours)))
    rows = world.rows()
    assert len({(row.schedule, row.due_at) for row in rows}) == len(rows)
    begun = [row.mailing for row in rows if row.state == "started"]
    assert Counter(begun) == Counter(set(begun))
    assert Counter(begun) == Counter(world.mailings())
    assert "1.main" not in begun
    assert all(row.due_at.astimezone(UTC) <= row.created_at for row in rows)
