# ruff: noqa: INP001 - a script beside demo.py, no package
"""Draws the tide curve at the head of letter 72 as a PNG, with the standard library alone.

So the repository holds no picture, and the demonstration still has one. PNG: W3C, third edition, sections 5
and 11.
"""

from __future__ import annotations

import math
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WIDTH, HEIGHT = 1200, 480
SKY, FOAM = (236, 231, 219), (250, 250, 246)
SHALLOW, DEEP = (64, 128, 141), (18, 52, 77)


def tide(hours: float) -> float:
    """Give the height of the water from 0 to 1: the moon's tide, the sun's, and their daily inequality."""
    moon = math.cos(2 * math.pi * (hours - 5.4) / 12.42)
    daily = math.cos(2 * math.pi * (hours - 5.4) / 24.84)
    return 0.5 + 0.36 * moon + 0.08 * daily


def _pixel(y: int, surface: float) -> tuple[int, int, int]:
    if y < surface:
        return SKY
    if y < surface + 5:
        return FOAM
    depth = min(1.0, (y - surface) / HEIGHT * 1.4)
    return (
        round(SHALLOW[0] + (DEEP[0] - SHALLOW[0]) * depth),
        round(SHALLOW[1] + (DEEP[1] - SHALLOW[1]) * depth),
        round(SHALLOW[2] + (DEEP[2] - SHALLOW[2]) * depth),
    )


def _rows() -> Iterator[bytes]:
    surfaces = [HEIGHT * (0.92 - 0.8 * tide(24.84 * x / WIDTH)) for x in range(WIDTH)]
    for y in range(HEIGHT):
        yield b"\0" + b"".join(bytes(_pixel(y, surfaces[x])) for x in range(WIDTH))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def draw(path: Path) -> None:
    """Write the picture: 1,200 by 480 pixels, 8 bits a channel, about 45 KB."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(_rows()), 9)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")
    )
