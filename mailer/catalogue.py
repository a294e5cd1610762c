"""The words of the pages in the languages we have them in: gettext catalogues (.po), read by Babel.

English is what the templates say; every other language is a file `web/locale/LANGUAGE.po` beside them. A newsletter
adds or overrides languages with files of its own in TEMPLATES/web/locale/: a new one needs nothing else. Catalogues
are compiled in memory when they are first needed. Raises UserError with file and line for a .po that cannot be read.
"""

from __future__ import annotations

import io
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from typing import TYPE_CHECKING, Final

from mailer.errors import Problem, UserError
from mailer.resources import templates_dir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from babel import Locale
    from babel.messages.catalog import Catalog

SOURCE: Final = "en"
_LARGEST: Final = 1_000_000


class Catalogue:
    """What the pages of one newsletter can say, and in which languages."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self._files = dict(_found(folders))
        self._loaded: dict[str, NullTranslations] = {}

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages there are, English first."""
        return (SOURCE, *sorted(set(self._files) - {SOURCE}))

    def language(self, *wanted: str | None) -> str:
        """Give the first of the wanted languages that is here, or its base (`de` for `de-AT`); else English."""
        here = {one.lower(): one for one in self.languages}
        for each in wanted:
            tag = (each or "").strip().replace("_", "-").lower()
            while tag:
                if tag in here:
                    return here[tag]
                tag = tag.rpartition("-")[0]
        return SOURCE

    def known(self, language: str) -> str:
        """Give the language if it is here, else ""."""
        return language if language in self.languages else ""

    def translations(self, language: str) -> NullTranslations:
        """Give the gettext translations of a language that is here."""
        if language not in self._loaded:
            merged: NullTranslations = NullTranslations()
            for file in self._files.get(language, ()):
                one = _compiled(file)
                one.add_fallback(merged)
                merged = one
            self._loaded[language] = merged
        return self._loaded[language]


@lru_cache(maxsize=64)
def catalogue_for(templates: Path | None) -> Catalogue:
    """Give the catalogue of a list, by its folder of templates; the newsletter's own words win over ours."""
    ours = templates_dir() / "web" / "locale"
    theirs = () if templates is None else (templates / "web" / "locale",)
    return Catalogue((ours, *theirs))


def locale_of(language: str) -> Locale:
    """Give Babel's knowledge of a language: dates, direction, its own name; of one it does not know, English's."""
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415 - 30 ms that only pages need

    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale(SOURCE)


def direction(language: str) -> str:
    """Give `rtl` or `ltr`."""
    return "rtl" if locale_of(language).character_order == "right-to-left" else "ltr"


def read_catalogue(file: Path) -> Catalog:
    """Read a .po; raises UserError with file and line."""
    from babel.messages.pofile import PoFileError, read_po  # noqa: PLC0415 - as above

    try:
        raw = file.read_bytes()
        if len(raw) > _LARGEST:
            raise UserError(Problem("is larger than 1 MB", str(file)))
        raw.decode("utf-8-sig")
        return read_po(io.BytesIO(raw), abort_invalid=True)
    except PoFileError as error:
        raise UserError(Problem(f"is no catalogue: {error}", str(file), error.lineno)) from None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UserError(Problem("is not UTF-8", str(file), line)) from None
    except (OSError, ValueError) as error:
        raise UserError(Problem(f"cannot be read: {error}", str(file))) from None


def _compiled(file: Path) -> GNUTranslations:
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - as above

    octets = io.BytesIO()
    write_mo(octets, read_catalogue(file))
    octets.seek(0)
    return GNUTranslations(octets)


def _found(folders: tuple[Path, ...]) -> Iterator[tuple[str, tuple[Path, ...]]]:
    files: dict[str, list[Path]] = {}
    for folder in folders:
        for file in sorted(folder.glob("*.po")):
            files.setdefault(file.stem.replace("_", "-"), []).append(file)
    yield from ((language, tuple(each)) for language, each in files.items())
