"""What a reader's values may do in a mail: be read, and nothing else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.edition import Context
from mailer.message import Recipient
from mailer.message.value import LONGEST, clean, plain, web_link
from tests.message.samples import content, edition, press, slot


class Seen(HTMLParser):
    """Counts tags and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, attrs))


@settings(deadline=None)
@given(st.text() | st.text("<>\"'&/= \n-!abc"))
def test_a_value_cannot_leave_its_place_in_the_html(name: str):
    """Whatever a reader is called, the HTML has the tags and attributes of its author."""
    html = (
        *('<p title="', slot("subscriber.name", Context.ATTRIBUTE), '">', slot("subscriber.name")),
        *('</p><a href="https://kiln.example/?n=', slot("subscriber.name", Context.URL), '">x</a>'),
    )
    shown = content(press(edition(html)).message(Recipient(1, 1, "a@b.example", name)), "html")
    seen = Seen(shown)
    assert [(tag, [key for key, _ in attrs]) for tag, attrs in seen.tags] == [
        ("p", ["title"]),
        ("a", ["href"]),
    ]
    assert seen.tags[0][1][0][1] == clean(name)


@given(st.text())
def test_a_clean_value_is_one_short_harmless_line(text: str):
    """No control character, line break, lone surrogate or direction override; at most 1,000 characters."""
    value = clean(text * 3)
    assert len(value) <= LONGEST
    assert len(value.splitlines()) <= 1
    assert value == value.strip()
    assert not {character for character in value if ord(character) < 32 or 0x7F <= ord(character) < 0xA0}
    assert not set(value) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    value.encode()
    assert clean(value) == value


def test_marks_that_names_need_are_kept():
    """Joiners of emoji and Persian, and the direction marks of Hebrew, are no attack."""
    for name in ("👩‍👩‍👧", "می‌خواهم", "שלום\u200f!", "e\u0301", "ﷺ"):
        assert clean(name) == name


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (3.0, "3"),
        (3.5, "3.5"),
        (Decimal("1.10"), "1.10"),
        (b"x", ""),
        (["a", 2, None, "b"], "a, 2, b"),
        ([], ""),
        ({"a": 1}, ""),
        (date(2026, 7, 14), "2026-07-14"),
        pytest.param(10**5000, "", id="huge"),
        ("  x \n y ", "x y"),
        (float("inf"), "inf"),
        (0, "0"),
        ([["deep"]], ""),
    ],
)
def test_an_attribute_is_spelled_as_a_person_would(value: object, wanted: str):
    """Numbers, lists and truth values are readable; what has no such form counts as missing."""
    assert plain(value) == wanted


def shown(name: str, default: str = "there", **attributes: object) -> str:
    """What stands in a mail for a slot."""
    html = ("[", slot(name, default=default), "]")
    recipient = Recipient(1, 1, "jane@b.example", "Jane van Dyke", attributes=attributes)
    return content(press(edition(html)).message(recipient), "html").strip("[]\n")


def test_names_reach_into_attributes():
    """subscriber.a.b is an attribute called so, or b within a; the first word of a name is the first name."""
    assert shown("subscriber.name") == "Jane van Dyke"
    assert shown("subscriber.first_name") == "Jane"
    assert shown("subscriber.email") == "jane@b.example"
    assert shown("subscriber.city", city="Höhr & Co") == "Höhr &amp; Co"
    assert shown("subscriber.team.name", team={"name": "Raku"}) == "Raku"
    assert shown("subscriber.team.name", **{"team.name": "Kiln", "team": {"name": "Raku"}}) == "Kiln"
    for attributes in (
        {},
        {"team": None},
        {"team": "x"},
        {"team": {"name": ""}},
        {"team": {"name": " \n"}},
        {"team": ["x"]},
    ):
        assert shown("subscriber.team.name", **attributes) == "there"


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://kiln.example/a?b=c&d=1#e", "https://kiln.example/a?b=c&d=1#e"),
        ("HTTP://kiln.example", "HTTP://kiln.example"),
        ("mailto:jane@kiln.example", "mailto:jane@kiln.example"),
        ("https://kiln.example/ü \"'<x>", "https://kiln.example/%C3%BC%20%22'%3Cx%3E"),
        ("https://kiln.example/@jane", "https://kiln.example/@jane"),
        *(
            (url, "")
            for url in (
                "javascript:alert(1)",
                "data:text/html,x",
                " javascript:x",
                "//kiln.example",
                "https://",
                "mailto:",
                "x",
            )
        ),
        *(
            (url, "")
            for url in (
                "https://bank.example@evil.example/",
                "https:\\\\evil.example",
                "vbscript:x",
                "java\tscript:x",
                "https:/x",
            )
        ),
    ],
)
def test_only_web_and_mail_links_are_links(url: str, wanted: str):
    """http, https and mailto; nothing that runs, hides its host or can leave the attribute."""
    assert web_link(url) == wanted


def test_a_link_of_a_reader_is_escaped_and_falls_back():
    """In an attribute the ampersand is escaped; what is no link leaves the place empty, what is missing its default."""
    html = ('<a href="', slot("subscriber.site", Context.LINK, "https://kiln.example/"), '">x</a>')

    def href(site: str) -> str | None:
        recipient = Recipient(1, 1, "a@b.example", attributes={"site": site})
        return Seen(content(press(edition(html)).message(recipient), "html")).tags[0][1][0][1]

    assert href("https://a.example/?x=1&y=2") == "https://a.example/?x=1&y=2"
    assert href("javascript:alert(1)") == ""
    assert href("") == "https://kiln.example/"


def test_the_text_part_refuses_what_the_html_refuses():
    """No link, no brackets; what stood around them stays together."""
    text = ("See your page", slot("subscriber.site", Context.ADDRESS), ".\n")

    def said(site: str) -> str:
        recipient = Recipient(1, 1, "a@b.example", attributes={"site": site})
        return content(press(edition(text=text)).message(recipient), "plain").strip()

    assert said("https://a.example/?x=1&y=ä") == "See your page <https://a.example/?x=1&y=%C3%A4>."
    assert (
        said("https://bank.example@evil.example/")
        == said("javascript:alert(1)")
        == said("")
        == "See your page."
    )
