"""The address of an issue on the web, by the site's pattern."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailer.edition.compile import compile_issue
from mailer.edition.model import Masthead
from mailer.edition.permalink import page_of
from mailer.issue.model import Issue

BASE = "https://tides.example.com/news/"
ISSUE = Issue(
    file="_posts/2026-07-04-slack-water.md",
    number=72,
    slug="slack-water",
    subject="Slack water",
    body="A paragraph.",
    date=datetime(2026, 7, 3, 23, 30, tzinfo=UTC),
    front_matter={"categories": ["Tides", "North Sea"]},
)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/:year/:month/:day/:title/", "2026/07/04/slack-water/"),
        ("/:categories/:year/:title.html", "tides/north%20sea/2026/slack-water.html"),
        (":short_year/:i_month/:i_day-:y_day", "26/7/4-185"),
        ("/issues/:number/", "issues/72/"),
        ("/no-words/", "no-words/"),
    ],
)
def test_each_word_of_the_pattern_has_its_value(pattern, path):
    """Days are those of the newsletter's time zone; what cannot stand in a URL is encoded."""
    masthead = Masthead(base_url=BASE, permalink=pattern, time_zone="Europe/Berlin")
    assert page_of(ISSUE, masthead) == BASE + path


@pytest.mark.parametrize("pattern", ["/:section/:title/", "/:year/:nonsense", "", None])
def test_a_word_that_is_not_known_gives_no_address(pattern):
    """A wrong link is worse than none."""
    assert page_of(ISSUE, Masthead(base_url=BASE, permalink=pattern)) is None


def test_a_word_without_a_value_gives_no_address():
    """An issue without a date or a number has no address of that form; nor has any without a base URL."""
    bare = Issue(file="a.md", number=None, slug="a", subject="A", body="")
    assert page_of(bare, Masthead(base_url=BASE, permalink="/:year/:title/")) is None
    assert page_of(bare, Masthead(base_url=BASE, permalink="/:number/")) is None
    assert page_of(bare, Masthead(base_url=BASE, permalink="/:categories/:title/")) == BASE + "a/"
    assert page_of(bare, Masthead(permalink="/:title/")) is None


def test_the_address_becomes_the_editions_own():
    """It is what "view in browser" leads to, unless the issue names another."""
    masthead = Masthead(base_url=BASE, permalink="/:title/")
    assert compile_issue(ISSUE, masthead).canonical == BASE + "slack-water/"
