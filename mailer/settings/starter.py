"""A new mailer.toml: starter.toml, in which every setting is explained, with this newsletter's values put in.

Never overwrites a file. Values are written as TOML strings, so that no title can break out of its line.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mailer.errors import Problem, UserError

if TYPE_CHECKING:
    from uuid import UUID

    from mailer.settings.site import Site

_TEXT: Final = Path(__file__).with_name("starter.toml")
_ASIDE: Final = {"@BASE_URL@": "base_url", "@PERMALINK@": "permalink"}


@dataclass(frozen=True, slots=True)
class Answers:
    """What init asks, and with --yes takes as it stands here."""

    name: str
    sender: str = ""
    postal_address: str = "Example Newsletter, 1 Example Street, 12345 Example Town"
    base_url: str | None = None
    public_url: str = "https://news.example.org"
    permalink: str | None = None
    language: str = "en"
    time_zone: str = "UTC"
    issues: tuple[str, ...] = ("issues/*.md",)


def answers_for(folder: Path, site: Site | None) -> Answers:
    """Give what a folder and its site generator suggest."""
    name = (site and site.title) or folder.name.replace("-", " ").replace("_", " ").title() or "Newsletter"
    known = {
        field: value
        for field, value in (
            ("base_url", site and site.url),
            ("permalink", site and site.permalink),
            ("language", site and site.language),
            ("time_zone", site and site.time_zone),
            ("issues", site and site.issues),
        )
        if value
    }
    return Answers(name=name, **known)  # type: ignore[arg-type]


def starter(uuid: UUID, answers: Answers) -> str:
    """Give the text of a new mailer.toml."""
    values = {
        "ID": str(uuid),
        "NAME": answers.name,
        "FROM": answers.sender or f"{_phrase(answers.name)} <news@example.org>",
        "ADDRESS": answers.postal_address,
        "PUBLIC_URL": answers.public_url,
        "LANGUAGE": answers.language,
        "TIME_ZONE": answers.time_zone,
        "FEEDBACK_ID": uuid.hex[:12],
    }
    optional = {"base_url": answers.base_url, "permalink": answers.permalink}
    examples = {"base_url": "https://www.example.org/", "permalink": "/:year/:month/:day/:title/"}
    text = _TEXT.read_text(encoding="utf-8")
    for mark, key in _ASIDE.items():
        value = optional[key]
        text = text.replace(
            mark, f"{key} = {_quoted(value)}" if value else f"#{key} = {_quoted(examples[key])}"
        )
    text = text.replace("@ISSUES@", "[" + ", ".join(map(_quoted, answers.issues)) + "]")
    return re.sub(r'"@([A-Z_]+)@"', lambda found: _quoted(values[found[1]]), text)


def _quoted(value: str) -> str:
    """Give a TOML basic string: JSON's escapes are among TOML's, save for DEL, which JSON leaves raw."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _phrase(name: str) -> str:
    """Give a display name that can stand before an address (RFC 5322, section 3.2.5)."""
    plain = name.replace("\\", "").replace('"', "'")
    return f'"{plain}"' if re.search(r"[^\w\s'-]", plain) else plain


def write_new(file: Path, text: str, mode: int = 0o644) -> None:
    """Write a file that is not there yet; raises UserError if it is."""
    import os  # noqa: PLC0415

    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise UserError(Problem("is there already, and nothing is overwritten", str(file))) from None
    except OSError as error:
        raise UserError(Problem(f"cannot be written: {error.strerror}", str(file))) from None
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
