"""The size of a local picture, from its first octets: PNG, JPEG, GIF and WebP. Reads little, decodes nothing."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_HEAD = 32
_JPEG_SEGMENTS = 100  # EXIF previews and colour profiles come in many
_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_LARGEST = 65_535


@dataclass(frozen=True, slots=True)
class PictureFile:
    """What the file says: pixels, and octets on the disk."""

    width: int
    height: int
    octets: int


def measure(path: Path) -> PictureFile | None:
    """Give the size of the picture at `path`, or None where it cannot be read or is none of the four formats."""
    try:
        octets = path.stat().st_size
        with path.open("rb") as file:
            size = _size(file.read(_HEAD), file)
    except (OSError, struct.error):
        return None
    if size is None or not all(0 < side <= _LARGEST for side in size):
        return None
    return PictureFile(*size, octets)


def _size(head: bytes, file: IO[bytes]) -> tuple[int, int] | None:
    if head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR":
        width, height = struct.unpack(">II", head[16:24])
        return width, height
    if head[:6] in (b"GIF87a", b"GIF89a"):
        width, height = struct.unpack("<HH", head[6:10])
        return width, height
    if head[:2] == b"\xff\xd8":
        return _jpeg(file)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head)
    return None


def _jpeg(file: IO[bytes]) -> tuple[int, int] | None:
    """Walk the segments to the frame header (ITU-T T.81, B.2.2)."""
    file.seek(2)
    for _ in range(_JPEG_SEGMENTS):
        marker = file.read(2)
        if len(marker) < 2 or marker[0] != 0xFF:
            return None
        if marker[1] in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", file.read(7)[3:7])
            return width, height
        (length,) = struct.unpack(">H", file.read(2))
        file.seek(length - 2, 1)
    return None


def _webp(head: bytes) -> tuple[int, int] | None:
    """RFC 9649, 2.5 to 2.7: lossy, lossless and extended."""
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if head[12:16] == b"VP8L" and head[20] == 0x2F:
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None
