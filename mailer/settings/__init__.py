"""mailer.toml and the environment, understood once: one frozen Settings for the whole program.

`load_settings` gives everything or a UserError with every problem at once; `find_folder` looks upwards for
the newsletter, as git does for a repository. Importing this face is cheap: pydantic is loaded when settings
are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.errors import Problem, UserError
from mailer.settings.model import (
    MOST_WORKERS,
    STATE,
    DomainLimit,
    ListSettings,
    RelaySettings,
    Settings,
    Tripwire,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "MOST_WORKERS",
    "STATE",
    "DomainLimit",
    "ListSettings",
    "RelaySettings",
    "Settings",
    "Tripwire",
    "find_folder",
    "load_settings",
    "seek_folder",
]


def load_settings(folder: Path, environ: Mapping[str, str]) -> Settings:
    """Give the settings of the newsletter in `folder`, the environment laid over them.

    Raises UserError with every problem, each with its key and line.
    """
    from mailer.settings.load import load_settings as load  # noqa: PLC0415 - pydantic costs 50 ms

    return load(folder, environ)


def seek_folder(start: Path) -> Path | None:
    """Give the nearest folder, from `start` upwards, that holds a mailer.toml, or None."""
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if (folder / "mailer.toml").is_file()), None)


def find_folder(start: Path) -> Path:
    """Give what seek_folder gives, or raise a UserError that says what to do."""
    folder = seek_folder(start)
    if folder is None:
        message = (
            "no mailer.toml here or in a folder above: `mailer init` makes a newsletter, -C DIR names one"
        )
        raise UserError(Problem(message, str(start)))
    return folder
