"""Merge fields become slots that know where they stand; what is the same for all is filled at once."""

from __future__ import annotations

import re

import pytest

from mailer.edition import Context, Slot


def slots(parts) -> list[tuple[str, str, str]]:
    return [
        (p.name, str(p.context), p.default) for p in parts if isinstance(p, Slot) and p.name.startswith("sub")
    ]


def test_each_place_has_its_context(mail):
    """Between tags, in an attribute, in part of a URL and as a whole URL a value is made harmless differently."""
    compiled = mail(
        "---\npreheader: P\n---\n"
        "Hi {{ subscriber.name | default('friend') }}, [page](https://a.example/?u={{ subscriber.id }}) "
        "[own]({{ subscriber.site }}) ![for {{ subscriber.name }}](https://a.example/x.png)"
    )
    assert slots(compiled.edition.html) == [
        ("subscriber.name", "html", "friend"),
        ("subscriber.id", "url", ""),
        ("subscriber.site", "link", ""),
        ("subscriber.name", "attribute", ""),
    ]


def test_the_text_part_percent_encodes_inside_addresses(mail):
    """A name with a space would end the address there as well."""
    compiled = mail("Hi {{ subscriber.name }}: [p](https://a.example/?u={{ subscriber.id }})")
    assert slots(compiled.edition.text) == [("subscriber.name", "text", ""), ("subscriber.id", "url", "")]


@pytest.mark.parametrize(
    ("source", "before"),
    [
        ("See [your page]({{ subscriber.page }}).", "See your page"),
        ("## Of [your page]({{ subscriber.page }})\n\nText.", "[1]"),
        ('<a href="{{ subscriber.page }}"><img src="https://a.example/x.png" alt="You"></a>', "[image: You]"),
    ],
)
def test_a_whole_address_of_the_text_part_brings_its_brackets(source, before, mail):
    """Where a reader's value is no link, neither it nor they are shown."""
    text = mail(source).edition.text
    (at,) = [index for index, part in enumerate(text) if part == Slot("subscriber.page", Context.ADDRESS)]
    assert text[at - 1].endswith(before)
    assert not text[at + 1].startswith(">")


def test_an_address_in_prose_is_no_link(mail):
    """Its author may have set it in brackets."""
    compiled = mail("Mail goes to <{{ subscriber.email }}>.")
    assert "goes to <{{subscriber.email:text:}}>." in compiled.text
    assert "goes to &lt;{{subscriber.email:html:}}&gt;." in compiled.content


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("{{ subscriber.page }}", True),
        ("{{ subscriber.page | default('none') }}", True),
        ("{{ subscriber.page | default('https://a.example/') }}", False),
        ("{{ subscriber.page | default('mailto:us@a.example') }}", False),
        ("https://a.example/{{ subscriber.page }}", False),
    ],
)
def test_an_address_that_some_readers_lack_is_told(field, told, mail):
    """They would get a dead link."""
    assert ("merge-link" in mail(f"See [your page]({field}).").rules("warning")) is told


def test_the_subject_is_a_header(mail):
    """A slot of the subject is made safe as a header field."""
    compiled = mail("Hello.", subject="For {{ subscriber.name | default('you') }}")
    assert compiled.edition.subject == ("For ", Slot("subscriber.name", Context.HEADER, "you"))


def test_constants_are_filled_and_escaped_for_their_place(mail):
    """The list's name may hold anything."""
    compiled = mail(
        "From {{ list.name }}: [x](https://a.example/?l={{ list.name }})", list_name='A & "B" <i>'
    )
    assert 'From A &amp; "B" &lt;i&gt;:' in compiled.content
    assert 'href="https://a.example/?l=A%20%26%20%22B%22%20%3Ci%3E"' in compiled.content
    assert 'From A & "B" <i>:' in compiled.text


def test_a_title_with_a_field_may_be_a_field(mail):
    """Of the list, of the issue, or of the reader; one that holds itself is an error."""
    front = "---\ntitle: Tides no. {{ issue.number }}, {{ subscriber.name | default('you') }}\n"
    body = "---\n**{{ issue.subject }}** [x](https://a.example/?t={{ issue.title }})"
    compiled = mail(f"{front}number: 7\nsubject: 'News: {{{{ issue.title }}}}'\n{body}", subject=None)
    assert compiled.rules("error") == []
    assert compiled.subject == "News: Tides no. 7, {{subscriber.name:header:you}}"
    assert "<strong>News: Tides no. 7, {{subscriber.name:html:you}}</strong>" in re.sub(
        r" style=\S+", "", compiled.content
    )
    assert "?t=Tides%20no.%207%2C%20{{subscriber.name:url:you}}" in compiled.text
    assert "merge-broken" in mail("---\ntitle: On {{ issue.title }}\n---\nText.", subject=None).rules("error")


def test_our_own_links_are_slots_in_both_parts(mail):
    """Unsubscribe, preferences and the browser are links of the reader."""
    edition = mail("Hello.").edition
    for parts, context in ((edition.html, Context.LINK), (edition.text, Context.TEXT)):
        own = {p.name: p.context for p in parts if isinstance(p, Slot)}
        assert own == dict.fromkeys(("link.unsubscribe", "link.preferences", "link.browser"), context)


def test_an_issue_on_the_web_is_shown_there(mail):
    """With an address of its own, the browser link is the same for all."""
    edition = mail("---\npermalink: /seventy-two\n---\nHello.").edition
    assert edition.canonical == "https://lighthouse.example/seventy-two"
    assert "link.browser" not in {p.name for p in edition.html if isinstance(p, Slot)}


def test_the_same_issue_gives_the_same_edition(mail):
    """Deterministic, and whole again after JSON."""
    source = "# Hi\n\nHello {{ subscriber.name }} ![x](https://a.example/x.png)"
    first, second = mail(source).edition, mail(source).edition
    assert first == second
    assert type(first).from_json(first.to_json()) == first
