"""Light and dark in a frame, whatever the browser itself prefers."""

from __future__ import annotations

from mailer.preview.scheme import ALWAYS, NEVER, framed

MAIL = (
    '<!DOCTYPE html><html><head><meta name="color-scheme" content="light dark">'
    "<style>:root { color-scheme: light dark; }\n"
    "@media (prefers-color-scheme: dark) and (max-width: 480px) { p { color: #fff } }</style></head>"
    "<body><p>(prefers-color-scheme: dark) is a query, color-scheme: light dark a property.</p></body></html>"
)


def test_dark_rules_hold_in_dark():
    """A query for dark is true, whatever it is joined with."""
    html = framed(MAIL, "dark")
    assert f"@media {ALWAYS} and (max-width: 480px)" in html
    assert ":root { color-scheme: dark; }" in html


def test_dark_rules_rest_in_light():
    """A query for dark is false."""
    html = framed(MAIL, "light")
    assert f"@media {NEVER} and" in html
    assert ":root { color-scheme: light; }" in html


def test_words_of_the_mail_are_untouched():
    """Only style sheets are rewritten, never what the author says about them."""
    assert "<p>(prefers-color-scheme: dark) is a query, color-scheme: light dark a property.</p>" in framed(
        MAIL, "dark"
    )


def test_links_open_beside_the_page():
    """A click must not replace the mail in its frame."""
    assert '<head><base target="_blank"><meta name="color-scheme" content="dark">' in framed(MAIL, "dark")
