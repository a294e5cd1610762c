"""Links work from a mail, or are not there; none is lost without a word."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ("[a](/about)", "https://lighthouse.example/about"),
        ("[a](about.html)", "https://lighthouse.example/about.html"),
        ("[a](//cdn.example/x)", "https://cdn.example/x"),
        ("[a](mailto:a@b.example)", "mailto:a@b.example"),
        ("[a](tel:+4912345)", "tel:+4912345"),
        ("<a href='https://a.example/a b?c=ü'>a</a>", "https://a.example/a%20b?c=%C3%BC"),
        ("Write to a@b.example.org.", "mailto:a@b.example.org"),
        ("See https://a.example/x.", "https://a.example/x"),
    ],
)
def test_every_link_is_absolute(source, url, mail):
    """Relative ones are joined to the newsletter's address, bare ones become links."""
    assert [link.url for link in mail(source).edition.links] == [url]


@pytest.mark.parametrize(
    ("source", "rule", "level"),
    [
        ("[words](/x)", "link-relative", "error"),
        ("[words](ftp://a.example)", "link-empty", "warning"),
        ("[words]()", "link-empty", "warning"),
        ("[words](#part)", "link-anchor", "warning"),
    ],
)
def test_a_link_that_cannot_work_leaves_its_words(source, rule, level, mail):
    """The text stays, the link goes, and the author hears of it."""
    compiled = mail(f"Some {source} here.", base_url=None)
    assert compiled.edition.links == ()
    assert "Some words here." in compiled.text
    assert rule in compiled.rules(level)


def test_a_jump_inside_the_page_leads_to_the_page_on_the_web(mail):
    """Mail programs do not jump, the web does."""
    compiled = mail("---\ncanonical: https://lighthouse.example/72\n---\n[below](#part)")
    assert [link.url for link in compiled.edition.links] == ["https://lighthouse.example/72#part"]


def test_a_link_of_class_button_becomes_a_button(mail):
    """A table, because Outlook gives a link no padding."""
    compiled = mail('<a class="btn btn-primary" href="https://a.example/join">Join</a>')
    assert 'class="button' in compiled.content
    assert "→ Join <https://a.example/join>" in compiled.text


def test_a_truncated_issue_ends_with_a_way_on(mail):
    """Feeds cut their items off; the mail says where the rest is."""
    compiled = mail("---\ntitle: T\nlink: https://a.example/full\n---\n\nIt began and then it stop…")
    assert "Read the full issue" in compiled.content
    assert compiled.edition.links[-1].url == "https://a.example/full"


def test_links_are_numbered_in_the_order_of_the_mail(mail):
    """From one, with the words that carry them."""
    compiled = mail(
        "[one](https://a.example/1) and [two](https://a.example/2)[^n]\n\n[^n]: [three](https://a.example/3)"
    )
    assert [(link.number, link.text) for link in compiled.edition.links] == [
        (1, "one"),
        (2, "two"),
        (3, "three"),
    ]
