"""The file: a tar.gz with a manifest, the database, the secret, the DKIM keys and the journal.

Every name inside is checked against a list of patterns, so no archive can write elsewhere; a file that is damaged or
was cut short is told as such.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tarfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any, Final

from mailer import __version__
from mailer.backup import postgresql, sqlite
from mailer.database import reading, revision
from mailer.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from mailer.settings import Settings

_FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_NAMES: Final = re.compile(
    r"manifest\.json|mailer\.db|secret\.key|(?:dkim|journal)/[A-Za-z0-9][\w.-]{0,99}|tables/[a-z_]{1,63}\.copy"
)
_KEPT: Final = ("dkim", "journal")


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was unpacked into a folder of its own and found to be this newsletter's."""

    folder: Path
    made_at: datetime
    revision: str
    sequences: dict[str, int]

    def files(self, below: str) -> list[Path]:
        """Give the files of one of its folders."""
        return sorted((self.folder / below).glob("*"))


def write_backup(target: Path, settings: Settings, engine: Engine, now: datetime) -> list[str]:
    """Write the backup to `target` (mode 0600); give the names inside. Raises UserError if `target` exists."""
    with TemporaryDirectory(dir=target.parent, prefix=".backup-") as scratch:
        folder = Path(scratch)
        manifest = _dump(folder, settings, engine, now)
        # After the database: a journal only grows, so it knows at least what the database knows.
        _collect(folder, settings)
        (folder / _MANIFEST).write_text(json.dumps(manifest))
        names = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
        _pack(target, folder, [_MANIFEST, *(name for name in names if name != _MANIFEST)])
    return names


def _dump(folder: Path, settings: Settings, engine: Engine, now: datetime) -> dict[str, Any]:
    kind = engine.dialect.name
    sequences = postgresql.dump(engine, folder) if kind == "postgresql" else sqlite.dump(engine, folder)
    with reading(engine) as connection:
        found = revision(connection)
    return {
        "format": _FORMAT,
        "newsletter": str(settings.id),
        "made_at": now.isoformat(),
        "database": kind,
        "revision": found,
        "sequences": sequences,
        "mailer": __version__,
    }


def _collect(folder: Path, settings: Settings) -> None:
    """Copy the secret, wherever it stands, and the folders of the state that belong into a backup."""
    if settings.secret is not None:
        (folder / "secret.key").write_text(settings.secret)
    elif settings.secret_file.exists():
        shutil.copyfile(settings.secret_file, folder / "secret.key")
    for name in _KEPT:
        for file in (settings.state / name).glob("*"):
            if file.is_file() and _NAMES.fullmatch(f"{name}/{file.name}"):
                (folder / name).mkdir(exist_ok=True)
                shutil.copyfile(file, folder / name / file.name)


def _pack(target: Path, folder: Path, names: list[str]) -> None:
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UserError(Problem("is there already, and nothing is overwritten", str(target))) from None
    except OSError as error:
        raise UserError(Problem(f"cannot be written: {error.strerror}", str(target))) from None
    try:
        with os.fdopen(handle, "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
            for name in names:
                archive.add(folder / name, name, filter=_anonymous)
            archive.close()
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


@contextmanager
def open_backup(file: Path, settings: Settings) -> Iterator[Backup]:
    """Unpack a backup of this newsletter and give what it holds; raises UserError for any other file."""
    settings.state.mkdir(mode=0o700, exist_ok=True)
    with TemporaryDirectory(dir=settings.state, prefix=".restore-") as scratch:
        folder = Path(scratch)
        _unpack(file, folder)
        yield _understood(file, folder, settings)


def _unpack(file: Path, folder: Path) -> None:
    try:
        with tarfile.open(file, "r:gz") as archive:
            for member in archive:
                _take(archive, member, folder)
            _read_to_the_end(archive)
    except FileNotFoundError:
        raise UserError(Problem("there is no such file", str(file))) from None
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
        raise UserError(Problem(f"is no whole backup: {error}", str(file))) from None


def _read_to_the_end(archive: tarfile.TarFile) -> None:
    """Read what stands behind the last file, too: only there gzip's checksum shows that nothing is cut off."""
    rest: Any = archive.fileobj
    while rest.read(1 << 20):
        pass


def _take(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    if not member.isreg() or not _NAMES.fullmatch(member.name):
        raise ValueError(f"it holds {member.name!r}, which no backup does")
    source: IO[bytes] | None = archive.extractfile(member)
    place = folder / member.name
    place.parent.mkdir(exist_ok=True)
    with place.open("xb") as target:
        place.chmod(0o600)
        shutil.copyfileobj(source, target) if source else None


def _understood(file: Path, folder: Path, settings: Settings) -> Backup:
    try:
        manifest = json.loads((folder / _MANIFEST).read_text())
        made_at = datetime.fromisoformat(manifest["made_at"])
        sequences = {str(name): int(value) for name, value in dict(manifest["sequences"]).items()}
        found = Backup(folder, made_at, str(manifest["revision"]), sequences)
        form, newsletter, kind = manifest["format"], manifest["newsletter"], manifest["database"]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(Problem("is no backup of a newsletter", str(file))) from None
    if form != _FORMAT:
        raise UserError(Problem("was made by a newer mailer: upgrade mailer", str(file)))
    if newsletter != str(settings.id):
        message = (
            f"is a backup of another newsletter: its id is {newsletter}, that of mailer.toml {settings.id}"
        )
        raise UserError(Problem(message, str(file), key="id"))
    if kind != settings.database.partition(":")[0].partition("+")[0].replace("postgres:", "postgresql:"):
        message = f"holds a {kind} database, and mailer.toml names another kind"
        raise UserError(Problem(message, str(file), key="database"))
    return found
