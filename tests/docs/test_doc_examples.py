"""The examples of Markdown and TOML in the documentation: they are what the program understands."""

from __future__ import annotations

import tomllib
from uuid import UUID

import pytest

from mailer.edition import Masthead
from mailer.edition.compile import compile_issue
from mailer.issue.read import read_issue
from mailer.settings.document import Document
from tests.docs.pages import PAGES, blocks

HEAD = Masthead(
    list_name="Slack Water",
    base_url="https://www.example.org/",
    public_url="https://news.example.org",
    postal_address="Slack Water, Am Hafen 3, 25813 Husum",
)
MADE = {"id": str(UUID(int=7)), "from": "Slack Water <news@example.org>"}


def _examples(language: str) -> list[str]:
    return [block for page in PAGES for block in blocks(page.read_text(encoding="utf-8"), language)]


@pytest.mark.parametrize("block", _examples("markdown"))
def test_markdown(block: str):
    """Every example of Markdown compiles without an error, and every merge field in it is one."""
    edition = compile_issue(read_issue(block.encode(), "issues/72.md", subject="An example"), HEAD)
    assert list(edition.errors) == []
    assert "{{" not in "".join(part for part in edition.text if isinstance(part, str))


@pytest.mark.parametrize("block", _examples("toml"))
def test_toml(block: str):
    """Every example of settings is a part of a mailer.toml."""
    Document.model_validate(tomllib.loads(block) | MADE)
