"""The site generator that a folder belongs to: what Jekyll's or Hugo's own configuration says of the newsletter.

Reads _config.yml, or hugo.* and config.* in TOML, YAML and JSON; takes only what it understands and never runs or
includes anything. A configuration that cannot be read is as good as none: init then asks or uses its defaults.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mailer.settings.values import language, time_zone, web_address

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_JEKYLL: Final = ("_config.yml", "_config.yaml", "_config.toml")
_HUGO: Final = tuple(
    f"{name}.{ending}" for name in ("hugo", "config") for ending in ("toml", "yaml", "yml", "json")
)
_SECTIONS: Final = ("newsletter", "newsletters", "issues", "posts", "post", "blog")
_MOST_OCTETS: Final = 200_000
_JEKYLL_PERMALINKS: Final[Mapping[str | None, str]] = {
    None: "/:categories/:year/:month/:day/:title.html",
    "date": "/:categories/:year/:month/:day/:title.html",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "ordinal": "/:categories/:year/:y_day/:title.html",
    "none": "/:categories/:title.html",
}


@dataclass(frozen=True, slots=True)
class Site:
    """What the configuration of a site tells; None where it says nothing that can be used."""

    generator: str
    file: str
    issues: tuple[str, ...]
    title: str | None = None
    url: str | None = None
    time_zone: str | None = None
    language: str | None = None
    permalink: str | None = None


def read_site(folder: Path) -> Site | None:
    """Give what the site generator's configuration in `folder` says, or None if there is none."""
    for name in _JEKYLL:
        if (folder / name).is_file():
            return _jekyll(name, _table(folder / name), folder)
    for name in _HUGO:
        if (folder / name).is_file() and (folder / "content").is_dir():
            return _hugo(name, _table(folder / name), folder)
    return None


def _table(file: Path) -> Mapping[str, Any]:
    """Read the file in the language of its name; what cannot be read is an empty table."""
    import yaml  # noqa: PLC0415 - only a site needs it

    readers: Mapping[str, Callable[[str], Any]] = {".toml": tomllib.loads, ".json": json.loads}
    if file.stat().st_size > _MOST_OCTETS:
        return {}
    try:
        value = readers.get(file.suffix, yaml.safe_load)(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    return value if isinstance(value, Mapping) else {}


def _jekyll(name: str, table: Mapping[str, Any], folder: Path) -> Site:
    url, base = _text(table, "url"), _text(table, "baseurl") or ""
    permalink = _text(table, "permalink")
    return Site(
        generator="Jekyll",
        file=name,
        issues=_endings("_posts", folder),
        title=_text(table, "title", "name"),
        url=_valid(web_address, f"{url.rstrip('/')}/{base.strip('/')}".rstrip("/") + "/") if url else None,
        time_zone=_valid(time_zone, _text(table, "timezone")),
        language=_valid(language, _text(table, "lang", "language", "locale")),
        permalink=_JEKYLL_PERMALINKS.get(permalink, permalink or ""),
    )


def _hugo(name: str, table: Mapping[str, Any], folder: Path) -> Site:
    section = next((name for name in _SECTIONS if (folder / "content" / name).is_dir()), None)
    below = f"content/{section}" if section else "content"
    permalinks = table.get("permalinks")
    pattern = _text(permalinks, section or "") if isinstance(permalinks, Mapping) else None
    return Site(
        generator="Hugo",
        file=name,
        issues=(f"{below}/*.md", f"{below}/*/index.md"),
        title=_text(table, "title"),
        url=_valid(web_address, _text(table, "baseURL", "baseurl", "baseUrl")),
        time_zone=_valid(time_zone, _text(table, "timeZone", "timezone")),
        language=_valid(language, _text(table, "locale", "languageCode", "defaultContentLanguage")),
        permalink=_hugo_permalink(pattern, section),
    )


def _hugo_permalink(pattern: str | None, section: str | None) -> str | None:
    """Put Hugo's pattern into our words; None where it is made of the title, which Hugo spells in a way of its own."""
    if pattern is None:
        return f"/{section}/:slug/" if section else None
    if re.search(r":(?:title|slug)\b", pattern):
        return None
    return re.sub(r":(?:slugor)?(?:contentbasename|filename)\b", ":slug", pattern)


def _endings(folder: str, root: Path) -> tuple[str, ...]:
    """Give the patterns for the endings in use there; *.md where there is nothing yet."""
    used = {file.suffix for file in (root / folder).glob("*")} & {".md", ".markdown", ".html", ".txt"}
    return tuple(f"{folder}/*{ending}" for ending in sorted(used or {".md"}, reverse=True))


def _text(table: Mapping[str, Any], *keys: str) -> str | None:
    """Give the first of the keys that holds a text of one line."""
    values = (table.get(key) for key in keys)
    return next(
        (" ".join(value.split()) for value in values if isinstance(value, str) and value.strip()), None
    )


def _valid(check: Callable[[str], str], value: str | None) -> str | None:
    with suppress(ValueError):
        return check(value) if value else None
    return None
