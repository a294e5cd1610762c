"""Maildir folders: a mail in `new` is heard and moved to `cur`, seen (S), or flagged (F) if nobody understood it.

Nothing is ever deleted, and one mail holds up no other. Only `new` is read: a file is there whole or not at all.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from mailer.errors import Problem, UserError
from mailer.feedback.intake.hearing import hear_one_of_many
from mailer.feedback.reading.mime import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mailer.delivery.ground import Ground

log = logging.getLogger(__name__)


def collect(ground: Ground, folder: Path, stopped: Callable[[], bool] = bool) -> int:
    """Hear what is new in a Maildir; give how many mails were. Raises UserError where there is none."""
    new, cur = folder / "new", folder / "cur"
    if not (new.is_dir() and cur.is_dir()):
        raise UserError(
            Problem("is no Maildir: it has no folders new and cur", str(folder), key="feedback.maildirs")
        )
    heard = 0
    for file in sorted(new.iterdir()):
        if stopped():
            break
        if (raw := _content(file)) is not None:
            heard += _take(ground, file, raw, cur)
    return heard


def _content(file: Path) -> bytes | None:
    if not file.is_file() or file.name.startswith("."):
        return None
    try:
        with file.open("rb") as stream:
            return stream.read(LARGEST)
    except FileNotFoundError:  # another process took it
        return None
    except OSError as error:
        log.warning("%s cannot be read: %s", file, error.strerror)
        return None


def _take(ground: Ground, file: Path, raw: bytes, cur: Path) -> int:
    heard = hear_one_of_many(ground, raw, channel="maildir")
    flag = "S" if heard is not None and heard.understood and not heard.person else "F"
    with contextlib.suppress(FileNotFoundError):  # as above
        file.rename(cur / f"{file.name.partition(':')[0]}:2,{flag}")
    return 1
