"""Maildir folders: a mail in `new` is heard and moved to `cur`, seen (S), or flagged (F) if nobody understood it.

Nothing is ever deleted, and only what is in `new` is read: a file is there whole or not at all.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Final

from mailer.errors import Problem, UserError
from mailer.feedback.intake.hearing import hear_mail
from mailer.feedback.reading.mime import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mailer.delivery.ground import Ground

log = logging.getLogger(__name__)
_ROUND: Final = 1_000


def collect(ground: Ground, folder: Path, stopped: Callable[[], bool] = bool) -> int:
    """Hear what is new in a Maildir; give how many mails were. Raises UserError where there is none."""
    new, cur = folder / "new", folder / "cur"
    if not (new.is_dir() and cur.is_dir()):
        raise UserError(
            Problem("is no Maildir: it has no folders new and cur", str(folder), key="feedback.maildirs")
        )
    heard = 0
    for file in sorted(new.iterdir())[:_ROUND]:
        if stopped():
            break
        with contextlib.suppress(FileNotFoundError):  # another process took it
            heard += _take(ground, file, cur)
    return heard


def _take(ground: Ground, file: Path, cur: Path) -> int:
    if not file.is_file() or file.name.startswith("."):
        return 0
    with file.open("rb") as stream:
        raw = stream.read(LARGEST)
    heard = hear_mail(ground, raw, channel="maildir")
    flag = "S" if heard.understood and not heard.person else "F"
    file.rename(cur / f"{file.name.partition(':')[0]}:2,{flag}")
    return 1
