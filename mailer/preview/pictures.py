"""Pictures that are not on the web yet: what base_url will serve tomorrow, the preview takes from the folder today.

Promises: only files inside the newsletter's folder, only those that the mail shows, only kinds that are pictures.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mailer.edition import Image, Masthead

KINDS: Final[Mapping[str, str]] = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".svg": "image/svg+xml",
}
LARGEST: Final = 30_000_000  # octets; no mail shows a larger one


def local_pictures(images: Iterable[Image], masthead: Masthead) -> tuple[tuple[str, Path], ...]:
    """Give (URL, file) for each picture below base_url that lies in the folder at the same path."""
    if not masthead.base_url or masthead.folder is None:
        return ()
    base = urlsplit(masthead.base_url)
    found = {}
    for image in images:
        place = urlsplit(image.url)
        if place.netloc == base.netloc and place.path.startswith(base.path.rstrip("/") + "/"):
            file = _inside(masthead.folder, unquote(place.path[len(base.path.rstrip("/")) + 1 :]))
            if file is not None:
                found[image.url] = file
    return tuple(found.items())


def _inside(folder: Path, name: str) -> Path | None:
    try:
        file = (folder / name).resolve()
        good = file.is_relative_to(folder.resolve()) and file.is_file() and file.stat().st_size <= LARGEST
    except (OSError, ValueError, RuntimeError):
        return None
    return file if good and file.suffix.lower() in KINDS else None


def with_local(html: str, pictures: Sequence[tuple[str, Path]]) -> str:
    """Give the mail's HTML with those pictures taken from the preview's own server, by number."""
    for number, (url, _) in enumerate(pictures):
        html = html.replace(f'src="{escape(url)}"', f'src="/picture?n={number}"')
    return html
