# ruff: noqa: RUF001 - other languages have other commas
"""The frame of the mail: templates, themes, languages, and where they are found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from mailer import resources
from mailer.edition.theme import DARK, LIGHT, resolve_theme
from mailer.edition.words import WORDS
from mailer.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

KEYS = set(WORDS["en"])


def test_the_mail_has_its_frame(mail):
    """List, number, date, title, address, reason, and the three links."""
    compiled = mail("---\ntitle: A title\nissue: 7\ndate: 2026-03-01\n---\nHello.", subject=None)
    for part in (
        "The Lighthouse",
        "Issue 7",
        "March 1, 2026",
        "A title",
        "1 Harbour Lane",
        "you subscribed to",
    ):
        assert part in compiled.html.replace("&#183;", "·")
        assert part in compiled.text
    assert 'href="{{link.unsubscribe:link:}}"' in compiled.html
    assert 'href="{{link.browser:link:}}"' in compiled.html
    assert compiled.html.startswith("<!DOCTYPE html>")


def test_no_font_or_style_is_fetched(mail):
    """A mail that calls home when it is opened would tell on its reader."""
    html = mail("Hello.").html
    assert "@import" not in html
    assert "<link" not in html
    assert "googleapis" not in html


def test_style_sheets_are_small_and_flat(mail):
    """Gmail drops a block with an at-rule in an at-rule, and all beyond 16 KB."""
    blocks = re.findall(r"<style[^>]*>(.*?)</style>", mail("Hello.").html, re.DOTALL)
    assert all(len(block) < 8192 for block in blocks)
    assert sum(map(len, blocks)) < 16_384
    assert not any(re.search(r"@[^{}]*\{[^{}]*@", block) for block in blocks)


def test_dark_mode_is_declared_and_styled(mail):
    """Both metas, the media query, and Outlook's attributes."""
    html = mail("Hello.").html
    for part in (
        'name="color-scheme"',
        "supported-color-schemes",
        "prefers-color-scheme: dark",
        "[data-ogsc]",
        "[data-ogsb]",
    ):
        assert part in html


def test_the_preheader_is_hidden_and_padded(mail):
    """The inbox shows it alone: nothing of the mail follows it there."""
    html = mail("---\npreheader: Short and sweet.\n---\nHello.").html
    hidden = re.search(r'<div style="display:none[^>]*>(.*?)</div>', html)
    assert hidden is not None
    assert hidden[1].startswith("Short and sweet.&#847;&zwnj;&nbsp;")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("If a<b then we all go home", "If a<b then we all go home"),
        ("---\nexcerpt: The &lt;b&gt; element of all pages\n---\nHello.", "The <b> element of all pages"),
    ],
)
def test_the_preheader_is_decoded_once(source, words, mail):
    """Where it is read; once more, and words between angle brackets would be tags."""
    assert mail(source).edition.preheader == words


def test_a_preheader_is_at_most_140_characters(mail):
    """Cut at a word, with tags and entities taken out twice."""
    compiled = mail("---\npreheader: '" + "&amp;rsquo; <b>word</b> " * 60 + "'\n---\nHello.")
    assert len(compiled.edition.preheader) <= 140
    assert "<" not in compiled.edition.preheader
    assert "&" not in compiled.edition.preheader


@pytest.mark.parametrize(
    ("body", "language", "direction", "word"),
    [
        ("بدأ الأمر بقارب لم يطفُ في الميناء القديم", "ar", "rtl", "إلغاء الاشتراك"),
        ("این نامه دربارهٔ جدول‌های کشند است و چیزهای دیگر", "fa", "rtl", "لغو اشتراک"),
        ("הכול התחיל בסירה אחת שלא צפה בנמל הישן", "he", "rtl", "הסרה מרשימת התפוצה"),
        ("一切始于一条浮不起来的船，以及一位港务长", "zh", "ltr", "退订"),
        ("すべては浮かばない一艘の船から始まりました", "ja", "ltr", "配信停止"),
        ("सब कुछ एक नाव से शुरू हुआ जो तैरती नहीं थी", "hi", "ltr", "सदस्यता समाप्त करें"),
        ("It began with a boat that would not float", "en", "ltr", "Unsubscribe"),
    ],
)
def test_the_language_follows_the_script(body, language, direction, word, mail):
    """Language, direction and the words of the footer fit the text, without being told."""
    compiled = mail(body)
    assert (compiled.edition.language, compiled.edition.direction) == (language, direction)
    assert f'lang="{language}" dir="{direction}"' in compiled.html
    assert word in compiled.text
    assert f'class="content" dir="{direction}"' in compiled.html


def test_right_to_left_mails_are_mirrored(mail):
    """MRML writes direction:ltr on every section unless told otherwise (lists and full stops would be misplaced)."""
    html = mail("بدأ الأمر بقارب لم يطفُ في الميناء القديم\n\n- أول\n- ثان").html
    assert "direction:ltr" not in html.replace("text-align:left;direction:ltr", "")
    assert "padding-right:24px" in html


def test_what_the_issue_says_wins_over_its_script(mail):
    """An author knows better."""
    assert mail("---\nlang: de-CH\n---\nGrüezi mitenand.").edition.language == "de-CH"


def test_every_language_has_every_word():
    """A missing word would be a KeyError for some readers alone."""
    assert all(set(words) == KEYS for words in WORDS.values())


def test_a_theme_changes_the_mail(mail):
    """Colours reach both the frame and the content, and a dark one follows."""
    html = mail("[a](https://a.example)", theme={"accent": "#8a1c1c", "font": "serif"}).html
    assert "color:#8a1c1c" in html
    assert "Georgia" in html
    assert resolve_theme({"accent": "#8a1c1c"})["dark_accent"] != DARK["dark_accent"]


def test_the_default_theme_can_be_read():
    """4.5 to 1 in light and in dark (WCAG 2.2, 1.4.3), without glaring black or white."""
    from mailer.edition.colour import contrast

    theme = resolve_theme({})
    for dark in ("", "dark_"):
        for front, ground in (
            ("ink", "paper"),
            ("muted", "paper"),
            ("muted", "page"),
            ("accent", "paper"),
            ("accent", "tint"),
            ("ink", "mark"),
        ):
            assert contrast(theme[dark + front], theme[dark + ground]) >= 4.5, (dark, front, ground)
        assert contrast(theme[dark + "on_accent"], theme[dark + "accent"]) >= 4.5
    assert not {"#000000", "#ffffff", "#000", "#fff"} & {*LIGHT.values(), *DARK.values()}


def override(folder: Path, name: str, text: str) -> Path:
    (folder / "email").mkdir(parents=True, exist_ok=True)
    (folder / "email" / name).write_text(text)
    return folder


def test_a_newsletter_may_have_its_own_template(mail, tmp_path):
    """Its file wins, the others stay ours."""
    ours = (resources.templates_dir() / "email" / "default.mjml.j2").read_text()
    templates = override(tmp_path, "default.mjml.j2", ours.replace("{{ frame.why }}", "OWN WORDS"))
    assert "OWN WORDS" in mail("Hello.", templates=templates).html


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("<mjml>\n{% if %}\n</mjml>", 2, "wrong"),
        ("<mjml>\n\n{{ nothing.here }}</mjml>", 3, "nothing"),
        ("<mjml>\n{{ 1 // 0 }}</mjml>", 2, "zero"),
        ("<mjml><mj-body><mj-section></mj-body></mjml>", None, "MJML refuses"),
        ("<mjml><mj-body></mj-body></mjml>", None, "slot.head"),
        ("{{ ''.__class__.__mro__ }}", 1, "unsafe"),
    ],
)
def test_a_broken_template_says_where(text, line, says, mail, tmp_path):
    """File and line, no traceback; and a template cannot reach into Python."""
    with pytest.raises(UserError) as caught:
        mail("Hello.", templates=override(tmp_path, "default.mjml.j2", text))
    (problem,) = caught.value.problems
    assert says in problem.message
    assert (problem.file or "").endswith("default.mjml.j2")
    assert problem.line == line


def test_templates_and_migrations_are_found_in_a_checkout_and_in_a_wheel(monkeypatch, tmp_path):
    """A wheel carries them inside the package; a checkout has them beside it."""
    assert (resources.templates_dir() / "email" / "default.mjml.j2").is_file()
    package = tmp_path / "site-packages" / "mailer"
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resources.templates_dir() == package / "templates"
    assert resources.migrations_dir() == package / "migrations"
