"""Blocks in the text part: lists, quotes, code, pictures, cards, rules."""

from __future__ import annotations

from lxml import html

from mailer.edition.text import TextFrame, render_text

LONG = "https://example.org/2020/07/the-long-way-to-the-story.html"


def body(markup: str, **frame: object) -> str:
    """Give the text of a content tree, without the newline at its end."""
    content = html.fragment_fromstring(markup, create_parent="div")
    return render_text(content, TextFrame(**frame)).removesuffix("\n")  # type: ignore[arg-type]


def test_bullets_hang():
    """A long item goes on under its own text, and short items stand close together."""
    words = "word " * 20
    assert body(f"<ul><li>{words}</li><li>b</li></ul>") == (
        "- " + "word " * 14 + "word\n  word word word word word\n- b"
    )


def test_lists_nest():
    """A nested list follows its item without a blank line; items of many lines get air."""
    assert body("<ul><li>a<ol><li>b</li><li>c</li></ol></li><li>d</li></ul>") == "- a\n  1. b\n  2. c\n- d"
    assert body("<ol><li><p>a</p><p>b</p></li><li>c</li></ol>") == "1. a\n\n   b\n\n2. c"


def test_list_set_between_items_belongs_to_the_item_before():
    """Some editors nest a list beside the item instead of in it; its text is not lost."""
    assert body("<ul><li>a</li><ul><li>b</li></ul></ul>") == "- a\n  - b"
    assert body("<ul>stray<li>a</li>too</ul>") == "stray\n\n- a\n\n  too"


def test_numbers_are_as_html_counts_them():
    """start, value, reversed and type are honoured; numbers line up at their dots."""
    assert body('<ol start="9"><li>a</li><li>b</li></ol>') == " 9. a\n10. b"
    assert body('<ol type="a"><li>a</li><li value="27">b</li></ol>') == " a. a\naa. b"
    assert body("<ol reversed><li>a</li><li>b</li></ol>") == "2. a\n1. b"
    assert body('<ol type="I" start="4"><li>a</li></ol>') == "IV. a"


def test_task_box_takes_the_place_of_the_bullet():
    """A task is ticked or not; it needs no bullet before its box."""
    assert body("<ul><li>☐ write</li><li>☑ send</li></ul>") == "☐ write\n☑ send"


def test_definitions_are_indented():
    """Terms stand out, definitions stand in."""
    assert body("<dl><dt>A</dt><dd>one</dd><dt>B</dt><dd>two</dd></dl>") == "A\n    one\n\nB\n    two"


def test_quotes_are_marked_by_depth():
    """Each level adds one mark, as mail has it."""
    markup = "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>"
    assert body(markup) == "> a\n>\n>> b"


def test_code_is_never_wrapped():
    """Code keeps its lines and its inner spaces; tabs become spaces."""
    line = "x = " + "1 + " * 30 + "1"
    assert body(f"<pre><code>{line}\n\tif y:  z<br>end\n</code></pre>") == (
        f"    {line}\n        if y:  z\n    end"
    )


def test_links_in_code_follow_it():
    """Nothing is written into code, so its links stand below it."""
    assert body('<pre>see <a href="https://x.org">x</a></pre>') == "    see x\n\n<https://x.org>"


def test_code_cannot_fake_the_signature():
    """Only our own line is `-- `."""
    assert body("<pre>-- \nx</pre>") == "    --\n    x"


def test_pictures_speak_by_their_alt_text():
    """Decoration is dropped, a described picture is named, an emoji is itself."""
    assert body('<p>a <img alt=""> b <img alt="A cat"> <img alt="🙂"></p>') == "a b [image: A cat] 🙂"


def test_section_of_pictures_is_not_empty():
    """A heading is never followed by nothing where the author set a picture."""
    assert body('<h2>Views</h2><p><img alt=""></p><h2>News</h2><p>a</p>') == (
        "Views\n-----\n\n[image]\n\n\nNews\n----\n\na"
    )


def test_figure_keeps_its_caption_close():
    """The caption stands right under its picture."""
    markup = '<figure><img alt="A cat"><figcaption>Our cat</figcaption></figure>'
    assert body(markup) == "[image: A cat]\nOur cat"


def test_linked_picture_keeps_its_link():
    """A picture that leads somewhere still does, with or without words."""
    assert body(f'<p><a href="{LONG}"><img alt="A cat"></a></p>') == f"[image: A cat] [1]\n\n[1] {LONG}"
    assert body(f'<p><a href="{LONG}"><img alt=""></a></p>') == f"<{LONG}>"


def test_card_is_one_pointer():
    """A card names its title and URL once, whatever its HTML repeats."""
    markup = (
        '<div class="card" data-kind="video" data-url="https://youtu.be/x" data-title="The film">'
        '<p class="card-picture"><a href="https://youtu.be/x"><img alt="YouTube"></a></p>'
        '<p class="card-caption"><a href="https://youtu.be/x">▶ The film</a></p></div>'
    )
    assert body(markup) == "▶ The film <https://youtu.be/x>"


def test_card_keeps_its_words():
    """What a card says beyond its title is not lost."""
    card = '<div class="card" data-url="https://x.org/1" data-title="Ada">{}</div>'
    markup = card.format("<p>Ada</p><p>The engine weaves.</p>")
    assert body(markup) == "▶ Ada <https://x.org/1>\n  The engine weaves."


def test_button_points():
    """A button is an arrow, its label and its URL."""
    markup = f'<p class="button"><a href="{LONG}">Read on</a></p>'
    assert body(markup) == f"→ Read on <{LONG}>"


def test_rules_are_kept_and_never_doubled():
    """A rule parts; two in a row part no more, and none opens the mail."""
    assert body("<hr><p>a</p><hr><hr><p>b</p>") == "a\n\n* * *\n\nb"
