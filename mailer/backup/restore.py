"""The way back: first the database, which can fail, then the secret and the keys, then the journal."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailer.backup import postgresql, sqlite
from mailer.database import newest_revision, open_engine, upgrade, writing
from mailer.delivery import mailing
from mailer.delivery.states import MailingState
from mailer.errors import Problem, UserError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from mailer.backup.archive import Backup
    from mailer.settings import Settings


def restore_backup(backup: Backup, settings: Settings) -> None:
    """Put everything back; the database comes to this program's schema. Raises UserError, TryLater."""
    if backup.revision > newest_revision():
        raise UserError(
            Problem(f"the backup is at {backup.revision}, newer than this program: upgrade mailer")
        )
    engine = open_engine(settings.database)
    try:
        if engine.dialect.name == "sqlite":
            sqlite.restore(backup.folder / "mailer.db", engine)
            upgrade(engine)
        else:
            postgresql.restore(backup.files("tables"), backup.revision, backup.sequences, engine)
        _pause(engine, backup)
    finally:
        engine.dispose()
    _restore_secret(backup, settings)
    for file in backup.files("dkim"):
        _put(file, settings.state / "dkim" / file.name)
    for file in backup.files("journal"):
        _put_longer(file, settings.state / "journal" / file.name)
    _keep_out_of_git(settings.state)


def _pause(engine: Engine, backup: Backup) -> None:
    """Let no mailing run on by itself: who got it since the backup is not in this database."""
    reason = (
        f"restored from the backup of {backup.made_at:%d %B %Y %H:%M} UTC: what was sent since is not known"
    )
    now = datetime.now(UTC)
    with writing(engine) as connection:
        for one in mailing.every(connection, MailingState.RUNNING):
            mailing.move(connection, one.id, MailingState.PAUSED, now, reason)


def _restore_secret(backup: Backup, settings: Settings) -> None:
    secret = backup.folder / "secret.key"
    if secret.exists() and settings.secret is None:
        _put(secret, settings.secret_file)


def _put(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(source, scratch := target.with_name(f".{target.name}.new"))
    scratch.chmod(0o600)
    os.replace(scratch, target)  # noqa: PTH105 - atomic


def _put_longer(source: Path, target: Path) -> None:
    """Put back a journal, unless a longer one is there: it only grows, so the longer holds the shorter."""
    if not target.exists() or target.stat().st_size < source.stat().st_size:
        _put(source, target)


def _keep_out_of_git(state: Path) -> None:
    ignore = state / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
