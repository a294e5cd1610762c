"""The newsletter that a command works on: its folder, settings, keys and database, opened when first used.

`workplace()` finds it from the working folder upwards and refuses where there is none; `workplace_here()`
gives None instead, for the commands that need no newsletter. Nothing is ever created here.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.cli.output import note
from mailer.settings import find_folder, load_settings, seek_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from mailer.keys import Keys
    from mailer.settings import ListSettings, Settings


class Workplace:
    """One newsletter, as a command sees it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def settings(self) -> Settings:
        """mailer.toml and the environment; raises UserError with every problem."""
        return load_settings(self.folder, os.environ)

    @cached_property
    def keys(self) -> Keys:
        """The ring of secrets: MAILER_SECRET, else .mailer/secret.key."""
        from mailer.keys import load_keys  # noqa: PLC0415

        return load_keys(self.settings.secret_file, self.settings.secret)

    @cached_property
    def engine(self) -> Engine:
        """The database of this newsletter: there, up to date and its own; else UserError says what to do."""
        from mailer.database import OldSchema, open_newsletter  # noqa: PLC0415 - SQLAlchemy costs 150 ms

        try:
            return _kept(open_newsletter(self.settings.database, self.settings.id))
        except OldSchema:
            if not self._upgraded():
                raise
        return _kept(open_newsletter(self.settings.database, self.settings.id))

    def _upgraded(self) -> bool:
        from mailer.backup.upgrade import upgrade_sqlite  # noqa: PLC0415 - needed once a version

        kept = upgrade_sqlite(self.raw_engine, self.settings.state / "workers")
        if kept is not None:
            note(f"the database was upgraded; as it was before it is kept as {kept}")
        return kept is not None

    @cached_property
    def raw_engine(self) -> Engine:
        """The database in whatever state it is, for upgrade and check; UserError if there is none."""
        from mailer.database import open_existing  # noqa: PLC0415

        return _kept(open_existing(self.settings.database))

    @property
    def has_database(self) -> bool:
        """Whether init has made a database; asking creates none."""
        from mailer.database import exists, open_engine  # noqa: PLC0415

        return exists(open_engine(self.settings.database))

    def lists(self, key: str | None = None) -> tuple[ListSettings, ...]:
        """Give the settings of the list that --list named, or of all lists."""
        return (self.settings.for_list(key),) if key else tuple(self.settings.lists.values())

    def files(self, lists: tuple[ListSettings, ...]) -> Iterator[tuple[ListSettings, Path]]:
        """Give every issue file of the lists with the list whose glob names it, in the order of the names."""
        for one in lists:
            found = {file for pattern in one.issues for file in self.folder.glob(pattern) if file.is_file()}
            yield from ((one, file) for file in sorted(found))


_opened: list[Engine] = []


def _kept(engine: Engine) -> Engine:
    _opened.append(engine)
    return engine


def close_engines() -> None:
    """Close every connection that the command opened; the frame calls it when the command has ended."""
    while _opened:
        _opened.pop().dispose()


def workplace() -> Workplace:
    """Give the newsletter around the working folder; raises UserError where there is none."""
    return Workplace(find_folder(Path.cwd()))


def workplace_here() -> Workplace | None:
    """Give the newsletter around the working folder, or None."""
    folder = seek_folder(Path.cwd())
    return Workplace(folder) if folder else None
