"""Front matter in every notation, and what authors and their tools do to it."""

# ruff: noqa: RUF001, E501 - the samples are written as authors write, and a line of them is a line

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from reading import rules

from mailer.errors import UserError
from mailer.issue.read import read_issue


def of(front: str, body: str = "Text\n") -> str:
    """Put YAML front matter above a body."""
    return f"---\n{front}\n---\n{body}"


@pytest.mark.parametrize(
    "source",
    [
        "---\ntitle: Rosen\nnumber: 7\ntags: [a, b]\n---\nText",
        "---\n\ntitle: 'Rosen'\nnumber: \"7\"\ntags:\n\t- a\n\t- b\n...\nText",
        '+++\ntitle = "Rosen"\nnumber = 7\ntags = ["a", "b"]\n+++\nText',
        '{"title": "Rosen", "number": 7,\n "tags": ["a", "b"]}\n\nText',
        "Title: Rosen\nNumber: 7\n\nText",
    ],
)
def test_every_notation_is_read(source: str):
    """YAML, TOML, JSON and a header say the same, and nothing of them is in the body."""
    issue = read_issue(source.encode(), "a.md")
    assert (issue.title, issue.number, issue.body.strip()) == ("Rosen", 7, "Text")
    assert {str(key).lower() for key in issue.front_matter} >= {"title", "number"}


@pytest.mark.parametrize(
    "source", ["---\n\nText\n\n---\n\nMore", "Note: this is a text.\n\nMore", "{{ x }}", "# A\n\nText"]
)
def test_no_front_matter_is_none(source: str):
    """A thematic break, a sentence with a colon and a brace are body."""
    issue = read_issue(source.encode(), "a.md")
    assert issue.front_matter == {}
    assert source.rsplit("\n", maxsplit=1)[-1] in issue.body


def test_a_title_is_not_cut_at_a_number_sign():
    """What YAML takes for a comment is the rest of a title; a real comment is one."""
    issue = read_issue(
        of("title: Garden News #97： Roses, it’s snow: more\nexcerpt: Kurz # nur ein Kommentar").encode(),
        "a.md",
    )
    assert issue.subject == "Garden News #97： Roses, it’s snow: more"
    assert issue.number == 97
    assert [(finding.rule, finding.line) for finding in issue.findings] == [("fm-hash", 2)]
    assert issue.preheader == "Kurz"


def test_a_colon_in_a_title_is_text():
    """The commonest error of YAML authors is read as they meant it."""
    assert read_issue(of("title: Rosen: der Winter").encode(), "a.md").subject == "Rosen: der Winter"


@pytest.mark.parametrize(
    ("front", "number"), [("title: 3.10", None), ("title: 2020-01-01", None), ("title: On\nissue: 072", 72)]
)
def test_values_are_what_the_author_wrote(front: str, number: int | None):
    """YAML's guesses (floats, dates, switches, octal numbers) change no title and no number."""
    issue = read_issue(of(front).encode(), "a.md")
    assert issue.title == front.split("\n", maxsplit=1)[0].removeprefix("title: ")
    assert issue.number == number


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("---\ntitle: a\nx: [1, 2\n---\n", 3),
        ("---\ntitle: a\n", 1),
        ('+++\ntitle = "a"\nx = = 2\n+++\n', 3),
        ('{"title": "a",\n "x": }\n', 2),
    ],
)
def test_errors_name_file_and_line(source: str, line: int):
    """Front matter that cannot be read is an error at its place."""
    with pytest.raises(UserError) as caught:
        read_issue(source.encode(), "a.md")
    (problem,) = caught.value.problems
    assert problem.file == "a.md"
    assert problem.line is not None
    assert abs(problem.line - line) <= 1


def test_a_key_that_stands_twice_is_an_error():
    """Nobody knows which of two titles was meant."""
    issue = read_issue(of("title: a\ntitle: b").encode(), "a.md")
    assert [(finding.rule, finding.level.value, finding.line) for finding in issue.findings] == [
        ("yaml-safe", "error", 3)
    ]


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-07-01", datetime(2024, 7, 1, tzinfo=BERLIN)),
        ("2024-07-01 09:30", datetime(2024, 7, 1, 9, 30, tzinfo=BERLIN)),
        ("2024-07-01T09:30:00Z", datetime(2024, 7, 1, 11, 30, tzinfo=BERLIN)),
        ("2024-07-01 09:30:00 +0800", datetime(2024, 7, 1, 3, 30, tzinfo=BERLIN)),
        ("1. Juli 2024", datetime(2024, 7, 1, tzinfo=BERLIN)),
        ("July 1st, 2024", datetime(2024, 7, 1, tzinfo=BERLIN)),
        ("2024年7月1日", datetime(2024, 7, 1, tzinfo=BERLIN)),
        ("01.07.2024", datetime(2024, 7, 1, tzinfo=BERLIN)),
        ("Mon, 1 Jul 2024 09:30:00 +0200", datetime(2024, 7, 1, 9, 30, tzinfo=BERLIN)),
    ],
)
def test_dates_are_instants_in_the_newsletters_zone(written: str, meant: datetime):
    """A date without a zone is one of the newsletter's zone."""
    issue = read_issue(of(f"title: x\ndate: {written}").encode(), "a.md", time_zone="Europe/Berlin")
    assert issue.date == meant
    toml = '+++\ntitle = "x"\ndate = 2024-07-01T09:30:00\n+++\n'
    assert read_issue(toml.encode(), "a.md", time_zone="Europe/Berlin").date == datetime(
        2024, 7, 1, 9, 30, tzinfo=BERLIN
    )


def test_a_wrong_date_is_a_finding_and_the_file_name_helps():
    """A date that is none is reported; the one that leads the file name is taken."""
    issue = read_issue(of("title: x\ndate: soon").encode(), "_posts/2024-07-01-rosen.md")
    assert rules(issue) == ["fm-type"]
    assert issue.date is not None
    assert issue.date.date().isoformat() == "2024-07-01"


def test_an_unknown_zone_is_an_error():
    """A time zone that does not exist is bad input."""
    with pytest.raises(UserError, match="Mars"):
        read_issue(b"x", "a.md", time_zone="Mars/Base")


def test_preheaders_have_no_tags_and_no_entities():
    """Also what a feed has escaped twice is decoded; the text is cut at a word below 140 characters."""
    issue = read_issue(
        of(
            f'title: x\nexcerpt: "<b>It</b>&amp;rsquo;s &lt;i&gt;winter&lt;/i&gt; {"and roses bloom " * 20}"'
        ).encode(),
        "a.md",
    )
    assert issue.preheader.startswith("It’s winter and roses")
    assert len(issue.preheader) <= 140
    assert issue.preheader.endswith("…")
    assert issue.preheader.rstrip("…").split()[-1] in {"and", "roses", "bloom"}


def test_the_first_prose_is_the_preheader():
    """Without a word of the author's, greetings, headings and pictures are passed over."""
    issue = read_issue(
        of(
            "title: x", "# x\n\n![a](b.png)\n\nDear all,\n\nThe [roses](https://a.example) are in *bloom*.\n"
        ).encode(),
        "a.md",
    )
    assert issue.preheader == "The roses are in bloom."


@pytest.mark.parametrize("front", ["draft: true", "published: false", "status: draft", 'draft: "yes"'])
def test_drafts_are_held_back(front: str):
    """Every way to say draft is understood."""
    assert read_issue(of(f"title: x\n{front}").encode(), "a.md").draft
    assert not read_issue(of("title: x\ndraft: false\npublished: true").encode(), "a.md").draft


def test_the_hero_and_the_links():
    """The picture has its credit, a decoration is none; addresses that run something are refused."""
    front = "title: x\nimage:\n  feature: a/b.png\n  credit: <a href='https://c.example'>C</a>\npermalink: /letters/seven\nlang: pt_BR\nlist: weekly"
    issue = read_issue(of(front).encode(), "a.md")
    assert issue.hero is not None
    assert (issue.hero.src, issue.hero.credit) == ("a/b.png", "<a href='https://c.example'>C</a>")
    assert (issue.canonical, issue.slug, issue.language, issue.list) == (
        "/letters/seven",
        "seven",
        "pt-BR",
        "weekly",
    )
    bad = read_issue(
        of("title: x\nimage: javascript:alert(1)\ncanonical: data:x\nheader-img: a.png").encode(), "a.md"
    )
    assert (bad.hero, bad.canonical, rules(bad)) == (None, None, ["fm-type", "fm-type"])


def test_a_notice_of_the_source_is_no_preheader():
    """A subtitle that says where a text comes from gives its address instead."""
    issue = read_issue(
        of(
            "title: x\nsubtitle: 转载自：https://garden.example/7",
            "玫瑰在雪里开花，大家都很高兴，我们也很高兴，真的。\n",
        ).encode(),
        "a.md",
    )
    assert issue.canonical == "https://garden.example/7"
    assert issue.preheader == "玫瑰在雪里开花，大家都很高兴，我们也很高兴，真的。"
