"""What check reports: each rule has an issue that breaks it and one that does not."""

from __future__ import annotations

import pytest

GOOD = """---
title: The tide tables
preheader: A harbour master finds eleven minutes.
---

It began with a boat that would not float, and a harbour master who kept his own book.

## What we found

See [the log of the north pier](https://a.example/log), and ![a chart](https://a.example/chart.png)
"""


def test_a_good_issue_has_no_findings(mail):
    """Silence is what makes a finding worth reading."""
    assert mail(GOOD, subject=None).edition.findings == ()


@pytest.mark.parametrize(
    ("source", "rule", "level"),
    [
        ("Read it [here](https://a.example)", "link-generic", "info"),
        ("[the log](https://bit.ly/x)", "link-shortener", "warning"),
        ("[bank.example](https://thief.example)", "link-mismatch", "warning"),
        ("[the log](http://a.example)", "link-http", "info"),
        ("![](https://a.example/x.png)", "alt-missing", "warning"),
        ("![IMG_2031.jpg](https://a.example/x.png)", "alt-missing", "warning"),
        ("![x](https://a.example/x.svg)", "img-format", "warning"),
        ("Text\n\n## Empty\n\n## Next\n\nText", "empty-section", "warning"),
        ("## A\n\nx\n\n#### B\n\nx\n\n## C\n\n### D\n\nx", "heading-order", "info"),
        ("|a|b|c|d|e|\n|-|-|-|-|-|\n|1|2|3|4|5|", "table-wide", "info"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "table-head", "info"),
        ("TODO write this", "placeholder", "warning"),
        ("Dear [Your Name],", "placeholder", "warning"),
        ("Broken \ufffd here", "c1-chars", "error"),
        ("Turn \u202egnp.exe\u202c", "bidi-control", "warning"),
        ("> !!! note\n>     Of a generator", "residue", "warning"),
        ("??? question \u201cWhy?\u201d", "residue", "warning"),
        ("See attached.", "attach-word", "info"),
        ("![x](data:image/png;base64,AAAA)", "img-src", "warning"),
        ("<form><input></form>Text", "html-active", "warning"),
        ("", "body-empty", "error"),
        ("word " * 25_000, "size-clip", "error"),
        ("a" * 70, "word-long", "info"),
    ],
)
def test_what_is_wrong_is_found(source, rule, level, mail):
    """With its level: an error stops a send, the rest is for the author to weigh."""
    assert rule in mail(source).rules(level)


@pytest.mark.parametrize(
    ("masthead", "rule"),
    [
        ({"postal_address": ""}, "postal-address"),
        ({"list_name": "", "sender_name": ""}, "list-name"),
        ({"theme": {"ink": "#c0c0c0"}}, "contrast"),
        ({"theme": {"paper": "#ffffff"}}, "dark-colors"),
        ({"subject": "Hi"}, "subject-len"),
        ({"subject": "x" * 120}, "subject-len"),
    ],
)
def test_the_frame_is_checked_too(masthead, rule, mail):
    """Settings make mails bad as well as words do."""
    assert rule in mail(GOOD.replace("title: The tide tables\n", ""), **masthead).rules()


def test_text_in_another_script_than_its_language(mail):
    """Screen readers would read it aloud in the wrong one."""
    assert "lang-dir" in mail("---\nlang: en\n---\n一切始于一条浮不起来的船").rules("warning")


def test_code_may_hold_anything(mail):
    """Braces and stars in code are no residue."""
    source = GOOD + "\n`{% raw %} **x** [[y]] TODO`\n\n```\n{% x %} {: .y} [^z]\n```\n"
    assert mail(source, subject=None).edition.findings == ()


def test_marks_of_wonder_are_no_residue(mail):
    """Nor of surprise."""
    assert mail(GOOD + "\n!!! WOW\n\n??? really\n", subject=None).edition.findings == ()


def test_a_template_without_a_way_out_is_an_error(mail, tmp_path):
    """G10: a clearly visible unsubscribe link stands in the body."""
    from mailer import resources

    ours = (resources.templates_dir() / "email" / "default.mjml.j2").read_text()
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "default.mjml.j2").write_text(
        ours.replace("{{ frame.unsubscribe }}", "https://a.example")
    )
    assert "unsubscribe-link" in mail(GOOD, templates=tmp_path).rules("error")
