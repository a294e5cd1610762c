"""How people come in files, as the command line sees it: the question, the progress, the outcome, the way back."""

from __future__ import annotations

import signal
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailer.cli.output import confirm, emit, note, say, visible
from mailer.cli.people import changing, now, refusals
from mailer.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy import Connection

    from mailer.cli.workplace import Workplace
    from subscribers import ImportResult, Survey


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the flags of an import say."""

    list_key: str
    basis: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    revive: bool = False


def bring_in(
    place: Workplace, file: Path | None, wishes: Wishes, *, dry_run: bool, yes: bool, many: int
) -> None:
    """Import a file; asks where it is long."""
    from subscribers import survey  # noqa: PLC0415 - SQLAlchemy costs 150 ms

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
        if wishes.revive:
            _list_the_revived(_bring(place, facts, wishes, dry_run=True), dry_run=dry_run, yes=yes)
        with _stoppable() as look:
            show = _progress(look)
            result = _bring(place, facts, wishes, dry_run=dry_run, progress=show).result
    emit(result)
    _tell(result, wishes.list_key)


@dataclass(frozen=True, slots=True)
class _Brought:
    """What an import did, and with a dry run whom it would bring back."""

    result: ImportResult
    revived: list[str]


def _bring(
    place: Workplace,
    facts: Survey,
    wishes: Wishes,
    *,
    dry_run: bool,
    progress: Callable[[int, int], None] | None = None,
) -> _Brought:
    from mailer.database import writing  # noqa: PLC0415
    from subscribers import import_file  # noqa: PLC0415

    revived: list[str] = []
    result = import_file(
        lambda: writing(place.engine),
        facts.path,
        list_key=wishes.list_key,
        basis=wishes.basis or "dry run",
        now=now(),
        hash_key=place.keys.suppression,
        rejects=place.settings.state / "rejects",
        mapping=wishes.mapping,
        progress=progress,
        dry_run=dry_run,
        surveyed=facts,
        revive=wishes.revive,
        reviving=lambda email: revived.append(email) if len(revived) < _SHOWN else None,
    )
    return _Brought(result, revived)


_SHOWN = 20


def _list_the_revived(foretold: _Brought, *, dry_run: bool, yes: bool) -> None:
    """Name those whom an import would bring back, and ask whether they are meant."""
    count = foretold.result.revived
    for email in foretold.revived:
        note(f"  {visible(email)}")
    if count > len(foretold.revived):
        note(f"  and {count - len(foretold.revived):,} others")
    if count and not dry_run:
        confirm(f"Bring back {count:,} people who left, complained or whose mail came back?", yes=yes)


@contextmanager
def _stoppable() -> Iterator[Callable[[], None]]:
    """Give what ends the work if Ctrl-C was pressed: called between two transactions, it disturbs none.

    Pressed again, it strikes at once.
    """
    asked = threading.Event()

    def ask(*_: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    def look() -> None:
        if asked.is_set():
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, ask) if _in_main_thread() else None
    try:
        yield look
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _require_basis(basis: str, *, dry_run: bool) -> None:
    if not basis.strip() and not dry_run:
        raise UserError(
            Problem('by what right are these people mailed? --basis "sign-up form, 2019-2025"', key="basis")
        )


_BAR_SECONDS, _LINE_SECONDS = 0.2, 10.0


def _progress(look: Callable[[], None]) -> Callable[[int, int], None]:
    """Show how far an import is: a bar with rate and time left on a terminal, a plain line now and then elsewhere."""
    terminal = sys.stderr.isatty()
    began = shown = time.monotonic()

    def show(done: int, lines: int) -> None:
        nonlocal shown
        look()
        moment, ended = time.monotonic(), done >= lines
        if ended and terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        elif moment - shown > (_BAR_SECONDS if terminal else _LINE_SECONDS):
            shown = moment
            line = _how_far(done, lines, moment - began)
            if terminal:
                sys.stderr.write(f"\r{_bar(done, lines)} {line}\x1b[K")
                sys.stderr.flush()
            else:
                note(line)

    return show


def _bar(done: int, lines: int) -> str:
    filled = round(20 * min(done / max(lines, 1), 1))
    return "█" * filled + "░" * (20 - filled)


def _how_far(done: int, lines: int, seconds: float) -> str:
    rate = done / max(seconds, 0.001)
    left = max(lines - done, 0) / max(rate, 0.001)
    return f"{done:,} of about {lines:,} rows, {rate:,.0f}/s, {left:,.0f} s left"


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
    if result.revived:
        say(f"{result.revived:,} {verb} brought back")
    if result.repeat_of:
        say(
            f"This file was taken in before, by import {result.repeat_of}: nobody whom it named then is changed."
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
    "too many attributes": "what is known of them would be too much",
}


def undo(place: Workplace, import_id: int, *, yes: bool) -> None:
    """Take an import back."""
    from mailer.database import writing  # noqa: PLC0415
    from subscribers import undo_import  # noqa: PLC0415

    engine = place.engine
    confirm(
        f"Take import {import_id} back? Whoever it brought and nothing has touched since is removed.", yes=yes
    )
    with refusals(), _stoppable() as look:

        def connect() -> AbstractContextManager[Connection]:
            look()
            return writing(engine)

        result = undo_import(connect, import_id, now())
    emit(result)
    say(
        f"import {import_id} is taken back: {result.removed:,} people removed, {result.unsubscribed:,} off the list, "
        f"{result.restored:,} as they were, {result.lifted:,} suppressions lifted, {result.kept:,} kept"
    )
