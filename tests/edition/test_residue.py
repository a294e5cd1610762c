"""What a web page left behind goes; what only looks like it stays; what shows nowhere is told."""

from __future__ import annotations

import pytest

SHARES = '<ul><li><a href="https://a.example/?share=twitter">Click to share on X (Opens in new window)</a></li></ul>'


def test_a_heading_that_shares_goes_with_its_links(mail):
    """WordPress puts both below a post."""
    compiled = mail(f"Hello there.\n\n<h3>Share this:</h3>\n{SHARES}\n\nBye.")
    assert "hare" not in compiled.content
    assert "Bye." in compiled.text
    assert "cruft" in compiled.rules()


@pytest.mark.parametrize(
    "source",
    [
        "## Share this\n\nForward it to a friend.",
        "Share this:\n\n- [the report](https://a.example/report)",
        "[Share this on X](https://twitter.com/intent/tweet?text=x)",
    ],
)
def test_an_authors_own_call_to_share_stays(source, mail):
    """Only lists of nothing but share links are a widget."""
    compiled = mail(source)
    assert "Share this" in compiled.content
    assert "Share this" in compiled.text


def test_a_footnote_that_nothing_calls_for_is_told(mail):
    """Its sentence would be lost without a word; the finding has its line."""
    compiled = mail("Text[^used].\n\n[^used]: Yes.\n[^unused]: No.")
    (finding,) = [f for f in compiled.edition.findings if f.rule == "footnote"]
    assert (finding.line, finding.level) == (4, "warning")
    assert "unused" in finding.message


def test_a_link_with_a_merge_field_is_listed_as_its_author_wrote_it(mail):
    """Neither JSON nor `compile` shows a token: the default stands there, or the field."""
    source = (
        'A [page]({{ subscriber.page | default("https://a.example/") }}), '
        "a [mark](https://a.example/?m={{ subscriber.m }})"
        " and ![you](https://a.example/{{ subscriber.id }}.png)."
    )
    edition = mail(source).edition
    assert [link.url for link in edition.links] == [
        "https://a.example/",
        "https://a.example/?m={{ subscriber.m }}",
    ]
    assert [image.url for image in edition.images] == ["https://a.example/{{ subscriber.id }}.png"]


def test_prose_of_the_text_part_may_flow(mail):
    """F01: a line that ended for its width alone ends in a space, so that a phone joins it with the next."""
    compiled = mail("Many words make a paragraph that is wider than a page of text. " * 4)
    lines = compiled.text.split("\n")
    first = next(index for index, line in enumerate(lines) if line.startswith("Many words"))
    assert all(line.endswith(" ") for line in lines[first : first + 3])


def test_a_picture_is_called_one_in_the_language_of_the_issue(mail):
    """German readers see Bild."""
    compiled = mail("---\nlang: de\n---\n![Ein Kran](https://a.example/k.jpg)")
    assert "[Bild: Ein Kran]" in compiled.text


def test_a_word_of_hundreds_of_addresses_is_left_as_it_is(mail):
    """Looking for links in it would take minutes; a common issue's bare links are still found."""
    compiled = mail("http://a.example" * 20_000)
    assert compiled.edition.links == ()
    assert [link.url for link in mail("See https://a.example/x.").edition.links] == ["https://a.example/x"]


@pytest.mark.parametrize("css", ["p { color: red; }", "p + p { color: red; } p { color: red; }"])
def test_a_sheet_is_inlined_alike_by_kind_and_one_by_one(css):
    """Elements of one kind get the same style; a selector of siblings makes premailer look at each."""
    from mailer.edition.inline import inline
    from mailer.edition.tree import parse

    root = parse("<p>a</p><p>b</p><blockquote><p style='margin:0'>c</p></blockquote>")
    inline(root, css)
    assert ["color:red" in p.get("style", "") for p in root.iter("p")] == [True, True, True]
    assert "margin:0" in root.find(".//blockquote/p").get("style")
