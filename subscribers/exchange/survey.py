"""What a file is, found out in one quick pass: its digest, its lines, and the encoding of each part.

A ZIP is taken as it comes: its tables of people are the parts, in the order of their names. Nothing is
unpacked to the disk, and a ZIP that would unpack to more than 8 GB is refused. UTF-8 (with or without BOM,
even with a few octets that are none) and UTF-16 are recognised; of anything else charset-normalizer makes the
best of a sample.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import re
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from subscribers.errors import BadFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = 1 << 18
SAMPLE = 1 << 16
MOST_OCTETS = 8 << 30
_WORDS = re.compile(rb"[A-Za-z\x80-\xff]+")
TABLES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Part:
    """One table: the file itself (`member` is None), or a member of a ZIP."""

    name: str
    member: str | None
    encoding: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file is. `lines` is close to the number of records; `digest` is SHA-256 in hex."""

    path: Path
    digest: str
    lines: int
    parts: tuple[Part, ...]


def survey(path: Path, encoding: str | None = None) -> Survey:
    """Read a file once and say what it is; raises BadFile for one that cannot be read.

    `encoding` is what a person knows of it; without that it is found out, or guessed.
    """
    _require_known(encoding)
    try:
        members = _members(path)
        digest = hashlib.sha256()
        lines, parts = 0, []
        for member in members:
            with open_part(path, member) as stream:
                found, guess = _scan(stream, digest)
            lines += found
            parts.append(Part(member or path.name, member, encoding or guess))
    except (
        OSError,
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
    ) as error:
        raise BadFile(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return Survey(path, digest.hexdigest(), lines, tuple(parts))


def _require_known(encoding: str | None) -> None:
    try:
        "".encode(encoding or "utf-8")
    except LookupError:
        raise BadFile(f"there is no encoding {encoding!r}") from None


def _members(path: Path) -> list[str | None]:
    if not zipfile.is_zipfile(path):
        return [None]
    with zipfile.ZipFile(path) as archive:
        tables = [
            info
            for info in archive.infolist()
            if info.filename.lower().endswith(TABLES) and not _hidden(info.filename)
        ]
    if sum(info.file_size for info in tables) > MOST_OCTETS:
        raise BadFile(f"{path} would unpack to more than {MOST_OCTETS >> 30} GB")
    people = [info.filename for info in tables if _of_people(info.filename)]
    if not people:
        raise BadFile(f"{path} holds no table of people ({', '.join(TABLES)})")
    return [*sorted(people)]


def _hidden(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")


def _of_people(name: str) -> bool:
    """Tell tables of people from the tables of posts, opens and deliveries beside them in a Substack ZIP."""
    folder, _, last = name.lower().rpartition("/")
    return "posts" not in folder.split("/") and last not in {"posts.csv", "readme.txt"}


@contextmanager
def open_part(path: Path, member: str | None) -> Iterator[IO[bytes]]:
    """Give the octets of a part."""
    if member is None:
        with path.open("rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
        yield stream


def _scan(stream: IO[bytes], digest: hashlib._Hash) -> tuple[int, str]:
    """Count the lines, feed the digest, and find the encoding."""
    lines, octets, signs, faults = 0, 0, 0, 0
    first = stream.read(BLOCK)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    sample, block = b"", first
    while block:
        octets += len(block)
        if octets > MOST_OCTETS:
            raise BadFile(f"the file is larger than {MOST_OCTETS >> 30} GB")
        digest.update(block)
        lines += block.count(b"\n") or block.count(b"\r")
        text = decoder.decode(block)
        if not text.isascii():
            found = text.count("\ufffd")
            sample = sample or (block if found else b"")
            faults += found
            signs += len(text) - len(text.encode("ascii", "ignore")) - found
        block = stream.read(BLOCK)
    faults += len(decoder.decode(b"", final=True))  # a letter that the end of the file cuts short
    return lines, _encoding(first, sample, utf8=not faults or signs > faults)


def _encoding(first: bytes, sample: bytes, *, utf8: bool) -> str:
    """Say what the octets are. `utf8` is whether they read as UTF-8, all in all.

    Letters beyond ASCII are two octets and more of a pattern that another encoding meets by rare chance; so a file
    with more of these than of octets that fit nowhere is UTF-8 with a few bad ones, and not mojibake from end to end.
    """
    if first.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # UTF-16 without its mark: every second octet of a table's head is nought.
    if first[1:2] == b"\0" and first[:1] != b"\0":
        return "utf-16-le"
    if utf8:
        return "utf-8-sig"
    return _guess(sample)


def _guess(sample: bytes) -> str:
    """Guess an eight-bit encoding: what Windows writes in the west, unless whole words are beyond ASCII."""
    words = [word for word in _WORDS.findall(sample[:SAMPLE]) if not word.isascii()]
    beyond = sum(octet > 127 for word in words for octet in word)
    if beyond < 0.6 * sum(map(len, words)):
        return "cp1252"
    from charset_normalizer import from_bytes  # noqa: PLC0415 - 50 ms that few files need

    best = from_bytes(b" ".join(words)).best()
    return best.encoding if best is not None and not best.encoding.startswith("utf") else "cp1252"


@contextmanager
def open_text(path: Path, part: Part) -> Iterator[io.TextIOWrapper]:
    """Give the text of a part; what does not fit its encoding becomes a mark that no address may hold."""
    with (
        open_part(path, part.member) as stream,
        io.TextIOWrapper(stream, encoding=part.encoding, errors="replace", newline="") as text,
    ):
        yield text
