"""The theme: a dozen colours and two font stacks, in light and dark. A list may set any of them.

Promises: every value that reaches a style sheet is a hex colour or a list of plain font names, so no setting can
break out of it; a dark colour that was not set follows from the light one and can be read. No #000 and no #fff:
clients that invert colours by force turn them into glare.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.edition.colour import is_colour, readable_on
from mailer.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

LIGHT = {
    "page": "#f2f0eb",
    "paper": "#fdfcfa",
    "ink": "#25272c",
    "muted": "#5f636b",
    "accent": "#1d5c9e",
    "rule": "#e0dcd3",
    "tint": "#f3f0ea",
    "mark": "#fbeeb8",
}
DARK = {
    "dark_page": "#131417",
    "dark_paper": "#1c1e22",
    "dark_ink": "#e5e3de",
    "dark_muted": "#a4a6ac",
    "dark_accent": "#8ebbf0",
    "dark_rule": "#373a40",
    "dark_tint": "#272a2f",
    "dark_mark": "#5a4b12",
}
SANS = (
    "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Noto Sans', sans-serif"
)
SERIF = "Charter, 'Iowan Old Style', Georgia, 'Noto Serif', Cambria, 'Times New Roman', serif"
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace"
FONTS = {"font": SANS, "heading_font": SANS, "mono_font": MONO}
_NAMED_FONTS = {"sans": SANS, "serif": SERIF, "mono": MONO}
_FONT = re.compile(r"[A-Za-z0-9 ,'_-]{1,300}\Z")


def resolve_theme(settings: Mapping[str, str]) -> dict[str, str]:
    """Give every key of the theme, the list's settings over the defaults.

    Raises UserError with all problems at once: unknown keys, values that are no colour or no font list.
    """
    problems = [problem for key, value in settings.items() if (problem := _problem(key, value))]
    if problems:
        raise UserError(*problems)
    theme = {**LIGHT, **DARK, **FONTS, **{key: _value(key, value) for key, value in settings.items()}}
    if "accent" in settings and "dark_accent" not in settings:
        theme["dark_accent"] = readable_on(theme["accent"], theme["dark_paper"])
    theme["on_accent"] = readable_on(theme["paper"], theme["accent"])
    theme["dark_on_accent"] = readable_on(theme["dark_paper"], theme["dark_accent"])
    return theme


def _value(key: str, value: str) -> str:
    return _NAMED_FONTS.get(value, value) if key in FONTS else value


def _problem(key: str, value: object) -> Problem | None:
    place = f"theme.{key}"
    if key in FONTS:
        if isinstance(value, str) and _FONT.match(value) and value.count("'") % 2 == 0:
            return None
        return Problem(
            'is not a list of font names; write sans, serif, or names as "Georgia, serif"', key=place
        )
    if key not in LIGHT and key not in DARK:
        known = ", ".join([*LIGHT, *DARK, *FONTS])
        return Problem(f"is not a key of the theme; there are {known}", key=place)
    if isinstance(value, str) and is_colour(value):
        return None
    return Problem('is not a colour; write it as "#1d5c9e"', key=place)
