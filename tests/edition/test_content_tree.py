"""Whatever HTML an author used becomes the few elements that mail programs know, and no text is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.edition import content
from mailer.edition.headings import order_headings
from mailer.edition.report import Report
from mailer.edition.sanitise import sanitise
from mailer.edition.structure import normalise
from mailer.edition.tree import elements, parse, wrap_runs
from mailer.issue.model import Issue


def tree(source: str):
    report = Report("x.md")
    root = content.clean(content.render(Issue("x.md", 1, "x", "S", source), report), report)
    normalise(root)
    content.seal(root)
    for element in root.iter():
        element.attrib.pop("data-line", None)
    return root


def markup(source: str) -> str:
    from lxml.html import tostring

    inner = tostring(tree(source), encoding="unicode").strip()
    return re.sub(r"\s*\n\s*", "", inner.removeprefix("<div>").removesuffix("</div>"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<b>x</b> <i>y</i> <strike>z</strike>", "<p><strong>x</strong> <em>y</em> <del>z</del></p>"),
        ("<div>one<div>two</div>three</div>", "<p>one</p><p>two</p><p>three</p>"),
        ("<div><p>one</p>two <b>bold</b></div>", "<p>one</p><p>two <strong>bold</strong></p>"),
        ("<center><h2>Mid</h2></center>", '<h2 align="center">Mid</h2>'),
        ("<details><summary>More</summary>Inside</details>", "<p><strong>More</strong></p><p>Inside</p>"),
        (
            "<div><a href='https://a.example'><h3>Title</h3><p>Text</p></a></div>",
            '<h3><a href="https://a.example">Title</a></h3><p><a href="https://a.example">Text</a></p>',
        ),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>", "<p>漢(かん)</p>"),
        ("<q>word</q>", "<p>“word”</p>"),
        ("<kbd>Ctrl</kbd>", "<p><code>Ctrl</code></p>"),
        ("- [x] done\n- [ ] open", "<ul><li>☑ done</li><li>☐ open</li></ul>"),
        ("<table><tr><td><p>a</p><ul><li>b</li></ul></td></tr></table>", "<p>a</p><ul><li>b</li></ul>"),
        ("<p style='text-align: right; color: red'>x</p>", '<p align="right">x</p>'),
        ("<p onclick='x' id='y' class='z'>x</p>", "<p>x</p>"),
        ("text <br><br> more", "<p>text <br><br> more</p>"),
        ("<p></p><p>&nbsp;</p><p>x</p>", "<p>x</p>"),
        ("Type <filename> here.", "<p>Type &lt;filename&gt; here.</p>"),
        ("A <text> and a <filter>.", "<p>A &lt;text&gt; and a &lt;filter&gt;.</p>"),
        ("<my-widget a=1>kept</my-widget>", "<p>kept</p>"),
        (
            "a[^1]\n\n[^1]: Note.",
            (
                '<p>a<sup class="footnote-ref"><a href="#fn1">[1]</a></sup></p>'
                '<section class="footnotes"><ol><li id="fn1"><p>Note.</p></li></ol></section>'
            ),
        ),
    ],
)
def test_an_element_becomes_the_nearest_that_mails_know(source, expected):
    """Old, loose and web-only markup is translated, and the words stay in order."""
    assert markup(source) == expected


WORDS = st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta"]), min_size=1, max_size=4).map(" ".join)
TAGS = st.sampled_from(
    "p div span b a blockquote ul li table tr td h2 center details x-y section font".split()  # noqa: SIM905 - shorter
)
MARKUP = st.recursive(
    WORDS,
    lambda inner: st.tuples(TAGS, st.lists(inner, min_size=1, max_size=3)).map(
        lambda pair: f"<{pair[0]}>{' '.join(pair[1])}</{pair[0]}>"
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(MARKUP)
def test_no_word_is_lost_and_nothing_unknown_is_left(source):
    """Every word of any nesting of elements is in the tree, and the tree keeps its contract."""
    root = parse(sanitise(source))
    normalise(root)
    content.seal(root)
    # HTML moves the text of a broken table in front of it, and may join two words there: no letter is lost.
    words = re.compile("alpha|beta|gamma|delta")
    assert sorted(words.findall(" ".join(root.itertext()))) == sorted(words.findall(source))
    assert {element.tag for element in elements(root)} <= content.TAGS
    assert not (root.text or "").strip()


def test_wrapping_again_changes_nothing():
    """Loose text is wrapped once; a wrapped tree is left as it is."""
    from lxml.html import tostring

    root = parse("loose <b>bold</b><p>p</p>tail<br>more")
    wrap_runs(root)
    once = tostring(root)
    wrap_runs(root)
    assert tostring(root) == once


@pytest.mark.parametrize("depth", [10, 300, 20_000])
def test_nesting_is_capped_and_the_text_stays(depth):
    """Lxml cuts off what nests deeper than 256: so nothing that deep reaches it."""
    root = parse(sanitise("<div>" * depth + "the bottom" + "</div>" * depth))
    deepest = max(sum(1 for _ in element.iterancestors()) for element in root.iter())
    assert deepest <= 61
    assert root.text_content().strip() == "the bottom"


def test_headings_begin_at_two_and_leave_no_level_out():
    """The mail's title is the only first level; each heading is one below what it stands under."""
    root, report = tree("# The Title\n\n### A\n\n##### B\n\n# C"), Report("x")
    order_headings(root, ("The title!",), report)
    assert [(h.tag, h.text) for h in root if h.tag.startswith("h")] == [("h2", "A"), ("h3", "B"), ("h2", "C")]
    assert [finding.rule for finding in report.findings] == ["dup-title", "heading-order"]


def test_a_longer_form_of_the_title_takes_its_place(mail):
    """The first heading says more than the subject does: the mail begins with it, and says it once."""
    compiled = mail(
        "---\ntitle: The tide that came twice\n---\n### The tide that came twice, and who saw it\n\nText."
    )
    assert compiled.subject == "A quiet week"
    assert compiled.html.count("The tide that came twice, and who saw it</h1>") == 1
    assert compiled.text.startswith("The tide that came twice, and who saw it\n====")
    assert "came twice" not in compiled.content


def test_a_heading_that_only_begins_like_a_short_title_stays(mail):
    """A title of one word begins many a heading by chance."""
    assert "Newspapers" in mail("---\ntitle: News\n---\n## Newspapers of today\n\nText.").content


def test_findings_know_their_line(mail):
    """A finding names the line of the file, also inside raw HTML and behind front matter."""
    source = "---\ntitle: T\n---\n\nText.\n\n<div>\n\n</div>\n\n<p>a</p>\n<script>x</script>\n\nSee [here](https://b.example).\n"
    found = {finding.rule: finding.line for finding in mail(source).edition.findings}
    assert found["html-active"] == 12
    assert found["link-generic"] == 14


def test_words_in_an_attribute_are_no_tags(mail):
    """A line's number was written into the middle of an alt text, and of an address."""
    compiled = mail(
        'Look: <img src="https://a.example/x.png" alt="The <header> of a page">\n\n'
        '<p title="a <b> c">Go to <a href="https://a.example/?q=<b>&x=1">the page</a>.</p>'
    )
    assert "data-line" not in compiled.html
    assert 'alt="The &lt;header&gt; of a page"' in compiled.content
    assert "[image: The <header> of a page]" in compiled.text
    assert [link.url for link in compiled.edition.links] == ["https://a.example/?q=%3Cb%3E&x=1"]
