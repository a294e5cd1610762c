"""The number of an issue, and what is none."""

# ruff: noqa: RUF001 - the titles are written in the languages that readers use

from __future__ import annotations

import pytest

from mailer.issue.number import number_of_name, number_of_title
from mailer.issue.read import read_issue

TITLES = {
    "Garden News #72": 72,
    "Garden News 165: Roses": 165,
    "Garden News #97： Rosen, 100,000 davon": 97,
    "Issue 12": 12,
    "No. 5": 5,
    "Garten Nr. 7 – Winter": 7,
    "Ausgabe 33": 33,
    "Gazette, Vol. 4": 4,
    "花园周刊第72期": 72,
    "花园周刊 第十二期：玫瑰": 12,
    "庭園だより 第3号": 3,
    "नई चिट्ठी अंक १२": 12,
    "العدد ١٢ من الحديقة": 12,
    "شماره ۱۲: گل سرخ": 12,
    "גיליון 12": 12,
    "Top 10 tools": None,
    "The #1 reason to plant": None,
    "Best of 2024": None,
    "2024: a year": None,
    "Garden News 2024: a year": None,
    "Python 3: roses": None,
    "Version 2.0: roses": None,
    "100,000 roses: a count": None,
    "Why no 5 people agree": None,
    "Roses": None,
}


@pytest.mark.parametrize("title", TITLES)
def test_titles(title: str):
    """A number counts when something marks it as an issue's."""
    assert number_of_title(title) == TITLES[title]


NAMES = {
    "_posts/2020-07-06-72.md": 72,
    "issues/072-roses.md": 72,
    "issue-72.md": 72,
    "2019-09-23-garden-news-165.md": 165,
    "72/index.md": 72,
    "第72期.md": 72,
    "2020-07-06-roses.md": None,
    "2020-07-06.md": None,
    "2020.md": None,
    "top-10.md": None,
    "covid-19.md": None,
    "roses.md": None,
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str):
    """The number of a file name stands at its end or its beginning, once a date is taken off."""
    assert number_of_name(name) == NAMES[name]


def test_two_numbers_are_an_error_that_names_both_places():
    """Nothing outranks anything: the author must make them agree."""
    issue = read_issue(b"---\ntitle: 'Garden News #72'\nissue: 71\n---\nText\n", "issues/72.md")
    (finding,) = [finding for finding in issue.findings if finding.rule == "number"]
    assert issue.number is None
    assert finding.level.value == "error"
    assert "71 from “issue:” in the front matter" in finding.message
    assert "72 from the title" in finding.message
