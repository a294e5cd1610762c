"""The place: which machine's locks can be asked whether a worker lives.

A host name does not tell: two containers may share one. So a place is a UUID in a file beside the locks, with that
file's inode and the kernel's boot in it: a copied folder, a clone and a second container are places of their own.
Where machines share a database a restart makes a new place: workers before it are dead once they were silent for long.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from mailer.delivery.journal import boot

if TYPE_CHECKING:
    from pathlib import Path


def place_of(folder: Path, *, shared: bool) -> str:
    """Give the place that this folder of locks is, made at the first question.

    `shared` says that other machines may use the database: only then does a restart of the machine make another place.
    """
    file = folder / "place"
    found = _read(file, shared=shared)
    if found:
        return found
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = folder / f".place.{os.getpid()}.{uuid4().hex}"
    with scratch.open("x") as stream:
        made = str(uuid4())
        stream.write(f"{made} {os.fstat(stream.fileno()).st_ino} {boot()}\n")
    with suppress(FileNotFoundError):
        file.unlink()  # it speaks of another machine
    try:
        os.link(scratch, file)  # of two that make it at once, one is first
    except FileExistsError:
        made = _read(file, shared=shared) or made
    finally:
        scratch.unlink()
    return made


def _read(file: Path, *, shared: bool) -> str:
    try:
        with file.open() as stream:
            words = [*stream.readline().rstrip("\n").split(" "), "", ""][:3]
            inode = str(os.fstat(stream.fileno()).st_ino)
    except FileNotFoundError:
        return ""
    ours = words[1] == inode and (words[2] == boot() or not shared)
    return words[0] if ours else ""
