"""mailer compile: any Markdown file becomes HTML, text and a sample message."""

from __future__ import annotations

import email
import email.policy
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ISSUE = """---
title: "Tide Table #72: Slack water"
date: 2026-07-14
---

A first paragraph with a [link](https://tides.example.com/a) and **bold** words.

![A quay](https://tides.example.com/quay.png)
"""


@pytest.fixture
def issue(tmp_path: Path) -> Path:
    """A sound issue in a folder that is no newsletter."""
    (tmp_path / "issues").mkdir()
    file = tmp_path / "issues" / "072-slack-water.md"
    file.write_text(ISSUE)
    return file


def test_a_file_compiles_without_a_newsletter(cli, issue, tmp_path):
    """No mailer.toml, no database, no secret: the object names the issue and the three files."""
    ended = cli("compile", "issues/072-slack-water.md", "--out", "out", "--json")
    assert ended.code == 0, ended.err
    told = ended.json
    assert told["issue"] == {
        "number": 72,
        "slug": "072-slack-water",
        "subject": "Tide Table #72: Slack water",
        "preheader": told["issue"]["preheader"],
        "date": told["issue"]["date"],
        "language": "en",
    }
    assert told["issue"]["date"].startswith("2026-07-14")
    assert told["issue"]["preheader"].startswith("A first paragraph")
    assert (told["links"], told["images"]) == (1, 1)
    assert not (tmp_path / ".mailer").exists()


def test_the_files_are_what_a_reader_would_get(cli, issue, tmp_path):
    """HTML and text are the two parts of the sample message, which a mail program can open."""
    told = cli("compile", "72", "--out", "out", "--json").json
    octets = (tmp_path / told["files"]["eml"]).read_bytes()
    message = email.message_from_bytes(octets, policy=email.policy.SMTP)
    assert message["Subject"] == "Tide Table #72: Slack water"
    html = (tmp_path / told["files"]["html"]).read_text()
    text = (tmp_path / told["files"]["text"]).read_text()
    assert message.get_body(("html",)).get_content().replace("\r\n", "\n") == html
    assert message.get_body(("plain",)).get_content().split() == text.split()
    assert not any(line.endswith(" ") for line in text.splitlines() if line != "-- ")
    assert "https://tides.example.com/a" in html
    assert "https://tides.example.com/a" in text
    assert told["html_bytes"] == len(html.encode())


def test_compiling_twice_gives_the_same_octets(cli, issue, tmp_path):
    """The same issue is the same mail."""
    first = cli("compile", "72", "--out", "one", "--json").json["files"]
    second = cli("compile", "72", "--out", "two", "--json").json["files"]
    for kind in ("html", "text", "eml"):
        assert (tmp_path / first[kind]).read_bytes() == (tmp_path / second[kind]).read_bytes()


def test_an_issue_without_a_title_asks_for_a_subject(cli, tmp_path):
    """The error names --subject; with it the issue compiles."""
    (tmp_path / "letter.txt").write_text("Dear all,\n\nthe tide is out.\n")
    ended = cli("compile", "letter.txt", "--json", "--out", "out")
    assert ended.code == 1
    assert "--subject" in ended.json["error"]
    assert ended.json["problems"][0]["file"] == "letter.txt"
    ended = cli("compile", "letter.txt", "--json", "--out", "out", "--subject", "Low tide")
    assert (ended.code, ended.json["issue"]["subject"]) == (0, "Low tide")


def test_findings_are_told_with_file_and_line(cli, tmp_path):
    """For people as compilers do, and the command ends with 1."""
    (tmp_path / "a.md").write_text("---\ntitle: T\n---\n\nSee ![x](pic.png)\n")
    ended = cli("compile", "a.md", "--out", "out")
    assert ended.code == 1
    assert "a.md:5: error:" in ended.out


def test_the_environment_says_where_relative_links_lead(cli, tmp_path, monkeypatch):
    """MAILER_BASE_URL counts without a newsletter too."""
    monkeypatch.setenv("MAILER_BASE_URL", "https://tides.example.com/")
    (tmp_path / "a.md").write_text("---\ntitle: T\n---\n\nSee ![x](/pic.png)\n")
    told = cli("compile", "a.md", "--out", "out", "--json").json
    assert "https://tides.example.com/pic.png" in (tmp_path / told["files"]["html"]).read_text()


def test_several_issues_are_one_object_each(cli, issue, tmp_path):
    """In the order of the words; equal slugs do not overwrite each other."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "072-slack-water.md").write_text("---\ntitle: Other\n---\n\nText.\n")
    ended = cli("compile", "72", "other/072-slack-water.md", "--out", "out", "--json")
    assert [line["issue"]["subject"] for line in ended.lines] == ["Tide Table #72: Slack water", "Other"]
    assert len({line["files"]["html"] for line in ended.lines}) == 2


def test_a_name_that_another_file_took_is_passed_over(cli, tmp_path):
    """The third file would be called a-3, as the first one is: it gets the next number."""
    for file in ("a-3.md", "a.md", "other/a.md"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("---\ntitle: One\n---\n\nText.\n")
    ended = cli.process("compile", "a-3.md", "a.md", "other/a.md", "--out", "out", "--json", timeout=30)
    assert [Path(line["files"]["html"]).stem for line in ended.lines] == ["a-3", "a", "a-4"]


def test_a_slug_may_be_longer_than_a_files_name(cli, tmp_path):
    """A hundred characters of three octets each are cut where a character ends."""
    (tmp_path / "a.md").write_text(f"---\ntitle: One\nslug: {'潮' * 100}\n---\n\nText.\n")
    ended = cli("compile", "a.md", "--out", "out", "--json")
    assert ended.code == 0, ended.err
    assert Path(ended.json["files"]["html"]).name == f"{'潮' * 66}.html"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "which issue"),
        (("nope.md",), "nope.md"),
        (("99",), "99"),
        (("9..1",), "range"),
        (("issues",), "issues"),
        (("72", "issues/072-slack-water.md", "--subject", "S", "--list", "x"), None),
    ],
)
def test_what_cannot_be_found_is_bad_input(cli, issue, words, said):
    """Exit 2 with a sentence; the same file named twice is one file."""
    ended = cli("compile", *words)
    if said is None:
        assert ended.code == 0
    else:
        assert ended.code == 2
        assert said in ended.err


def test_in_a_newsletter_the_list_dresses_the_issue(cli, newsletter):
    """Footer, sender and base URL are the list's."""
    (newsletter / "issues" / "1-one.md").write_text("---\ntitle: One\n---\n\nText.\n")
    told = cli("compile", "1", "--out", "out", "--json").json
    assert "1 Example Street" in (newsletter / told["files"]["html"]).read_text()
    assert "news@example.org" in (newsletter / told["files"]["eml"]).read_text()


def test_of_two_lists_none_is_guessed(cli, newsletter):
    """The error lists them; --list decides."""
    toml = newsletter / "mailer.toml"
    toml.write_text(toml.read_text() + "\n[lists.other]\nissues = 'other/*.md'\n")
    (newsletter / "stray.md").write_text("---\ntitle: Stray\n---\n\nText.\n")
    ended = cli("compile", "stray.md", "--out", "out")
    assert ended.code == 2
    assert "main, other" in ended.err
    assert cli("compile", "stray.md", "--out", "out", "--list", "other").code == 0


def test_compile_needs_no_database_module(issue, tmp_path):
    """Nothing of SQLAlchemy is loaded, nor lxml into the process that speaks."""
    code = (
        "import sys; from mailer.cli import run; code = run(['compile', '72', '--out', 'out']);"
        "sys.exit(code or sorted({'sqlalchemy', 'lxml', 'mjml', 'markdown_it'} & set(sys.modules)) or 0)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert ended.returncode == 0, ended.stderr
