"""Subjects, titles and preheaders in plain words: marks and tags go, and whatever only looks like one stays."""

from __future__ import annotations

import pytest
from reading import read

from mailer.issue.prose import decoded, plain
from mailer.issue.read import read_issue

KEPT = {
    "an inequality": "Why a<b matters to all of us",
    "a type": "Use List<String> and Map<K, V> in Java",
    "a placeholder": "Dear <your name>, open <filename>",
    "an element in bare words": "The <header> of a page and its <dialog>",
    "a heart": "We <3 you",
    "a footnote's star": "The A* search",
    "stars inside words": "A*STAR and B*TREE and C*D",
    "sums": "5*3*2 is 30 and 2**3 is 8",
    "names": "snake_case and _private",
    "places in a table": "cell[i][j] of it",
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_what_only_looks_like_markup_stays(text):
    """In a heading, in front matter and in the first words of an issue."""
    assert plain(text) == decoded(text) == text
    assert read_issue(f"# {text}\n\nHello.".encode(), "a.md").subject == text
    assert read(f"{text}, and so we all went home again.").preheader.startswith(text)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("**Bold *and* so** on, ***all*** of _it_, ~~gone~~", "Bold and so on, all of it, gone"),
        ("5 \\* 3, `<dialog>`, `**kwargs` and ``a`b``", "5 * 3, <dialog>, **kwargs and a`b"),
        ("`&lt;` and `a_b_` \\<b\\>", "&lt; and a_b_ <b>"),
        ("Write to <me@a.example>", "Write to me@a.example"),
        ("[Words](https://a.example/) and [more][1]![x](y.png)", "Words and more"),
        ("<td>one</td><td>two</td>", "one two"),
        ("<p>One <b>bold</b> word<p>and an end that is <i>cu", "One bold word and an end that is cu"),
        ('One<br/>two <img src="https://a.exam', "One two"),
        ("&lt;p&gt;Escaped&lt;/p&gt; &amp;amp; twice", "Escaped & twice"),
        ("The &lt;b&gt; element", "The <b> element"),
        ("One<!-- two -->", "One"),
    ],
)
def test_markup_goes_and_its_words_stay(source, words):
    """As the body of the mail would show them."""
    assert plain(source) == words


def test_a_title_keeps_what_its_code_holds():
    """Front matter is no Markdown: the marks stay, and with them what stands between."""
    assert decoded("Why `<b>` and `&lt;i&gt;` matter") == "Why `<b>` and `<i>` matter"


@pytest.mark.parametrize(
    "piece", ["<", "<a ", '<a "', "</a>", "`", "`a``", "*a ", "_a ", "_a_a", "[", "^[", "\\", "<a@"]
)
def test_prose_of_nothing_but_signs_ends_soon(piece):
    """A quarter of a megabyte takes a time that grows with its size alone."""
    text = piece * (250_000 // len(piece))
    assert len(plain(text)) <= len(text)
    assert len(decoded(text)) <= len(text)


def test_a_character_of_thousands_of_digits_is_none():
    """`int` refuses them: it is the sign of an unknown character, in titles, preheaders and bodies."""
    character = f"&#{'1' * 5_000};"
    assert plain(f"a {character} b") == decoded(f"a {character} b") == "a \ufffd b"
    issue = read_issue(f"---\ntitle: a {character}\n---\n\nb {character}\n".encode(), "letter.md")
    assert (issue.title, issue.preheader) == ("a \ufffd", "b \ufffd")
