"""The text part as a reader sees it: one behaviour a test, the tree in, the lines out."""

# ruff: noqa: RUF001 - full-width punctuation is meant

from __future__ import annotations

from lxml import html

from mailer.edition.text import TextFrame, render_text

LONG = "https://example.org/2020/07/the-long-way-to-the-story.html"
OTHER = "https://example.org/2020/08/another-story-altogether.html"


def body(markup: str, **frame: object) -> str:
    """Give the text of a content tree, without the newline at its end."""
    content = html.fragment_fromstring(markup, create_parent="div")
    return render_text(content, TextFrame(**frame)).removesuffix("\n")  # type: ignore[arg-type]


def test_frame_stands_around_the_content():
    """The title is underlined above; below `-- ` stand the list, why, the address and the ways out."""
    text = body(
        "<p>Hello.</p>",
        title="Kiosk #72",
        list_name="The Kiosk",
        browser_url="https://example.org/72",
        intro=("Issue 72 of July.",),
        hero_alt="A kiosk",
        hero_credit="Photo: Ada",
        footer=("You get this because you subscribed.", "1 Main Street\nAnytown"),
        unsubscribe=("Unsubscribe", "https://example.org/u"),
        preferences=("Preferences", "https://example.org/p"),
    )
    assert text.split("\n") == [
        "Kiosk #72",
        "=========",
        "",
        "View in browser: <https://example.org/72>",
        "",
        "Issue 72 of July.",
        "",
        "[image: A kiosk]",
        "Photo: Ada",
        "",
        "Hello.",
        "",
        "-- ",
        "The Kiosk",
        "You get this because you subscribed.",
        "1 Main Street",
        "Anytown",
        "Preferences: <https://example.org/p>",
        "Unsubscribe: <https://example.org/u>",
    ]


def test_labels_are_translated():
    """A list in another language has its own words around the content."""
    text = body(
        '<p><img alt="Kiosk"></p>',
        browser_url="https://example.org/72",
        labels={"browser": "Im Browser ansehen", "image": "Bild"},
    )
    assert text == "Im Browser ansehen: <https://example.org/72>\n\n[Bild: Kiosk]"


def test_title_is_underlined_as_wide_as_it_looks():
    """An ideograph takes two columns, and so does its underline."""
    assert body("<p>x</p>", title="今週のAI").startswith("今週のAI\n" + "=" * 8 + "\n")


def test_sections_are_underlined_and_subheads_marked():
    """An h2 opens a section after two blank lines; an h3 and below carry their marks."""
    text = body("<p>a</p><h2>News</h2><p>b</p><h3>Sub</h3><p>c</p><h4>Deep</h4><p>d</p>")
    assert text == "a\n\n\nNews\n----\n\nb\n\n### Sub\n\nc\n\n#### Deep\n\nd"


def test_highest_heading_is_the_section():
    """Where an author begins with h3, h3 is what gets the underline, and a later h2 is no more than it was."""
    text = body("<h3>News</h3><p>a</p><h5>Sub</h5><p>b</p><h2>End</h2><p>c</p>")
    assert text == "News\n----\n\na\n\n### Sub\n\nb\n\n\nEnd\n---\n\nc"


def test_h1_of_the_body_stands_above_the_sections():
    """An h1 has the title's own underline."""
    assert body("<h1>Part</h1><h2>News</h2><p>a</p>") == "Part\n====\n\n\nNews\n----\n\na"


def test_emphasis_is_dropped_in_headings():
    """A heading is loud enough."""
    assert body("<h2>The <em>new</em> <strong>kiosk</strong></h2>").startswith("The new kiosk\n---")


def test_links_are_listed_at_the_end_of_their_section():
    """Each section lists what it speaks of; one URL keeps its number in the whole mail."""
    text = body(
        f'<p><a href="{LONG}">one</a>, <a href="{OTHER}">two</a>, <a href="{LONG}">again</a></p>'
        f'<h2>Next</h2><p><a href="{OTHER}">back</a></p>'
    )
    assert text == (
        f"one [1], two [2], again [1]\n\n[1] {LONG}\n[2] {OTHER}\n\n\nNext\n----\n\nback [2]\n\n[2] {OTHER}"
    )


def test_short_link_stands_in_the_text():
    """A short URL follows its words in angle brackets."""
    assert body('<p>See <a href="https://example.org">us</a>.</p>') == "See us <https://example.org>."


def test_bare_url_is_printed_once():
    """A link whose text is its URL, with or without scheme and slash, says it once."""
    assert body(f'<p>See <a href="{LONG}">{LONG}</a>.</p>') == f"See <{LONG}>."
    assert body('<p><a href="https://www.example.org/">example.org</a></p>') == "<https://www.example.org/>"


def test_mail_address_is_plain():
    """A mailto link shows the address once, without its scheme."""
    assert body('<p><a href="mailto:a@example.org">a@example.org</a></p>') == "a@example.org"
    assert body('<p><a href="mailto:a@example.org">Ada</a></p>') == "Ada <a@example.org>"


def test_link_within_the_page_is_only_its_words():
    """Nothing can be jumped to in plain text."""
    assert body('<p><a href="#top">Top</a></p>') == "Top"


def test_url_is_never_broken():
    """A URL wider than the page stands alone, whole, in angle brackets."""
    wide = "https://example.org/" + "a-b/" * 40
    text = body(f'<p>Some words and then <a href="{wide}">the link</a>, and more words after it.</p>')
    assert text.endswith(f"\n\n[1] <{wide}>")


def test_url_with_a_space_stays_one_word():
    """A space or bracket inside a URL would end it, so it is percent-encoded."""
    assert body('<p><a href="https://x.org/a b<c>">x</a></p>') == "x <https://x.org/a%20b%3Cc%3E>"


def test_emphasis_is_kept():
    """Strong is *so*, emphasis _so_, deleted ~~so~~, code `so`."""
    text = body("<p><strong>a</strong> <em>b</em> <del>c</del> <code>d</code> <mark>e</mark></p>")
    assert text == "*a* _b_ ~~c~~ `d` e"


def test_emphasis_hugs_its_words():
    """Spaces move out of the emphasis; emphasis of nothing vanishes."""
    assert body("<p>x<strong> a </strong>b<em> </em>c<strong></strong></p>") == "x *a* b c"


def test_emphasis_inside_a_word_does_not_tear_it():
    """A word is more than its emphasis; Chinese has no spaces and keeps the marks."""
    assert body("<p><b>W</b>orld <b>H</b>ealth</p>") == "World Health"
    assert body("<p>这是<b>重点</b>内容</p>") == "这是*重点*内容"


def test_raised_and_lowered_figures_are_kept():
    """Unicode has small figures; ordinals stay as they are spoken."""
    text = body("<p>H<sub>2</sub>O, x<sup>2</sup>, 2<sup>nd</sup>, 2<sup>k</sup></p>")
    assert text == "H₂O, x², 2nd, 2^k"


def test_footnotes_carry_small_figures():
    """A note is raised where it is called and where it stands; the way back is dropped."""
    markup = (
        '<p>Word<sup class="footnote-ref"><a href="#fn1">[1]</a></sup>.</p><section class="footnotes"><ol>'
        '<li id="fn1"><p>The note. <a href="#fnref1" class="footnote-backref">↩</a></p></li></ol></section>'
    )
    assert body(markup) == "Word¹.\n\n* * *\n\n¹ The note."


def test_line_breaks_are_kept():
    """A br ends a line; two make a paragraph."""
    assert body("<p>a<br>b<br><br><br>c</p>") == "a\nb\n\nc"


def test_empty_blocks_leave_no_trace():
    """Paragraphs, lists and quotes of nothing add no line."""
    assert body("<p>a</p><p> </p><ul></ul><blockquote></blockquote><pre> </pre><p>b</p>") == "a\n\nb"


def test_wrapped_line_never_looks_like_a_list():
    """A dash or number of the prose is not carried to a line's head, where it would be a bullet."""
    text = body("<p>" + "word " * 14 + "words! - and so on</p>")
    assert text == "word " * 13 + "word\nwords! - and so on"


def test_chinese_breaks_between_characters_and_not_before_a_comma():
    """Chinese has no spaces to break at; closing marks stay with their word."""
    lines = body("<p>" + "今天天气很好，" * 20 + "</p>").split("\n")
    assert len(lines) == 4
    assert all(not line.startswith("，") for line in lines)
    assert "".join(lines) == "今天天气很好，" * 20


def test_flowed_prose_says_where_it_may_be_joined():
    """F01: a line broken for its width alone keeps its space; breaks, lists, quotes and code are fixed."""
    words = "word " * 20
    text = body(
        f"<p>{words}<br>end</p><ul><li>{words}</li></ul><blockquote>{words}</blockquote>", flowed=True
    )
    assert [line for line in text.split("\n") if line.endswith(" ")] == ["word " * 15]
    assert body("<p>" + "天" * 80 + "</p>", flowed=True).count(" ") == 0


def test_token_counts_as_its_value_and_is_never_split():
    """Lines are filled as if the reader's own words stood there already."""
    text = body("<p>" + "word " * 10 + "mergefield1 tail</p>", token_widths={"mergefield1": 40})
    assert text == "word " * 9 + "word\nmergefield1 tail"


def test_right_to_left_text_is_left_in_order():
    """Arabic and Hebrew stay in the order they are read in; the mail program turns them."""
    assert body('<p dir="rtl">مرحبا بالعالم، <strong>رسالة</strong></p>') == "مرحبا بالعالم، *رسالة*"


def test_tree_is_left_as_it_was():
    """The same tree becomes the HTML afterwards."""
    content = html.fragment_fromstring("<div><pre>a<br>b</pre><p>x <b>y</b></p></div>")
    before = html.tostring(content)
    render_text(content, TextFrame())
    assert html.tostring(content) == before
