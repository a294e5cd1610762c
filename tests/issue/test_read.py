"""Reading a whole file: the values an issue has, whatever its front matter looks like."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailer.errors import UserError
from mailer.issue.read import LARGEST, read_issue


def test_yaml_front_matter_gives_the_values_and_the_body_its_lines():
    """The body begins after the front matter, and each of its lines knows its line in the file."""
    issue = read_issue(b"---\ntitle: Post No. 7\ndate: 2024-07-01\n---\n\nHello\n", "issues/7.md")
    assert (issue.number, issue.subject, issue.slug) == (7, "Post No. 7", "7")
    assert issue.date == datetime(2024, 7, 1, tzinfo=UTC)
    assert issue.lines[issue.body.split("\n").index("Hello")] == 6


def test_a_file_without_a_title_asks_for_a_subject():
    """An issue without a title is still given, with an error that asks for --subject."""
    issue = read_issue(b"Just some words.\n", "words.md")
    assert issue.subject == ""
    assert [(finding.rule, "--subject" in finding.message) for finding in issue.findings] == [
        ("fm-title", True)
    ]
    assert read_issue(b"Just some words.\n", "words.md", subject="Words").findings == ()


def test_sources_over_one_megabyte_are_refused():
    """A file that is too large is a UserError, before anything reads it."""
    with pytest.raises(UserError, match="more than 1,000,000 bytes"):
        read_issue(b"a" * (LARGEST + 1), "big.md")
