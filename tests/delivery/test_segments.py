"""Segments on the ledger: what is planned, what was received, and what a mailing keeps of segments.toml."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text, update

from mailer.database import reading, writing
from mailer.delivery import mailing
from mailer.delivery.indexing import index, missing
from mailer.delivery.segments import plain, read_book
from mailer.delivery.states import DeliveryState
from mailer.delivery.tables import audiences
from mailer.errors import UserError
from mailer.settings import load_settings
from subscribers import audience, tag
from subscribers.tables import subscribers
from tests.delivery.conftest import NOON, World
from tests.delivery.segmented import Newsletter

TOML = """
id = "5a1c6a7e-3c0d-4b57-9d0e-72aa10c0ffee"
from = "News <news@news.example.org>"
time_zone = "Europe/Berlin"
"""


@pytest.fixture
def news(world, tmp_path) -> Newsletter:
    (tmp_path / "mailer.toml").write_text(TOML)
    return Newsletter(tmp_path, world, load_settings(tmp_path, {}))


def short(addresses: set[str]) -> str:
    return " ".join(sorted(address.partition("@")[0] for address in addresses))


def people(world: World) -> list[int]:
    return world.join("ann@a.example", "bo@a.example", "cem@a.example", "dora@a.example")


def test_a_mailing_goes_to_its_segment(news, world):
    """The forecast counts the segment's readers, and they are the ones who are planned."""
    ann, bo, *_ = people(world)
    with writing(world.engine) as c:
        for each in (ann, bo):
            tag(c, each, world.now, add=["beta"])
    news.write(beta='tag "beta"')
    made = news.begin(segment="beta")
    assert news.readers == 2
    assert short(news.plan(made)) == "ann bo"


def test_a_mailing_keeps_its_segment_when_the_file_changes(news, world):
    """Edited, broken or gone, segments.toml changes nobody of a mailing that began; nor does time that goes on."""
    people(world)
    world.later(days=10)
    world.join("eve@a.example")
    news.write(new="segment young", young="joined < 5 days ago")
    made = news.begin(segment="new")
    world.later(days=30)
    news.write(new="country = = broken")
    assert short(news.plan(made)) == "eve"
    (news.folder / "segments.toml").unlink()
    with reading(world.engine) as c:
        (row,) = c.execute(select(audiences).where(audiences.c.mailing_id == made))
    assert (row.segment, row.condition) == ("new", "joined > 2026-07-19T12:00:00.000000Z")


def test_a_second_segment_extends_a_mailing(news, world):
    """Another segment adds those who are not in the mailing yet."""
    ann, bo, *_ = people(world)
    with writing(world.engine) as c:
        tag(c, ann, world.now, add=["a", "b"])
        tag(c, bo, world.now, add=["b"])
    news.write(a='tag "a"', b='tag "b"')
    made = news.begin(segment="a")
    news.plan(made)
    assert news.begin(segment="b") == made
    assert short(news.plan(made)) == "ann bo"


def test_a_segment_of_nobody_plans_nobody(news, world):
    """Nobody is in it: the mailing has nothing to plan, and ends."""
    people(world)
    news.write(none='tag "nobody"')
    assert news.plan(news.begin(segment="none")) == set()


def settle(world: World, outcomes: dict[str, DeliveryState]) -> None:
    """Send issue 72 to everyone, each with an outcome."""
    world.extend()
    claims = world.claim()
    world.fence(claims)
    for claim in claims:
        world.settle([claim], outcomes[claim.address.partition("@")[0]])


def test_what_was_received(news, world):
    """Accepted and uncertain count as received; refused and deferred do not."""
    people(world)
    states = (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN, DeliveryState.REFUSED, DeliveryState.DEFERRED)
    settle(world, dict(zip(("ann", "bo", "cem", "dora"), states, strict=True)))
    world.later(hours=1)
    world.join("eve@a.example")
    news.write(
        had="received issue 72", slug='received issue "the-issue"', lacks="not received issue 72",
        other="received issue 71", some="received anything", none="never received anything",
        last="received any of the last 1", zero="received any of the last 0",
    )  # fmt: skip
    for name in ("had", "slug", "some", "last"):
        assert short(news.whom(name)) == "ann bo", name
    for name in ("lacks", "none"):
        assert short(news.whom(name)) == "cem dora eve", name
    assert news.whom("other") == news.whom("zero") == set()


def test_the_last_issues_are_those_before_this_one(news, world):
    """A mailing that is being sent is none of the last: who got it first is planned like the others."""
    people(world)
    settle(world, dict.fromkeys(("ann", "bo", "cem", "dora"), DeliveryState.ACCEPTED))
    world.later(hours=1)
    news.write(loyal="received any of the last 1")
    made = news.begin(segment="loyal")
    assert short(news.plan(made)) == "ann bo cem dora"


def test_mistakes_name_file_line_and_place(news):
    """Each mistake of segments.toml has its line, in a text of several lines, too, and a caret."""
    news.write(good='tag "x"', bad='tag "x"\nand country = DE')
    found = list(news.segments.problems(NOON))
    assert [(one.file, one.line, one.key) for one in found] == [("segments.toml", 3, "bad")]
    assert "^^" in found[0].message
    with pytest.raises(UserError, match="a text stands in quotes"):
        news.segments.freeze("bad", "main", NOON)
    with pytest.raises(UserError, match="there is no segment 'nope': the segments are: bad, good"):
        news.segments.freeze("nope", "main", NOON)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b"a = 7", "write the condition as a text"),
        (b"[a]\nb = 'c'", "write the condition as a text"),
        (b"a = ", "not TOML"),
        (b"\xff", "not TOML"),
        (b"'A b' = 'x'", "cannot name a segment"),
        (b"a = '" + b"x" * 1_000_001 + b"'", "larger than 1 MB"),
    ],
)
def test_files_that_are_none(news, written, told):
    """Whatever stands in segments.toml, it is told as a problem."""
    (news.folder / "segments.toml").write_bytes(written)
    (problem,) = read_book(news.settings).problems
    assert told in problem.message


def test_a_ledger_without_a_newsletter_has_no_segments(world):
    """`plain` refuses each."""
    with pytest.raises(UserError, match=r"segments\.toml names none"):
        plain.freeze("beta", "main", NOON)


DECLARED = {"country": "text", "score": "number", "since": "date", "address.city": "text"}


def test_declared_attributes_get_indexes_that_are_used(news, world):
    """Indexes are made, used and dropped as declared, and change nobody who is selected."""
    with writing(world.engine) as c:
        c.execute(
            insert(subscribers),
            [
                {
                    "attributes": {
                        "country": f"C{n % 40}",
                        "score": str(n),
                        "since": f"2026-01-{n % 28 + 1:02}",
                    }
                }
                | {"created_at": NOON - timedelta(days=1), "updated_at": NOON}
                for n in range(2_000)
            ],
        )
    news.write(
        text='country in ("C1", "C2")', number="score >= 1999", date="since < 2026-01-02 and score = 28"
    )
    before = {name: news.whom(name, whole=True) for name in ("text", "number", "date")}
    news.declare(**DECLARED)
    assert missing(world.engine, DECLARED)
    assert index(world.engine, DECLARED) == 4
    assert not missing(world.engine, DECLARED)
    assert index(world.engine, DECLARED) == 0
    assert {name: news.whom(name, whole=True) for name in before} == before
    for name in before:
        assert "ix_attribute_" in steps(news, name), name
    assert index(world.engine, {"country": "number"}) == 5
    assert index(world.engine, {}) == 1


def steps(news: Newsletter, name: str) -> str:
    """Give how the database would count a segment."""
    condition = news.segments.freeze(name, "main", NOON)
    engine = news.world.engine
    query = news.segments(audience(news.world.list_id, NOON), condition, whole=True)
    words = str(query.compile(engine, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with reading(engine) as c:
        if engine.dialect.name == "postgresql":  # with so few on the list it would look each of them up
            for way in ("seqscan", "nestloop", "mergejoin"):
                c.execute(text(f"SET LOCAL enable_{way} = off"))
        return "\n".join(str(row[-1]) for row in c.execute(text(f"{explain} {words}".replace(":", r"\:"))))


def test_doubts(news, world):
    """Attributes that nobody has and issues that never went out are told; where there is nobody, nothing is."""
    news.write(
        odd='a.b = 1 and (a.c is missing or not received issue 999) and received issue "x"',
        good='a.b = 1 and received issue 72 and received issue "the-issue" and received anything and name = "x"',
    )
    assert len(doubts(news, "good")) == 0
    ann, *_ = people(world)
    settle(world, dict.fromkeys(("ann", "bo", "cem", "dora"), DeliveryState.ACCEPTED))
    with writing(world.engine) as c:
        mine = update(subscribers).where(subscribers.c.id == ann)
        c.execute(mine.values(attributes={"a": {"b": 1}}))
    assert doubts(news, "good") == []
    said = doubts(news, "odd")
    assert [[word for word in ("'a.b'", "'a.c'", "999", "issue x") if word in one] for one in said] == [
        ["'a.c'"], ["999"], ["issue x"],
    ]  # fmt: skip


def doubts(news: Newsletter, name: str) -> list[str]:
    with reading(news.world.engine) as c:
        return news.segments.doubts(c, news.segments.freeze(name, "main", NOON))


def test_mailing_extend_keeps_the_condition(world):
    """The text goes into the audience as it is."""
    people(world)
    with writing(world.engine) as c:
        readers = audience(world.list_id, world.now)
        mailing.extend(
            c,
            world.mailing_id,
            readers,
            list_id=world.list_id,
            now=world.now,
            segment="x",
            condition='tag "y"',
        )
        assert c.execute(select(audiences.c.condition)).scalar_one() == 'tag "y"'
