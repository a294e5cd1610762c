"""mailer issues: what there is and what went out."""

from __future__ import annotations

import pytest

from mailer.settings import load_settings


@pytest.fixture
def three(newsletter):
    """Three issues, one of them a draft."""
    for number, more in ((1, ""), (2, "draft: true\n"), (3, "date: 2026-07-14\n")):
        text = f"---\ntitle: 'Tides #{number}: Water'\n{more}---\n\nText.\n"
        (newsletter / "issues" / f"{number:03}-water-{number}.md").write_text(text)
    return newsletter


def test_every_issue_is_listed_with_its_state(cli, three):
    """One object a line, in the order of the numbers."""
    ended = cli("issues", "--json")
    assert [(line["number"], line["state"]) for line in ended.lines] == [(1, "new"), (2, "draft"), (3, "new")]
    assert ended.lines[2]["file"] == "issues/003-water-3.md"
    assert ended.lines[2]["date"] == "2026-07-14"


def test_people_see_a_table(cli, three):
    """With a head, and one line an issue."""
    ended = cli("issues")
    assert ended.out.splitlines()[0].split() == ["no.", "date", "state", "list", "title"]
    assert len(ended.out.splitlines()) == 4


def test_old_issues_are_declared_sent(cli, three):
    """A range, a second time without harm; each then says so."""
    ended = cli("issues", "mark-sent", "1..3", "--yes", "--json")
    assert ended.json == {"declared": ["1.main", "2.main", "3.main"]}
    assert cli("issues", "mark-sent", "1..3", "--yes", "--json").json == {"declared": []}
    assert {line["state"] for line in cli("issues", "--json").lines} == {"declared sent"}


def test_declaring_asks_first(cli, three):
    """It cannot be undone."""
    assert cli.process("issues", "mark-sent", "1..3").code == 3
    assert {line["state"] for line in cli("issues", "--json").lines} == {"new", "draft"}


def test_a_declared_issue_cannot_be_sent(cli, three, monkeypatch):
    """That is what it is for: not even with --yes, nor to new readers."""
    monkeypatch.setenv("MAILER_RELAY", f"folder://{three}/outbox")
    assert cli("issues", "mark-sent", "1", "--yes").code == 0
    cli("subscribers", "add", "ann@tides.example.com", "--list", "main", "--basis", "asked by mail")
    for more in ([], ["--new-readers"]):
        ended = cli("send", "1", "--yes", *more)
        assert ended.code == 3
        assert "declared sent" in ended.err
    assert not (three / "outbox").exists() or not list((three / "outbox").iterdir())


def test_what_is_no_issue_is_bad_input(cli, three):
    """Nothing is declared when one of the words is wrong."""
    ended = cli("issues", "mark-sent", "1", "99", "--yes")
    assert ended.code == 2
    assert {line["state"] for line in cli("issues", "--json").lines} == {"new", "draft"}


def test_an_empty_newsletter_says_where_it_looked(cli, newsletter):
    """The glob is the likely mistake."""
    (glob,) = load_settings(newsletter, {}).for_list("main").issues
    assert glob in cli("issues").out


def test_the_list_works_without_a_database(cli, three):
    """A clone of the repository can be looked at."""
    (three / ".mailer" / "mailer.db").unlink()
    assert len(cli("issues", "--json").lines) == 3
