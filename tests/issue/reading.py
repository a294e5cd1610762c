"""What the tests of this room share: reading a text as an issue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.issue.read import read_issue

if TYPE_CHECKING:
    from mailer.issue.model import Issue


def read(text: str, file: str = "issues/letter.md", title: str = "A letter") -> Issue:
    """Read a body under a title."""
    return read_issue(f"---\ntitle: {title}\n---\n{text}\n".encode(), file)


def rules(issue: Issue) -> list[str]:
    """Give the names of an issue's findings."""
    return [finding.rule for finding in issue.findings]
