"""The frame of the mail: a Jinja template of MJML -> HTML, with the finished parts put in afterwards.

Promises: no content ever passes through MJML. MRML drops white space, refuses what is not XML, writes attributes
with the escapes of another language (an injection), and dies on deep nesting; so it only sees a small template whose
values are ASCII, and tokens where the parts go. A newsletter's own templates win over ours, file by file; what is wrong
in one is a UserError with its line.
"""

from __future__ import annotations

import hashlib
import re
import traceback
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jinja2
import mjml
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from mailer.errors import Problem, UserError
from mailer.resources import templates_dir

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TEMPLATE = "default.mjml.j2"
_UNSAFE = re.compile(r"[^ !#-%'-;=?-\[\]-_a-~]")
_POSITION = re.compile(r"position (\d+)")


def ascii_only(value: object) -> Markup:
    """Give `value` with everything but plain ASCII as `&#N;`, which MRML leaves alone in text and attributes."""
    if value is None:
        return Markup("")
    if isinstance(value, Markup):
        return value
    return Markup(_UNSAFE.sub(lambda match: f"&#{ord(match[0])};", str(value)))  # noqa: S704 - it was escaped just now


@lru_cache(maxsize=8)
def _environment(folders: tuple[str, ...]) -> jinja2.Environment:
    return ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=ascii_only,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _folders(templates: Path | None) -> tuple[str, ...]:
    ours = str(templates_dir() / "email")
    return (str(templates / "email"), str(templates), ours) if templates else (ours,)


def render_template(name: str, values: Mapping[str, Any], templates: Path | None = None) -> str:
    """Give the template `name` with its values. Raises UserError, with file and line, for a template that is wrong."""
    environment = _environment(_folders(templates))
    try:
        return environment.get_template(name).render(values)
    except jinja2.TemplateSyntaxError as error:
        raise UserError(
            Problem(f"the template is wrong: {error.message}", error.filename or name, error.lineno)
        ) from error
    except jinja2.TemplateNotFound as error:
        raise UserError(Problem(f"there is no template {error.name}", name)) from error
    except (
        jinja2.TemplateError,
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        file, line = _place(error, name)
        raise UserError(Problem(f"the template failed: {error}", file, line)) from error


def _place(error: Exception, name: str) -> tuple[str, int | None]:
    """Give the template's file and line, which Jinja writes into the traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".j2")]
    return (frames[-1].filename, frames[-1].lineno) if frames else (name, None)


def compile_skeleton(
    values: Mapping[str, Any], parts: Mapping[str, str], templates: Path | None = None
) -> str:
    """Give the HTML of the mail: `values` for the template, `parts` ({name: HTML}) for its `{{ slot.name }}`.

    Raises UserError for a template that Jinja or MJML refuse, or that leaves out a part that every mail needs.
    """
    tokens = {name: _token(name, html) for name, html in parts.items()}
    source = render_template(TEMPLATE, {**values, "slot": tokens}, templates)
    try:
        html: str = mjml.mjml2html(source, fonts={}, disable_comments=False)
    except ValueError as error:
        raise UserError(
            Problem(f"MJML refuses the template: {error}{_line(error, source)}", TEMPLATE)
        ) from error
    missing = [name for name in ("head", "body") if tokens[name] not in html]
    if missing:
        raise UserError(Problem(f"the template leaves out {{{{ slot.{missing[0]} }}}}", TEMPLATE))
    return _filled(html, {tokens[name]: part for name, part in parts.items()})


def _token(name: str, html: str) -> str:
    """Give a word that no part holds, because it depends on the part."""
    return f"ms{hashlib.sha256(f'{name}:{html}'.encode('utf-8', 'replace')).hexdigest()[:24]}"


def _filled(html: str, parts: Mapping[str, str]) -> str:
    pattern = re.compile("|".join(map(re.escape, parts)))
    filled = pattern.sub(lambda match: parts[match[0]], html)
    return filled.replace("<!doctype html>", "<!DOCTYPE html>", 1)


def _line(error: ValueError, source: str) -> str:
    found = _POSITION.search(str(error))
    return f" (line {source.count(chr(10), 0, int(found[1])) + 1} of the rendered template)" if found else ""
