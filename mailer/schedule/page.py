"""The deploy gate: whether the issue's page on the web is there, and is the right one.

Promises: it answers 200 and carries the title, or a sentence says what was found; bounded in time (20 s), redirects
(5) and octets (2 MB). Only http and https are spoken, no cookie is kept, nothing that comes is evaluated.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from mailer.issue.prose import unescaped

if TYPE_CHECKING:
    import httpx

_SECONDS: Final = 20.0
_MOST: Final = 2_000_000
_REDIRECTS: Final = 5
_TAGS: Final = re.compile(r"<[^<>]{0,2000}>")
_OTHER_MARKS: Final = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2013": "-",
        "\u2014": "-",
        "\u2026": "...",
    }
)


def missing(url: str | None, title: str) -> str | None:
    """Say what is missing of the page at `url`, in a sentence; None where it answers 200 and carries the title.

    Blocks for 20 seconds at most; called in a thread that runs no event loop.
    """
    if not url:
        return "the issue has no address on the web: set base_url and permalink, or `canonical:` in the issue"
    try:
        # In a loop of its own: only there can the whole of it be given a limit, whatever drips in however slowly.
        return asyncio.run(_missing(url, title))
    except TimeoutError:
        return f"{url} does not answer within {_SECONDS:.0f} s"


async def _missing(url: str, title: str) -> str | None:
    import httpx  # noqa: PLC0415 - only newsletters that wait for their site need it

    try:
        async with (
            asyncio.timeout(_SECONDS),
            httpx.AsyncClient(
                timeout=_SECONDS, follow_redirects=True, max_redirects=_REDIRECTS, trust_env=False
            ) as client,
            client.stream("GET", url, headers={"User-Agent": "mailer"}) as answer,
        ):
            if answer.status_code != 200:
                return f"{url} answers {answer.status_code}"
            body = await _read(answer)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return f"{url} does not answer: {str(error) or type(error).__name__}"
    return None if carries(body, title) else f"{url} does not carry the title \u201c{title}\u201d"


async def _read(answer: httpx.Response) -> str:
    """Read what fits: the title stands near the top."""
    pieces: list[bytes] = []
    size = 0
    async for piece in answer.aiter_bytes(65_536):
        pieces.append(piece)
        size += len(piece)
        if size > _MOST:
            break
    return b"".join(pieces)[:_MOST].decode(answer.encoding or "utf-8", "replace")


def carries(body: str, title: str) -> bool:
    """Say whether the page's text holds the title; spaces, case, tags and the shape of quotes do not count."""
    wanted = _plain(title)
    return bool(wanted) and (wanted in _plain(body) or wanted in _plain(_TAGS.sub("", body)))


def _plain(text: str) -> str:
    return " ".join(unescaped(text).translate(_OTHER_MARKS).casefold().split())
