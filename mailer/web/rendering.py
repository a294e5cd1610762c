"""Templates -> pages: in the list's words and colours, in a language of the reader, under a policy that runs nothing.

A newsletter's `templates/web/` wins over ours, file by file. Everything is escaped; templates are sandboxed. A page
speaks the list's language, unless its reader chose another one; a page of no list speaks what the browser asks for.
Pages are made on the event loop alone.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from starlette.responses import HTMLResponse

from mailer.catalogue import catalogue_for, direction, locale_of
from mailer.edition.theme import resolve_theme
from mailer.errors import Problem, UserError
from mailer.resources import templates_dir

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from starlette.types import Scope

    from mailer.catalogue import Catalogue
    from mailer.settings import ListSettings, Settings

_POLICY: Final = (
    "default-src 'none'; style-src 'nonce-{nonce}'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'{scripts}"
)
_SCRIPTS: Final = "; script-src 'self'; connect-src 'self'"
_MOST_LANGUAGES: Final = 10


@dataclass(frozen=True, slots=True)
class Voice:
    """In whose name and in which language a page speaks."""

    list: ListSettings
    language: str
    path: str
    name: str  # what stands above the page


class Pages:
    """Makes the pages of one newsletter."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._environments: dict[Path, ImmutableSandboxedEnvironment] = {}

    @property
    def first(self) -> ListSettings:
        """The list whose looks serve where no list is named."""
        return next(iter(self._settings.lists.values()))

    def catalogue(self, one: ListSettings | None = None) -> Catalogue:
        """Give the words of a list."""
        return catalogue_for((one or self.first).templates)

    def name_of(self, one: ListSettings) -> str:
        """Give the name under which several lists stand together: their sender's, or the newsletter's."""
        return one.sender.name if one.brand else self._settings.name

    def voice(
        self,
        scope: Scope,
        one: ListSettings | None = None,
        language: str | None = None,
        looks: ListSettings | None = None,
    ) -> Voice:
        """Decide how a page speaks; `language` is what its reader chose, where we know them.

        A page of no list may still have the `looks` of one.
        """
        about = one or looks or self.first
        asked = accepted(scope)
        wanted = (language, one.language, *asked) if one else (language, *asked, about.language)
        chosen = self.catalogue(about).language(*wanted)
        return Voice(about, chosen, path_asked(scope), one.name if one else self.name_of(about))

    def page(
        self, voice: Voice, name: str, /, status: int = 200, *, scripts: bool = False, **values: Any
    ) -> HTMLResponse:
        """Give a page; `scripts` lets those of our own origin run on it."""
        nonce = secrets.token_urlsafe(12)
        html = self.text(voice, f"{name}.html.j2", nonce=nonce, scripts=scripts, status=status, **values)
        policy = _POLICY.format(nonce=nonce, scripts=_SCRIPTS if scripts else "")
        headers = {"Content-Security-Policy": policy, "Content-Language": voice.language}
        return HTMLResponse(html, status, headers)

    def text(self, voice: Voice, template: str, /, **values: Any) -> str:
        """Give what a template makes; raises UserError with its file and line where it is wrong."""
        environment = self._environment(voice.list.templates)
        translations = self.catalogue(voice.list).translations(voice.language)
        try:
            return environment.get_template(template).render({**_words(voice, translations), **values})
        except jinja2.TemplateSyntaxError as error:
            raise UserError(Problem(str(error.message), error.filename or template, error.lineno)) from None
        except jinja2.TemplateNotFound as error:
            raise UserError(Problem("there is no such template", str(error))) from None

    def check(self) -> None:
        """Read every template and catalogue; raises UserError with the file and line of each that is wrong."""
        problems: list[Problem] = []
        for one in {one.templates: one for one in self._settings.lists.values()}.values():
            problems += self._mistakes(one)
        if problems:
            raise UserError(*problems)

    def _mistakes(self, one: ListSettings) -> list[Problem]:
        environment, found = self._environment(one.templates), []
        for name in environment.list_templates(extensions=["j2"]):
            try:
                environment.get_template(name)
            except jinja2.TemplateSyntaxError as error:
                found.append(Problem(str(error.message), error.filename or name, error.lineno))
        catalogue = self.catalogue(one)
        for language in catalogue.languages:
            try:
                catalogue.translations(language)
            except UserError as error:
                found += error.problems
        return found

    def problem(self, scope: Scope, status: int) -> HTMLResponse:
        """Give the page that says no."""
        return self.page(self.voice(scope), "problem", status)

    def _environment(self, templates: Path) -> ImmutableSandboxedEnvironment:
        if templates not in self._environments:
            folders = (str(templates / "web"), str(templates_dir() / "web"))
            made = ImmutableSandboxedEnvironment(
                loader=jinja2.FileSystemLoader(folders),
                autoescape=True,
                extensions=["jinja2.ext.i18n"],
                trim_blocks=True,
                lstrip_blocks=True,
                undefined=jinja2.ChainableUndefined,
            )
            self._environments[templates] = made
        return self._environments[templates]


def accepted(scope: Scope) -> Sequence[str]:
    """Give the languages that a browser asks for, the dearest first (RFC 9110, section 12.5.4)."""
    field = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
    weighed = []
    for place, part in enumerate(field.decode("latin-1")[:500].split(",")[:_MOST_LANGUAGES]):
        tag, _, weight = part.partition(";")
        weighed.append((-_weight(weight), place, tag.strip()))
    return [tag for _, _, tag in sorted(weighed) if tag and tag != "*"]


def _weight(parameter: str) -> float:
    """Give what `q=0.5` says, blanks around it or not; 1 where nothing is said."""
    try:
        return min(max(float(parameter.strip().lower().removeprefix("q=") or 1), 0), 1)
    except ValueError:
        return 0


def path_asked(scope: Scope) -> str:
    """Give the path that a visitor's browser is at; mailer.web.guards takes a slash at its end away."""
    path: str = scope.get("asked", scope["path"])
    return path


def up(path: str) -> str:
    """Give the way from a page's path to the root of the pages: links that a proxy's prefix cannot break."""
    return "../" * (path.count("/") - 1) or "./"


def mask(email: str) -> str:
    """Give an address as a page shows it: enough for its owner, nothing for anybody else (a***@e***.org)."""
    local, _, domain = email.rpartition("@")
    host, _, top = domain.rpartition(".")
    return f"{local[:1]}***@{host[:1]}***.{top}" if host else f"{local[:1]}***@{domain[:1]}***"


def _words(voice: Voice, translations: Any) -> Mapping[str, Any]:
    """Give what every template knows; texts are translated as Jinja's i18n extension asks."""
    return {
        "gettext": _new_style(translations.gettext),
        "_": _new_style(translations.gettext),
        "ngettext": _new_style_plural(translations.ngettext),
        "language": voice.language,
        "direction": direction(voice.language),
        "list": voice.list,
        "site_name": voice.name,
        "theme": resolve_theme(voice.list.theme),
        "up": up(voice.path),
        "mask": mask,
        "date": _dates(voice.language, voice.list.time_zone),
        "language_name": lambda tag: locale_of(tag).get_display_name(tag) or tag,
    }


def _new_style(translate: Any) -> Any:
    from markupsafe import Markup, escape  # noqa: PLC0415 - Jinja's own

    def say(text: str, **values: Any) -> Markup:
        said = Markup(translate(text))  # noqa: S704 - the catalogue's words are the operator's, as templates are
        return said % {name: escape(value) for name, value in values.items()} if values else said

    return say


def _new_style_plural(translate: Any) -> Any:
    from markupsafe import Markup, escape  # noqa: PLC0415 - as above

    def say(one: str, many: str, num: int, **values: Any) -> Markup:
        said = Markup(translate(one, many, num))  # noqa: S704 - as above
        return said % {"num": num, **{name: escape(value) for name, value in values.items()}}

    return say


def _dates(language: str, zone: str) -> Any:
    from babel.dates import format_date, format_datetime, get_timezone  # noqa: PLC0415 - 30 ms

    locale, there = locale_of(language), get_timezone(zone)

    def say(moment: datetime, *, clock: bool = False) -> str:
        local = moment.astimezone(there)
        if clock:
            return format_datetime(local, "long", locale=locale, tzinfo=there)
        return format_date(local.date(), "long", locale=locale)

    return say
