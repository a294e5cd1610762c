"""mailer db: the database's schema, its health, and one file that holds everything a newsletter must not lose."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mailer.cli.options import Yes
from mailer.cli.output import emit, note, say

app = typer.Typer(
    add_completion=False,
    help="Upgrade, check, back up, restore, copy and adopt the database.",
    no_args_is_help=True,
)


@app.command(epilog="Example: mailer db upgrade")
def upgrade() -> None:
    """Bring the database to the schema of this program; all of it, or nothing.

    Then each attribute that mailer.toml declares gets its index, and one that it no longer declares loses it.
    """
    from mailer import database  # noqa: PLC0415 - SQLAlchemy costs 150 ms
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.delivery.indexing import index  # noqa: PLC0415

    place = workplace()
    database.upgrade(place.raw_engine)
    newest = database.newest_revision()
    changed = index(place.raw_engine, place.settings.attributes)
    emit({"revision": newest, "indexes": changed})
    say(f"the database is at {newest}")
    if changed:
        say(f"indexes of attributes made or dropped: {changed}")


@app.command(epilog="Example: mailer db check")
def check() -> int:
    """Look for damage, broken references and an old schema; exit 1 if there is any."""
    from mailer import database  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415

    place = workplace()
    problems = database.check(place.raw_engine, place.settings.id)
    emit({"sound": not problems, "problems": problems})
    for problem in problems:
        say(str(problem), style="error")
    if not problems:
        say("the database is sound")
    return 1 if problems else 0


@app.command(epilog="Example: mailer db backup ~/backups/")
def backup(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="The file to write, or a folder for it.", show_default=False),
    ] = None,
) -> None:
    """Write database, journal and secret into one file that only you may read.

    It may run while `mailer send` does. Whoever has the file can read your subscribers and sign in your name: keep
    it as you keep the secret.
    """
    from mailer.backup import write_backup  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415

    place = workplace()
    now = datetime.now(UTC)
    target = file or Path()
    if target.is_dir():
        target /= f"{place.folder.name}-{now:%Y%m%d-%H%M%S}.mailer.tar.gz"
    kept = write_backup(target, place.settings, place.engine, now)
    emit({"file": target.resolve(), "octets": target.stat().st_size, "entries": kept})
    say(str(target))


@app.command(epilog="Example: mailer db restore ~/backups/news-20260714-095200.mailer.tar.gz")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `mailer db backup` wrote.")],
    yes: Yes = False,
) -> None:
    """Bring back database, journal and secret from a backup.

    Replacing a database that is there asks first; what was sent since the backup is then unknown to it. Stop every
    `mailer send` and `mailer run` of this newsletter before.
    """
    from mailer.backup import open_backup, restore_backup  # noqa: PLC0415
    from mailer.cli.output import confirm  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.database import exists, open_engine  # noqa: PLC0415

    place = workplace()
    with open_backup(file, place.settings) as opened:
        if exists(open_engine(place.settings.database)):
            question = f"Replace the database with that of {opened.made_at:%d %B %Y %H:%M} UTC?"
            confirm(f"{question} What happened since is lost.", yes=yes)
        restore_backup(opened, place.settings)
    emit({"file": file, "made_at": opened.made_at, "database": os.fspath(place.folder)})
    say(f"restored what was kept on {opened.made_at:%d %B %Y at %H:%M} UTC")
    note("next: `mailer db check`, then `mailer status` names the mailings that were on their way")


@app.command(epilog="Example: mailer db copy postgresql://mailer@db.example.org/mailer")
def copy(
    target: Annotated[
        str, typer.Argument(metavar="URL", help="An empty PostgreSQL database; the password from PGPASSWORD.")
    ],
) -> None:
    """Copy everything from SQLite to PostgreSQL, and hold it against the source row by row.

    All of it, or nothing; the database here stays as it is, and nobody writes to it meanwhile. A mailing on its way
    goes on there.
    """
    from mailer.backup.copy import copy_database  # noqa: PLC0415 - SQLAlchemy costs 150 ms
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.database import open_engine  # noqa: PLC0415

    engine = open_engine(target)
    try:
        rows = copy_database(workplace().engine, engine, lambda table, done: note(f"{table}: {done:,} rows"))
    finally:
        engine.dispose()
    total = sum(rows.values())
    emit({"rows": total, "tables": rows})
    say(f"{total:,} rows copied, each of them compared")
    note('next: `database = "postgresql://…"` in mailer.toml, then `mailer db check`')


@app.command(epilog="Example: mailer db adopt")
def adopt(yes: Yes = False) -> None:
    """Go on with a database that may not know all that was sent.

    After a restore, a copy or a move to another machine: what the journals know is told to it first. Whoever got an
    issue that neither knows of may get it again. Paused mailings stay so until `mailer resume`.
    """
    from mailer import events  # noqa: PLC0415 - SQLAlchemy costs 150 ms
    from mailer.cli.output import confirm  # noqa: PLC0415
    from mailer.cli.preparing import ground_of  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.delivery import custody  # noqa: PLC0415
    from mailer.delivery.custody import Trust, decide  # noqa: PLC0415

    ground = ground_of(workplace())
    seen = custody.look(ground)
    trust = decide(seen)
    if trust in {Trust.FRESH, Trust.SAME}:
        emit({"trust": trust, "adopted": False})
        say("the database knows all that was sent from here: nothing to adopt")
        return
    if trust not in {Trust.CATCH_UP, Trust.IN_USE}:
        note(custody.explain(trust, seen), style="warning")
        confirm("Adopt it? Whoever got what it does not know of may get it again.", yes=yes)
    told = custody.adopt(ground, events.person())
    emit({"trust": trust, "adopted": True, "proven": told.proven, "uncertain": told.uncertain})
    say(f"adopted; the journals settled {told.proven:,} deliveries, and {told.uncertain:,} are uncertain")
    note("next: `mailer status` names the mailings that are paused, and `mailer resume` lets them go on")
