"""No bytes do harm: reading ends in an issue or a UserError, soon, and the lines always add up."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.errors import UserError
from mailer.issue.merge import tokens
from mailer.issue.read import read_issue

if TYPE_CHECKING:
    from mailer.issue.model import Issue

PIECES = (
    "---\n",
    "+++\n",
    "title: x\n",
    "a: [",
    "{",
    "}",
    "{{ subscriber.name }}",
    "{{",
    "}}",
    "{%",
    "%}",
    "{{<",
    ">}}",
    "**",
    "*",
    "`",
    "```\n",
    "~~~\n",
    "> ",
    "    ",
    "\n",
    "\n\n",
    "![",
    "[[",
    "]]",
    "](",
    ")",
    "<!--",
    "-->",
    "<pre>",
    "</pre>",
    "<Foo ",
    "/>",
    ":::",
    ":::note\n",
    "\u00a0\u00a0",
    "&nbsp;",
    "A b: ",
    "word ",
    "字",
    "م",
    "#",
    "####",
    "$$$$$$",
    "\x00",
    "\u2028",
    "\ufdd0",
    "\ufddd",
    "\r",
    "\t",
    "|",
    "{: .x}",
    "%%",
    "==",
    ":tada:",
    "[caption]",
    "[/caption]",
    "https://youtu.be/abcdefghijk",
    "{% raw %}",
    "{% endraw %}",
    "…",
    "1. ",
    "- ",
)


def check(source: bytes) -> Issue | None:
    """Read, and look at what must hold of every issue."""
    try:
        issue = read_issue(source, "letter.md")
    except UserError:
        return None
    assert len(issue.lines) == issue.body.count("\n") + 1
    last = source.count(b"\n") + source.count(b"\r") + 1
    assert all(1 <= line <= max(last, 1) for line in issue.lines)
    assert "\n" not in issue.subject
    assert len(issue.preheader) <= 140
    assert not any("\ufdd0" <= char <= "\ufdef" for char in issue.body + issue.subject + issue.preheader)
    assert set(tokens(issue.body)) <= {field.token for field in issue.merge_fields}
    return issue


@given(st.binary(max_size=400))
def test_random_bytes_are_read_or_refused(source: bytes):
    """Any bytes give an issue or a UserError."""
    check(source)


@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
@settings(max_examples=300)
def test_random_markup_is_read(text: str):
    """Any mixture of the dialects' signs gives an issue or a UserError."""
    check(text.encode("utf-8", "surrogatepass"))


@given(st.text(alphabet=st.characters(), max_size=300))
def test_random_text_is_read(text: str):
    """Any text, lone surrogates included, gives an issue or a UserError."""
    check(text.encode("utf-8", "surrogatepass"))


@given(
    st.lists(
        st.sampled_from(["Ein Satz.", "", "- Punkt", "> Zitat", "字字字", "# Titel", "|a|b|"]), max_size=30
    )
)
def test_untouched_lines_keep_their_numbers(lines: list[str]):
    """A line that no pass changes is found in the file at the number it says."""
    source = ["---", "title: x", "---", *lines]
    issue = check("\n".join(source).encode())
    assert issue is not None
    for number, line in zip(issue.lines, issue.body.split("\n"), strict=True):
        if line:
            assert source[number - 1] == line


BOMBS = {
    "YAML nesting": b"---\na: " + b"[" * 90_000 + b"\n---\n",
    "YAML aliases": b"---\na: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n---\n",
    "TOML nesting": b"+++\na = " + b"[" * 50_000 + b"\n+++\n",
    "JSON nesting": b'{"a":' + b"[" * 90_000,
    "TOML digits": b"+++\na = " + b"1" * 5_000 + b"\n+++\n",
    "JSON digits": b'{"a": ' + b"1" * 5_000 + b"}\n",
    "lines": b"\n" * 200_000,
    "controls": bytes(range(32)) * 400,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused(name: str):
    """What would cost memory, stack or time is a UserError."""
    with pytest.raises(UserError):
        read_issue(BOMBS[name], "bomb.md")


@pytest.mark.parametrize(
    "piece",
    ["![](", "**", "{{", "{% raw %}", "<!--", "[[", "\t", "\u00a0 ", "> " * 40 + "\n", "A b:", "`", "<Foo>"],
)
def test_repeated_openings_end_soon(piece: str):
    """A quarter of a megabyte of openings is read in a time that grows with its size alone."""
    with contextlib.suppress(UserError):
        read_issue((piece * (250_000 // len(piece.encode()))).encode(), "letter.md", subject="x")


def test_deep_quotes_are_read():
    """Ten thousand nested quotes are no trouble here; the edition limits their depth."""
    assert check(b"> " * 10_000 + b"x") is not None
