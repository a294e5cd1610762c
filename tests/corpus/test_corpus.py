# ruff: noqa: RUF001 - subjects in many scripts
"""Every issue of a folder of real ones becomes a mail that keeps the rules of every mail.

MAILER_CORPUS names the folder; without it the example newsletter stands in for it. A file without a
subject is compiled with one from outside, as `--subject` would give it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailer.edition.compile import compile_issue
from mailer.edition.model import Masthead
from mailer.issue.read import read_issue
from tests.corpus import rules

ROOT = Path(__file__).parent.parent.parent
CORPUS = os.environ.get("MAILER_CORPUS")
FOLDER = Path(CORPUS) if CORPUS else ROOT / "examples" / "slack-water" / "issues"
ISSUES = sorted(
    path for path in FOLDER.rglob("*") if path.suffix in (".md", ".markdown", ".mdx", ".txt", ".html")
)
MASTHEAD = Masthead(base_url="https://corpus.example.org/", postal_address="1 Quay Street")

# What is known of single files of the corpus: number, and the subject or how it begins. None: it has no subject.
KNOWN: dict[str, tuple[int | None, str | None]] = {
    "last-week-in-ai-72.md": (72, "Last Week in AI #72"),
    "import-ai-165.md": (165, "Import AI 165: 100,000 generated faces"),
    "import-ai-97.md": (97, "Import AI #97： Faking Obama"),
    "thursday-keynotes.md": (None, "Thursday afternoon keynotes: on deep learning and deep fakes"),
    "the-batch.txt": (None, None),
    "071-the-bell-on-the-bar.md": (71, "The bell on the bar"),
    "072-the-rule-of-twelfths.md": (72, "The rule of twelfths"),
    "073-maa-al-nakhl.md": (73, "ماءُ النخيل"),
    "074-das-tor-im-deich.md": (74, "Das Tor im Deich"),
}


def compiled(path: Path, subject: str | None = None) -> rules.Mail:
    """Compile one file as `mailer compile` does."""
    return rules.Mail.of(compile_issue(read_issue(path.read_bytes(), path.name, subject=subject), MASTHEAD))


def with_a_subject(path: Path) -> rules.Mail:
    """Compile a file, with a subject from outside where it has none."""
    mail = compiled(path)
    return mail if rules.filled(mail.edition.subject).strip() else compiled(path, "A subject from outside")


def test_the_corpus_is_there():
    """A MAILER_CORPUS without issues in it is a mistake, not a success."""
    assert ISSUES, f"no issue in {FOLDER}"


@pytest.mark.parametrize("path", ISSUES, ids=lambda path: path.name)
def test_an_issue_of_the_corpus_keeps_the_rules_of_every_mail(path):
    """An issue of the corpus loses no sentence and no link, and keeps no residue of its dialect."""
    wrong = rules.broken(with_a_subject(path), path.read_bytes())
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", [path for path in ISSUES if path.name in KNOWN], ids=lambda path: path.name)
def test_a_known_issue_has_its_number_and_its_subject(path):
    """The number and the subject are found where their author put them; where there are none, one is asked for."""
    number, begins = KNOWN[path.name]
    mail = compiled(path)
    assert mail.edition.number == number
    if begins is None:
        assert any("--subject" in error.message for error in mail.edition.errors)
        assert compiled(path, "The letter").edition.errors == ()
    else:
        assert rules.filled(mail.edition.subject).startswith(begins)
        assert mail.edition.errors == ()
