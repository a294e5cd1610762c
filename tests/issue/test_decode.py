"""Bytes become text, whatever wrote them, and every repair is reported."""

# ruff: noqa: RUF001 - the samples are written in the languages that readers use

from __future__ import annotations

import pytest
from reading import read, rules

from mailer.issue.read import read_issue

TEXT = "# Straße und Café\n\nDas ist „schön“, sagt Zoë.\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_western_encodings_are_recognised(encoding: str):
    """The same text comes out of every encoding that a Western editor saves."""
    issue = read_issue(TEXT.encode(encoding), "a.md")
    assert issue.body == TEXT.strip()
    assert issue.title == "Straße und Café"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Привет, читатели! Сегодня мы пишем о розах, которые цветут зимой в нашем саду."),
        ("gb18030", "大家好，我们的花园又开放了，来的人比椅子还多，大家都很高兴，我们也很高兴。"),
        ("shift_jis", "こんにちは。今週も庭園の便りをお届けします。冬のバラについて書きました。"),
        ("cp1255", "שלום לקוראים, השבוע אנחנו כותבים על ורדים שפורחים בחורף בגינה שלנו."),
    ],
)
def test_other_scripts_are_detected(encoding: str, text: str):
    """A file in an old encoding is read, and its author is told to save it as UTF-8."""
    issue = read_issue(f"title: x\n\n{text}\n".encode(encoding), "a.md")
    assert issue.body == text
    assert rules(issue) == ["encoding"]


def test_a_declared_encoding_is_believed():
    """An encoding that the file names is used where detection might err."""
    issue = read_issue("---\ntitle: Ł\nencoding: iso8859-2\n---\nŁódź\n".encode("iso8859-2"), "a.md")
    assert (issue.title, issue.body) == ("Ł", "Łódź")


def test_mojibake_is_undone_outside_code():
    """Text that was decoded wrongly once is mended line by line; code stays as it is."""
    issue = read("Itâ€™s a cafÃ©.\n\n`Itâ€™s`\n")
    assert issue.body.strip() == "It’s a café.\n\n`Itâ€™s`"
    assert [(finding.rule, finding.line) for finding in issue.findings] == [("mojibake", 4)]


def test_typography_is_no_mojibake():
    """Quotes stay curly, full-width signs stay full-width, entities stay entities."""
    text = "“…” — «été» ２０２４年：好 &lt;script&gt; Привет مرحبا שלום"
    assert read(text).body.strip() == text
    assert rules(read(text)) == []


def test_c1_characters_become_what_they_stand_for():
    """U+0092 is an apostrophe in code as well, because Gmail clips a mail that holds one."""
    issue = read("It\u0092s `a\u0096b`")
    assert issue.body.strip() == "It’s `a–b`"
    assert rules(issue) == ["c1-chars"]


def test_controls_and_surrogates_go():
    """NUL, noncharacters and lone surrogates are taken out and reported; pairs of surrogates are joined."""
    issue = read_issue(
        "title: x\n\na\0b\ufddec\ud83d\ude00d\ud800e\n".encode("utf-8", "surrogatepass"), "a.md"
    )
    assert issue.body == "abc😀de"
    assert set(rules(issue)) == {"control-chars"}


def test_every_line_end_is_one():
    """CRLF, CR and LF alike end a line and are counted as editors count them."""
    issue = read_issue(b"---\r\ntitle: x\r\n---\r\na\rb\nc", "a.md")
    assert (issue.body, issue.lines) == ("a\nb\nc", (4, 5, 6))
