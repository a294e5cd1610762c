"""One POST to a receiver: signed as Standard Webhooks says, bounded in time and octets, no redirect followed.

The address is the operator's own word, so it may be one of a private network; where it redirects to is not, so that is
never visited. What the receiver answers beside its status is thrown away.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from mailer.errors import Problem, UserError
from mailer.hooks.patience import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import httpx
    from standardwebhooks import Webhook

    from mailer.settings.hooks import WebhookSettings

SECONDS: Final = 10.0
_MOST: Final = 65_536  # octets of an answer that are read, so that the connection may serve again


def signers(receiver: WebhookSettings) -> tuple[Webhook, ...]:
    """Give a signer for each line of the receiver's secret, newest first; raises UserError, and shows none."""
    from standardwebhooks import Webhook  # noqa: PLC0415

    try:
        found = tuple(Webhook(one) for one in receiver.secret.read().split())
    except UserError:
        raise
    except Exception:  # noqa: BLE001 - the library raises what base64 raises, and errors of its own
        said = "the secret is none of Standard Webhooks: whsec_ and 24 to 64 octets in base64"
        raise UserError(Problem(said, "mailer.toml", key=f"webhooks.{receiver.name}")) from None
    return found


def headers_of(signing: tuple[Webhook, ...], key: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """Give what proves a message: its id, which never changes, the time of this try, and a signature a secret."""
    return {
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(one.sign(key, now, body.decode()) for one in signing),
        "content-type": "application/json",
        "user-agent": "newsletter-mailer",
    }


def client() -> httpx.AsyncClient:
    """Give the client that all posts go through."""
    import httpx  # noqa: PLC0415 - 60 ms that only this part needs

    return httpx.AsyncClient(
        timeout=httpx.Timeout(SECONDS, connect=SECONDS / 2),
        follow_redirects=False,
        trust_env=False,
        limits=httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=30),
    )


async def post(
    browser: httpx.AsyncClient, url: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> Answer:
    """Post; give the answer, or what went wrong. Never raises for what a receiver does, and always ends."""
    import httpx  # noqa: PLC0415

    try:
        async with (
            asyncio.timeout(SECONDS),
            browser.stream("POST", url, headers=headers, content=body) as answer,
        ):
            await _drained(answer)
            return Answer(answer.status_code, later=_later(answer.headers.get("retry-after", ""), now))
    except TimeoutError:
        return Answer(problem=f"no answer within {SECONDS:.0f} s")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as problem:
        return Answer(problem=type(problem).__name__)


async def _drained(answer: httpx.Response) -> None:
    got = 0
    async for chunk in answer.aiter_raw():
        got += len(chunk)
        if got > _MOST:
            return


def _later(text: str, now: datetime) -> timedelta | None:
    """Read a Retry-After: seconds, or a date (RFC 9110, section 10.2.3)."""
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**6))
    try:
        return parsedate_to_datetime(text) - now if text else None
    except (ValueError, TypeError, OverflowError):
        return None
