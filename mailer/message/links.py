"""The URLs that a mail carries: one table, which the pages that answer them serve.

    {public_url}/unsubscribe/{token}   token of (subscriber, list)     GET shows a button, POST acts (RFC 8058)
    {public_url}/preferences/{token}   token of (subscriber, list)
    {public_url}/view/{token}          token of (subscriber, mailing)
    {public_url}/confirm/{token}       token of (subscriber, sign-up)  GET shows a button, POST confirms
    {public_url}/move/{token}          token of (subscriber, move)     from the new mailbox: POST moves
    {public_url}/undo/{token}          token of (subscriber, move)     from the old mailbox: POST takes it back
    {public_url}/manage                the same for everybody: asks for an address

Tokens are link tokens of mailer.keys for the purpose that the table names. Subscriber 0 is nobody: a token of it is
genuine and acts on no one, which is what test mails and samples carry.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from mailer.errors import Problem, UserError
from mailer.keys import Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping

PATHS: Final[Mapping[Purpose, str]] = MappingProxyType(
    {
        Purpose.UNSUBSCRIBE: "/unsubscribe/",
        Purpose.PREFERENCES: "/preferences/",
        Purpose.BROWSER: "/view/",
        Purpose.CONFIRM: "/confirm/",
        Purpose.MOVE: "/move/",
        Purpose.UNDO_MOVE: "/undo/",
    }
)
MANAGE: Final = "/manage"

SLOTS: Final[Mapping[str, Purpose]] = MappingProxyType(
    {
        "link.unsubscribe": Purpose.UNSUBSCRIBE,
        "link.preferences": Purpose.PREFERENCES,
        "link.browser": Purpose.BROWSER,
    }
)
"""The slots of an edition that are links of ours, and what each may be used for."""

NOWHERE: Final = "https://newsletter.invalid"
"""What stands for `public_url` in a sample of a newsletter that has none (RFC 2606: .invalid never resolves)."""

_PUBLIC_URL = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?")


def checked(public_url: str) -> str:
    """Give the address of the pages without its last slash; raises UserError if it is no plain http(s) URL."""
    if len(public_url) > 200 or not _PUBLIC_URL.fullmatch(public_url):
        message = f"{public_url!r} is no address of pages: write https://host/path, at most 200 characters"
        raise UserError(Problem(message, key="public_url"))
    return public_url.rstrip("/")


def link(public_url: str, purpose: Purpose, token: str) -> str:
    """Give the URL that carries a link token of this purpose."""
    return checked(public_url) + PATHS[purpose] + token
