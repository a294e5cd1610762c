"""Tables in the text part."""

from __future__ import annotations

from lxml import html

from mailer.edition.text import TextFrame, render_text

HEAD = "<tr><th>Name</th><th>Price</th></tr>"


def table(rows: str, attributes: str = "") -> list[str]:
    """Give the lines of a table."""
    content = html.fragment_fromstring(f"<div><table {attributes}>{rows}</table></div>")
    return render_text(content, TextFrame()).removesuffix("\n").split("\n")


def test_columns_line_up_by_what_is_seen():
    """An ideograph takes two columns; figures stand to the right."""
    assert table(HEAD + "<tr><td>中文</td><td>1,200 €</td></tr><tr><td>Pear</td><td>3 €</td></tr>") == [
        "Name    Price",
        "----  -------",
        "中文  1,200 €",
        "Pear      3 €",
    ]


def test_wide_table_becomes_records():
    """A row that does not fit the page is told cell by cell, under its column's name."""
    words = "word " * 20
    assert table(HEAD + f"<tr><td>Pear</td><td>{words}</td></tr><tr><td>Fig</td><td></td></tr>") == [
        "Name: Pear",
        "Price: " + "word " * 12 + "word",
        "  " + "word " * 6 + "word",
        "",
        "Name: Fig",
    ]


def test_wide_table_without_head_keeps_its_cells():
    """No name is made up for a column that has none."""
    words = ("word " * 16).strip()
    assert table(f"<tr><td>Pear</td><td>{words}</td></tr>") == [
        "Pear",
        ("word " * 14 + "word").strip(),
        "  word",
    ]


def test_links_in_tables_are_numbered():
    """Even a short URL would push the columns off the page."""
    assert table('<tr><td><a href="https://x.org">a</a></td><td>b</td></tr>') == [
        "a [1]  b",
        "",
        "[1] https://x.org",
    ]


def test_spans_keep_the_columns():
    """A cell over two rows or columns leaves the places free that it covers."""
    rows = (
        '<tr><td rowspan="2">a</td><td>b</td><td>c</td></tr><tr><td>d</td><td>e</td></tr>'
        '<tr><td colspan="2">f</td><td>g</td></tr>'
    )
    assert table(rows) == ["a  b  c", "   d  e", "f     g"]


def test_layout_table_is_read_cell_by_cell():
    """A table that only places blocks is told as blocks."""
    rows = "<tr><td><h2>A</h2><p>one</p></td><td><ul><li>two</li></ul></td></tr>"
    assert table(rows) == ["A", "-", "", "one", "", "- two"]
    assert table("<tr><td>a</td><td>b</td></tr>", 'role="presentation"') == ["a", "", "b"]


def test_caption_stands_above():
    """The caption is the table's first line."""
    assert table("<caption>Fruit</caption><tr><td>a</td><td>b</td></tr>") == ["Fruit", "", "a  b"]


def test_huge_spans_ask_for_nothing():
    """A span is capped, and an empty column takes no room."""
    assert table('<tr><td colspan="9999" rowspan="9999">a</td></tr><tr><td>b</td></tr>') == ["a", "", "b"]
