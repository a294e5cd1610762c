"""How people come and leave in files, as the command line sees it: the question, the progress, the outcome."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mailer.cli.output import confirm, emit, note, say, visible
from mailer.cli.people import changing, looking, now, refusals
from mailer.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mailer.cli.workplace import Workplace
    from subscribers import ImportResult


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the flags of an import say."""

    list_key: str
    basis: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None


def bring_in(
    place: Workplace, file: Path | None, wishes: Wishes, *, dry_run: bool, yes: bool, many: int
) -> None:
    """Import a file; asks where it is long."""
    from mailer.database import writing  # noqa: PLC0415 - SQLAlchemy costs 150 ms
    from subscribers import import_file, survey  # noqa: PLC0415

    if file is None:
        raise UserError(Problem("which file? `mailer subscribers import FILE`", key="file"))
    _require_basis(wishes.basis, dry_run=dry_run)
    with refusals(file):
        facts = survey(file, wishes.encoding)
        if facts.lines > many and not dry_run:
            confirm(
                f"Make up to {facts.lines:,} people of {file.name} readers of {wishes.list_key}?", yes=yes
            )
        with changing(place):
            pass  # lists that are new in mailer.toml come into being
        result = import_file(
            lambda: writing(place.engine),
            file,
            list_key=wishes.list_key,
            basis=wishes.basis or "dry run",
            now=now(),
            hash_key=place.keys.suppression,
            rejects=place.settings.state / "rejects",
            mapping=wishes.mapping,
            progress=_progress(),
            dry_run=dry_run,
            surveyed=facts,
        )
    emit(result)
    _tell(result, wishes.list_key)


def _require_basis(basis: str, *, dry_run: bool) -> None:
    if not basis.strip() and not dry_run:
        raise UserError(
            Problem('by what right are these people mailed? --basis "sign-up form, 2019-2025"', key="basis")
        )


def _progress() -> Callable[[int, int], None] | None:
    """Show how far an import is, on a terminal."""
    if not sys.stderr.isatty():
        return None
    began, shown = time.monotonic(), 0.0

    def show(done: int, lines: int) -> None:
        nonlocal shown
        moment = time.monotonic()
        if moment - shown > 0.2 or done >= lines:
            shown = moment
            rate = done / max(moment - began, 0.001)
            sys.stderr.write(f"\r{done:,} of about {max(lines, done):,} rows, {rate:,.0f}/s \x1b[K")
            sys.stderr.write("\r\x1b[K" if done >= lines else "")
            sys.stderr.flush()

    return show


def _tell(result: ImportResult, list_key: str) -> None:
    if result.tool:
        say(f"An export of {result.tool}.")
    say(f"Columns: {visible(result.columns)}")
    if result.left_out:
        say(f"Left out, for it holds no people: {visible(', '.join(result.left_out))}", style="warning")
    verb = "would be" if result.dry_run else "are"
    say(
        f"{result.records:,} rows: {result.added + result.joined:,} {verb} new on {list_key} "
        f"({result.added:,} new people), {result.updated:,} updated, {result.unchanged:,} unchanged"
    )
    for reason, count in sorted(result.refused.items()):
        say(f"{count:,} not taken: {_REFUSED.get(reason, reason)}")
    if result.rejected:
        where = f": {result.rejects}" if result.rejects else ""
        say(f"{result.rejected:,} rejected{where}", style="warning")
    if result.id is not None:
        note(f"import {result.id}; `mailer subscribers import --undo {result.id}` takes it back")


_REFUSED = {
    "left": "they left",
    "complained": "they reported mail as unwanted",
    "dead": "mail to them comes back",
    "suppressed": "they are suppressed",
    "not confirmed": "they never confirmed",
}


def undo(place: Workplace, import_id: int, *, yes: bool) -> None:
    """Take an import back."""
    from mailer.database import writing  # noqa: PLC0415
    from subscribers import undo_import  # noqa: PLC0415

    engine = place.engine
    confirm(
        f"Take import {import_id} back? Whoever it brought and nothing has touched since is removed.", yes=yes
    )
    with refusals():
        result = undo_import(lambda: writing(engine), import_id, now())
    emit(result)
    say(
        f"import {import_id} is taken back: {result.removed:,} people removed, {result.unsubscribed:,} off the list, "
        f"{result.restored:,} as they were, {result.lifted:,} suppressions lifted, {result.kept:,} kept"
    )


def write_out(place: Workplace, list_key: str, kind: str, out: Path | None) -> int:
    """Export a list; give how many people."""
    from subscribers import export_columns, export_rows, write_csv  # noqa: PLC0415

    with looking(place) as connection, _target(out) as stream:
        rows = export_rows(connection, list_key)
        if kind == "csv":
            return write_csv(stream, export_columns(connection, list_key), rows)
        count = 0
        for count, row in enumerate(rows, 1):  # noqa: B007 - the count is the result
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        return count


@contextmanager
def _target(out: Path | None) -> Iterator[IO[str]]:
    """Give stdout, or a file that only its owner may read: it holds everybody's address."""
    if out is None:
        yield sys.stdout
        return
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise UserError(Problem(f"cannot be written: {error.strerror}", str(out))) from None
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
        yield stream
