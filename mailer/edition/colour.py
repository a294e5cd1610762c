"""Colours as the web writes them (#rgb, #rrggbb): contrast (WCAG 2.2, 1.4.3) and lightening for dark mode."""

from __future__ import annotations

import re

_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})\Z")
READABLE = 4.5  # WCAG 2.2, 1.4.3 Contrast (Minimum), level AA


def is_colour(text: str) -> bool:
    """Say whether `text` is a colour that every mail client understands; names and functions are not."""
    return _HEX.match(text) is not None


def _channels(colour: str) -> tuple[int, int, int]:
    digits = colour[1:]
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def _linear(channel: int) -> float:
    share = channel / 255
    return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)


def _luminance(colour: str) -> float:
    red, green, blue = map(_linear, _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Give the contrast ratio of two colours, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _mix(colour: str, towards: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(towards), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def readable_on(colour: str, ground: str) -> str:
    """Give `colour`, moved towards white or black until it can be read on `ground`."""
    towards = "#ffffff" if _luminance(ground) < 0.18 else "#000000"
    for step in range(20):
        candidate = _mix(colour, towards, step / 20)
        if contrast(candidate, ground) >= READABLE:
            return candidate
    return towards
