"""Texts whose structure was lost: plain text, feed bots, converters from HTML."""

# ruff: noqa: RUF001, E501 - the samples are written as authors write, and a line of them is a line

from __future__ import annotations

import pytest
from reading import read

from mailer.issue.read import read_issue

LONG = "The workshop opened its doors again this week, and more people came than we had chairs for, which was a joy. "
LETTER = f"""Dear all,
{LONG}
For a while we asked:
- Who brings chairs?
- Who brings tea?
{LONG * 2}
See you soon!
Mara
Garden News
Roses in Winter
{LONG}
What’s new: {LONG}
Yes, but: it is cold.
Tools and Toys
{LONG}Write to mara@garden.example.
"""


def test_plain_text_has_its_structure_found():
    """Sections, articles, paragraphs, lists that end, labels, a signature and mail addresses are told apart."""
    lines = read_issue(LETTER.encode(), "letter.txt", subject="Letter").body.split("\n")
    assert [line for line in lines if line.startswith("#")] == [
        "## Garden News",
        "### Roses in Winter",
        "### Tools and Toys",
    ]
    assert "Mara" in lines
    after_list = lines.index("- Who brings tea?") + 1
    assert lines[after_list] == ""
    assert lines[after_list + 1].startswith("The workshop")
    assert any(line.startswith("<strong>What’s new:</strong> The") for line in lines)
    assert "<strong>Yes, but:</strong> it is cold." in lines
    assert any("<mara@garden.example>" in line for line in lines)


def test_plain_text_keeps_every_word():
    """Nothing is reworded or left out."""
    issue = read_issue(LETTER.encode(), "letter.txt", subject="Letter")
    body = issue.body
    for sign in ("<strong>", "</strong>", "<", ">"):
        body = body.replace(sign, "")
    body = body.replace("#", " ").replace("-", " ")
    assert body.split() == LETTER.replace("-", " ").split()


@pytest.mark.parametrize(
    "line",
    [
        "-5 degrees tonight",
        "+49 30 1234567 is our number",
        "*Important* news for all",
        "*2024 figures",
        "-- Mara",
        "+1 for this",
    ],
)
def test_a_sign_that_belongs_to_its_word_makes_no_item(line):
    """A minus, a plus, the stars of a word."""
    body = read_issue(f"Dear all,\n\n{line}\n\n{LONG}\n".encode(), "letter.txt", subject="Letter").body
    assert [each.removeprefix("## ") for each in body.split("\n") if each][1] == line


@pytest.mark.parametrize(
    "line", ["- a word", "-a word", "* a word", "*a word", "+ a word", "• a word", "– a word"]
)
def test_a_sign_before_a_word_makes_an_item(line):
    """With a space, or without one where it can mean nothing else."""
    assert "\n- a word\n" in read_issue(f"We ask:\n\n{line}\n\n{LONG}\n".encode(), "a.txt", subject="x").body


@pytest.mark.parametrize("line", ["---", "-----", "- - -", "* * *", "_______"])
def test_a_drawn_line_is_a_line(line):
    """And no item of dashes."""
    assert "\n\n***\n\n" in read_issue(f"One.\n\n{line}\n\n{LONG}\n".encode(), "a.txt", subject="x").body


def test_signs_of_plain_text_are_no_markup():
    """Markdown would take the stars of a product, and a backslash before a sign."""
    body = read_issue(f"2*3*4 is 24 \\_o_/ {LONG}\n".encode(), "a.txt", subject="x").body
    assert body.startswith("2\\*3\\*4 is 24 \\\\_o_/ ")


def test_plain_text_in_chinese():
    """A short line without a full stop above a paragraph is a heading in any script."""
    text = (
        "大家好，\n"
        + "我们的花园又开放了，来的人比椅子还多，大家都很高兴。" * 6
        + "\n冬天的玫瑰\n"
        + "玫瑰在雪里开花。" * 20
    )
    body = read_issue(text.encode(), "letter.txt", subject="信").body
    assert "## 冬天的玫瑰\n" in body


def test_feed_lines_are_paragraphs():
    """Long lines without blank lines between them are paragraphs; a title and its subtitle are parted from the text."""
    body = read(
        f"Roses bloom in snow:&hellip;And nobody knows why&hellip;Gardeners say so. {LONG * 3}\n"
        f"Why this matters: {LONG * 3}&nbsp;&nbsp;&nbsp;Read more: the almanac.\n####################\n{LONG * 4}"
    ).body
    assert (
        "<strong>Roses bloom in snow:</strong><br><em>…And nobody knows why…</em>\n\nGardeners say so."
        in body
    )
    assert "\n\n<strong>Why this matters:</strong> The workshop" in body
    assert "\n\n<strong>Read more:</strong> the almanac." in body
    assert "\n***\n" in body


def test_a_truncated_feed_leads_to_its_full_text():
    """A body that breaks off has `link:` as the address of the whole; a whole body has it as its own address."""
    front = "---\ntitle: Roses\nlink: https://garden.example/roses\n---\n"
    cut = read_issue(f"{front}The roses are in full a…\n".encode(), "a.md")
    whole = read_issue(f"{front}The roses are in full bloom.\n".encode(), "a.md")
    assert (cut.more_url, cut.canonical) == ("https://garden.example/roses", None)
    assert (whole.more_url, whole.canonical) == (None, "https://garden.example/roses")


def test_bold_turned_inside_out_is_set_right():
    """Labels and titles become bold again, lost line breaks come back, no star is left."""
    body = read(
        "**Roses bloom in snow:***…And nobody knows why…***Gardeners at the old mill have seen roses in the snow, and they tell all "
        "who ask. \u00a0\u00a0How:** They cover the ground. **\u00a0\u00a0 Results: **The roses bloom.****Harder than it looks:** Snow melts "
        "at *noon* or **late** in the day. \u00a0\u00a0Read more:** [The almanac](https://garden.example/a)."
    ).body
    assert "*" not in body
    assert "<strong>Roses bloom in snow:</strong><br><em>…And nobody knows why…</em>" in body
    for label in ("How:", "Results:", "Harder than it looks:", "Read more:"):
        assert f"\n\n<strong>{label}</strong> " in body
    assert "at <em>noon</em> or <strong>late</strong> in" in body


def test_single_hard_spaces_break_no_line():
    """A hard space inside a sentence is a space, as in French."""
    text = "Une belle histoire\u00a0: le jardin " * 8
    assert "\n" not in read(text).body.strip()
