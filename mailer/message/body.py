"""The body: text and HTML as multipart/alternative, the text first (S22), each encoded once.

The boundary holds "=_", which neither quoted-printable nor base64 can contain (RFC 2045, section 6.7), so no value of
any reader can look like one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import quote

from mailer.edition.model import Context, Slot
from mailer.message.flowed import flowed
from mailer.message.layout import Hole, tidy
from mailer.message.links import PATHS, SLOTS
from mailer.message.value import ESCAPES, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailer.edition.model import Slotted
    from mailer.message.layout import Layout


def boundary(*seen: str) -> str:
    """Give a boundary that the same content always has."""
    digest = hashlib.sha256("\0".join(seen).encode("utf-8", "replace"))
    return f"=_{digest.hexdigest()[:32]}"


def multipart(edge: str) -> bytes:
    """Give the Content-Type field of both parts together."""
    return f'Content-Type: multipart/alternative;\r\n boundary="{edge}"\r\n'.encode("ascii")


def alternative(
    layout: Layout, text: Slotted, html: Slotted | None, edge: str, holes: Callable[[Slot], list[str | Hole]]
) -> None:
    """Add both parts and their boundaries; `holes` says what stands for a slot."""
    layout.fixed(f"--{edge}\r\n".encode("ascii"))
    text_part(layout, text, holes)
    if html is not None:
        layout.fixed(f"\r\n--{edge}\r\n".encode("ascii"))
        layout.part("text/html; charset=utf-8", _holed(html, holes))
    layout.fixed(f"\r\n--{edge}--\r\n".encode("ascii"))


def text_part(layout: Layout, text: Slotted, holes: Callable[[Slot], list[str | Hole]]) -> None:
    """Add the text, flowed where it can be (F01-F04), as a part with its own header."""
    reflowing = flowed(_with_lf(text))
    media = "text/plain; charset=utf-8"
    if reflowing is not None:
        media += "; format=flowed; delsp=no"
    layout.part(media, _holed(text if reflowing is None else reflowing, holes))


def _with_lf(text: Slotted) -> Slotted:
    """Give the text with neighbouring strings joined, and LF line ends."""
    out: list[str | Slot] = [""]
    for part in text:
        if isinstance(part, str) and isinstance(out[-1], str):
            out[-1] += part
        else:
            out.append(part)
    return tuple(_lf(part) if isinstance(part, str) else part for part in out)


def _lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _holed(text: Slotted, holes: Callable[[Slot], list[str | Hole]]) -> list[str | Hole]:
    parts: list[str | Hole] = []
    for part in _with_lf(text):
        parts += [part] if isinstance(part, str) else holes(part)
    return tidy(parts)


def link_hole(slot: Slot, public_url: str, number: int) -> list[str | Hole]:
    """Give what stands for a link of ours: its fixed beginning, escaped for the context, and its token."""
    start = public_url + PATHS[SLOTS[slot.name]]
    fixed = quote(start, safe="") if slot.context is Context.URL else ESCAPES[slot.context](start)
    return [fixed, Hole(number, same, token=True)]
