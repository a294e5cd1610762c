from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from jinja2.ext import babel_extract

from mailer.catalogue import Catalogue, catalogue_for, direction, read_catalogue
from mailer.errors import UserError
from mailer.resources import templates_dir
from mailer.web import forms
from mailer.web.rendering import accepted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCALE = templates_dir() / "web" / "locale"
HEAD = 'msgid ""\nmsgstr ""\n"Language: fr\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


def said() -> Iterator[str | tuple[str, ...]]:
    """Give every text that the pages say."""
    for file in sorted((templates_dir() / "web").glob("*.j2")):
        with file.open("rb") as opened:
            for _, word, text, _ in babel_extract(opened, ("_", "ngettext"), (), {}):
                texts = tuple(each for each in ((text,) if isinstance(text, str) else text) if each)
                yield texts if word == "ngettext" else texts[0]
    yield from (forms.CONSENT_ONE, forms.CONSENT_MANY)


@pytest.mark.parametrize("file", sorted(LOCALE.glob("*.po")), ids=lambda file: file.stem)
def test_a_catalogue_says_all_that_the_pages_say(file: Path):
    """No text is missing, none is left over, and each keeps the names that are filled in."""
    there = {message.id: message.string for message in read_catalogue(file) if message.id}
    assert set(there) == set(said())
    for text, translated in there.items():
        texts = (text,) if isinstance(text, str) else text
        for each in (translated,) if isinstance(translated, str) else translated:
            assert each
            assert set(re.findall(r"%\(\w+\)s", each)) == set(re.findall(r"%\(\w+\)s", texts[-1]))


def test_the_language_that_is_nearest():
    """The first that is wanted and there; de for de-AT; English where there is none."""
    ours = catalogue_for(None)
    assert ours.language("de-AT", "fr") == "de"
    assert ours.language(None, "", "xx", "DE_ch") == "de"
    assert ours.language("fr", "ja") == "en"
    assert (direction("ar"), direction("he"), direction("de"), direction("nonsense")) == (
        "rtl",
        "rtl",
        "ltr",
        "ltr",
    )


def test_a_newsletter_brings_a_language_and_other_words(tmp_path: Path):
    """Its own .po adds French, and wins over our German where it has a word."""
    (tmp_path / "fr.po").write_text(HEAD + 'msgid "Unsubscribe"\nmsgstr "Se désabonner"\n', encoding="utf-8")
    (tmp_path / "de.po").write_text(HEAD + 'msgid "Unsubscribe"\nmsgstr "Tschüss"\n', encoding="utf-8")
    mine = Catalogue((LOCALE, tmp_path))
    assert mine.languages == ("en", "de", "fr")
    assert mine.translations("fr").gettext("Unsubscribe") == "Se désabonner"
    assert mine.translations("fr").gettext("Save") == "Save"
    assert mine.translations("de").gettext("Unsubscribe") == "Tschüss"
    assert mine.translations("de").gettext("Save") == "Speichern"


@pytest.mark.parametrize(
    "octets", [b"nonsense\n", b"\xff\xfe", b"x" * 1_000_001], ids=["po", "utf-8", "large"]
)
def test_a_catalogue_that_is_none(tmp_path: Path, octets: bytes):
    """What cannot be read is told with its file."""
    file = tmp_path / "fr.po"
    file.write_bytes(octets)
    with pytest.raises(UserError, match=r"fr\.po"):
        read_catalogue(file)


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("en;q=0.5, de; q=0.9", ["de", "en"]),
        ("en ; Q=0.5 , de ;\tq=0.9", ["de", "en"]),
        ("de, en;q=0.9, *;q=0.1", ["de", "en"]),
        ("en;q=much, de;q=0.1", ["de", "en"]),
    ],
)
def test_a_browser_may_put_blanks_around_a_weight(field: str, wanted: list[str]):
    """The dearest first, as RFC 9110 lets it be written (section 12.4.2)."""
    assert accepted({"headers": [(b"accept-language", field.encode())]}) == wanted
