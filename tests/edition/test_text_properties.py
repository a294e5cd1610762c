"""What holds for the text part of any content whatsoever."""

# ruff: noqa: RUF001 - full-width punctuation is meant

from __future__ import annotations

import re
import unicodedata
from html import escape

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from mailer.edition.text import TextFrame, render_text
from mailer.edition.text.measure import columns
from mailer.edition.text.wrap import pieces

TOKEN = "mf0123456789abcdefx"
WORDS = ("kiosk", "Ünder", "weather", "naïve", "שלום", "مرحبا", "नमस्ते", "x", "2020", TOKEN)
URLS = (
    "https://example.org",
    "https://example.org/" + "path-of/" * 12,
    "https://example.org/a/b?c=d&e=f#g-h-i",
)
INLINE = ("strong", "em", "del", "code", "mark", "b", "i", "span")
BLOCK = ("p", "h2", "h3", "ul", "ol", "blockquote", "div", "pre", "dl", "figure", "table", "section")

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join).map(lambda text: f" {text} ")
leaves = (
    texts | st.just("<br>") | st.sampled_from(URLS).map(lambda url: f'<a href="{escape(url)}"> link </a>')
)


def _markup(tag: str, children: list[str]) -> str:
    """Give an element; lists, tables and the like get their own kind of children."""
    if tag in ("ul", "ol"):
        children = [f"<li>{child}</li>" for child in children]
    elif tag == "dl":
        children = [f"<dt>{child}</dt><dd>meaning</dd>" for child in children]
    elif tag == "table":
        children = [f"<tr><td>{child}</td><td>cell</td></tr>" for child in children]
    return f"<{tag}>{''.join(children)}</{tag}>"


runs = st.recursive(
    leaves,
    lambda inner: st.builds(_markup, st.sampled_from(INLINE), st.lists(inner, max_size=3)),
    max_leaves=6,
)
blocks = st.recursive(
    runs, lambda inner: st.builds(_markup, st.sampled_from(BLOCK), st.lists(inner, max_size=4)), max_leaves=20
)
contents = st.lists(blocks, max_size=5).map(
    lambda children: html.fragment_fromstring("".join(children), create_parent="div")
)
FRAME = TextFrame(title="Any title", unsubscribe=("Leave", TOKEN), token_widths={TOKEN: 30})


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text))


def _in_order(wanted: list[str], given_words: list[str]) -> bool:
    rest = iter(given_words)
    return all(word in rest for word in wanted)


@given(contents)
@settings(max_examples=100, deadline=None)
def test_no_word_is_lost(content: html.HtmlElement):
    """Every word of the tree stands in the text, in the tree's order."""
    wanted = _words(" ".join(map(str, content.itertext())))
    assert _in_order(wanted, _words(render_text(content, FRAME)))


@given(contents)
@settings(max_examples=100, deadline=None)
def test_every_link_is_there_and_whole(content: html.HtmlElement):
    """Each URL of the tree stands unbroken on one line."""
    text = render_text(content, FRAME)
    for link in content.iter("a"):
        ends = rf"(?:<{re.escape(link.get('href'))}>|\] {re.escape(link.get('href'))}$)"
        assert re.search(ends, text, re.MULTILINE)


@given(contents)
@settings(max_examples=100, deadline=None)
def test_lines_are_clean_and_narrow(content: html.HtmlElement):
    """No line ends in a space but the signature's, none holds a mark, none without a URL or code is too wide."""
    lines = render_text(content, FRAME).split("\n")
    assert lines.pop() == ""
    assert [line for line in lines if line != line.rstrip()] == ["-- "]
    assert not re.search("[\x00-\x09\x0b-\x1f]", "".join(lines))
    seen = [line.replace(TOKEN, "x" * 30) for line in lines if "://" not in line]
    if content.find(".//pre") is None:
        assert max(map(columns, seen)) <= 76


@given(contents)
@settings(max_examples=50, deadline=None)
def test_no_blank_run_is_longer_than_two(content: html.HtmlElement):
    """Two blank lines open a section; nothing leaves a hole."""
    text = render_text(content, FRAME)
    if content.find(".//pre") is None:
        assert "\n\n\n\n" not in text
    assert not text.startswith("\n")


@given(st.text(alphabet="今天天，。（）「」っーabc1.()<*\u0301\u200d👩", max_size=60))
def test_pieces_of_a_word_are_the_word(word: str):
    """Cutting for the line's end loses nothing, and never parts a mark from its letter."""
    cut = pieces(word)
    assert "".join(cut) == word
    assert all(not piece.startswith(tuple("，。）」っー\u0301\u200d")) for piece in cut[1:])
    assert all(not piece.endswith(tuple("（「")) for piece in cut[:-1])


@given(st.text(max_size=200))
@settings(deadline=None)
def test_any_text_is_taken(text: str):
    """Whatever characters a paragraph holds, control characters and surrogates among them, a text comes out."""
    paragraph = html.Element("p")
    paragraph.text = "".join(
        character for character in text if unicodedata.category(character) not in ("Cc", "Cs")
    )
    out = render_text(html.fragment_fromstring("<div></div>"), TextFrame(title=text))
    assert "\x00" not in out
    out = render_text(paragraph, TextFrame())
    assert out.endswith("\n")


def test_deep_nesting_is_bounded():
    """A tree deeper than any mail costs neither the stack nor much time, and keeps its words."""
    content = deepest = html.Element("div")
    for _ in range(5000):
        deepest.append(child := html.Element("blockquote"))
        deepest = child
    deepest.text = "bottom"
    assert "bottom" in render_text(content, TextFrame())


def test_wide_and_long_tables_stay_small():
    """A row of thousands of cells beside thousands of rows does not multiply."""
    markup = "<tr>" + "<td>a</td>" * 20_000 + "</tr>" + "<tr><td>b</td></tr>" * 20_000
    content = html.fragment_fromstring(f"<div><table>{markup}</table></div>")
    assert render_text(content, TextFrame()).count("a") == 20_000
