"""Authors paste anything; nothing active reaches a reader."""

from __future__ import annotations

import json

import pytest

from tests.edition.hostile_html import VECTORS, active_parts


@pytest.mark.parametrize("vector", VECTORS)
def test_a_vector_in_the_body_is_inert(vector, mail):
    """Whatever stands in the Markdown or its raw HTML, no tag, handler or address of the mail is active."""
    compiled = mail(f"Before.\n\n{vector}\n\nAfter *it all*.")
    assert active_parts(compiled.html) == []


@pytest.mark.parametrize("vector", VECTORS)
def test_a_vector_does_not_swallow_the_rest(vector, mail):
    """What follows an unclosed or hostile element is still in both parts."""
    compiled = mail(f"Before.\n\n{vector}\n\n\nThe rest.")
    assert "The rest." in compiled.html
    assert "The rest." in compiled.text


@pytest.mark.parametrize("vector", VECTORS)
@pytest.mark.parametrize("key", ["title", "subject", "preheader", "credit", "alt", "src", "link"])
def test_a_vector_in_the_front_matter_is_inert(key, vector, mail):
    """Title, subject, preheader and hero are as hostile as the body."""
    matter = {
        "subject": "S",
        "title": "T",
        "image": {"src": "https://a.example/h.png", "alt": "A", "credit": "C"},
    }
    (matter["image"] if key in ("credit", "alt", "src") else matter)[key] = vector
    compiled = mail(f"---\n{json.dumps(matter)}\n---\n\nHello…", subject=None)
    assert active_parts(compiled.html) == []


@pytest.mark.parametrize("vector", VECTORS)
def test_a_vector_in_the_masthead_is_inert(vector, mail):
    """The settings of a list come from a file, too."""
    compiled = mail(
        "Hello.", list_name=vector, sender_name=vector, postal_address=vector, why=vector, subject=vector
    )
    assert active_parts(compiled.html) == []


def test_a_quote_in_a_title_stays_a_quote(mail):
    """MRML writes attributes with escapes that are not HTML's; no title gets near it raw."""
    compiled = mail("Hello.", subject='Say "hi" \\ <b>now</b> & \u200dforever\u200c é')
    assert "Say &#34;hi&#34; &#92; &#60;b&#62;now&#60;/b&#62; &#38;" in compiled.html
    assert "\\u{" not in compiled.html


def test_hostile_themes_are_refused(mail):
    """A theme's values reach style sheets, so only colours and font names pass."""
    from mailer.errors import UserError

    with pytest.raises(UserError) as caught:
        mail("Hello.", theme={"accent": "red;}</style><script>", "font": "x}</style>", "colour": "#fff"})
    assert [problem.key for problem in caught.value.problems] == [
        "theme.accent",
        "theme.font",
        "theme.colour",
    ]
