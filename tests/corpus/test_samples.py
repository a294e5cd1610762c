"""Every sample of tests/samples compiles to what the file beside it expects."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.edition.compile import compile_issue
from mailer.errors import UserError
from mailer.issue.read import read_issue
from tests.corpus import rules
from tests.corpus.active import active_content
from tests.corpus.expectation import Expectation, differences

SAMPLES = Path(__file__).parent.parent / "samples"
EXPECTED = sorted(SAMPLES.glob("*.expect.toml"))


def source_of(expectation: Path) -> Path:
    """Give the issue that an expectation is about."""
    name = expectation.name.removesuffix(".expect.toml")
    (source,) = (
        SAMPLES / (name + suffix)
        for suffix in (".md", ".txt", ".html")
        if (SAMPLES / (name + suffix)).exists()
    )
    return source


def test_every_sample_has_its_expectation():
    """No sample lies there untested, and no expectation lacks its sample."""
    sources = {path.name for path in SAMPLES.iterdir() if path.suffix in (".md", ".txt", ".html")} - {
        "README.md"
    }
    assert sources == {source_of(path).name for path in EXPECTED}
    assert len(sources) >= 25


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.name.removesuffix(".expect.toml"))
def test_a_sample_becomes_the_mail_that_is_expected(path):
    """A sample becomes the mail that its expectation describes, and keeps the rules of every mail."""
    expected, file = Expectation.read(path), source_of(path)
    source = file.read_bytes()
    if expected.asks_for:
        assert expected.asks_for in what_is_wrong(source, file.name, expected)
    issue = read_issue(source, file.name, subject=expected.subject_given)
    mail = rules.Mail.of(compile_issue(issue, expected.masthead))
    wrong = differences(expected, issue, mail)
    # Errors stop a mail, so only a mail without them must be without residue.
    wrong += active_content(mail.html) if expected.errors else rules.broken(mail, source)
    assert not wrong, "\n".join(wrong)


def what_is_wrong(source: bytes, name: str, expected: Expectation) -> str:
    """Give the words with which a sample is refused, without a subject from outside."""
    try:
        edition = compile_issue(read_issue(source, name), expected.masthead)
    except UserError as error:
        return str(error)
    return "\n".join(error.message for error in edition.errors)
