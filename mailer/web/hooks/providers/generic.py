"""Any relay that can post JSON: our own shape (docs/hooks.md), signed as Standard Webhooks says.

standardwebhooks.com: HMAC-SHA256 of id, timestamp and body; the timestamp is that of the attempt and may be five
minutes off. The library signs and this module compares, since its own comparison takes the time from the machine's
clock and stumbles over odd headers.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from mailer.feedback.model import Kind, Permanence
from mailer.web.hooks.model import Facts, Post, Provider, Refused, Report, Row, Secrets
from mailer.web.hooks.reading import delivery_of, evidence, fresh, moment, objects, parsed, token_of, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from mailer.settings.hooks import HookSettings

WINDOW: Final = timedelta(minutes=5)
_OURS: Final = "docs/hooks.md"
_FOR_GOOD, _FOR_NOW = Permanence.PERMANENT, Permanence.TEMPORARY

# type, permanence
ROWS: Final = (
    Row(("bounce", "temporary"), Kind.BOUNCE, _FOR_NOW, source=_OURS),
    Row(("bounce", "permanent"), Kind.BOUNCE, _FOR_GOOD, source=_OURS),
    Row(("bounce",), Kind.BOUNCE, source=_OURS),
    Row(("complaint",), Kind.COMPLAINT, source=_OURS),
    Row(("unsubscribe",), Kind.UNSUBSCRIBE, source=_OURS),
    Row(("delivered",), Kind.DELIVERED, source=_OURS),
    Row(("autoreply",), Kind.AUTOREPLY, source=_OURS),
)


def verify(post: Post, _hook: HookSettings, secrets: Secrets) -> Report:
    """Believe a post that is signed with our secret, now."""
    key = post.headers.get("webhook-id", "")
    stamp = moment({"t": post.headers.get("webhook-timestamp", "")}, "t")
    if not key or len(key) > 200 or stamp is None:
        raise Refused(401, "no-signature", "webhook-id, webhook-timestamp or webhook-signature is missing")
    given = post.headers.get("webhook-signature", "")[:4000].split(" ")
    ours = signature(secrets.secret, key, stamp, post.body)
    if not any(hmac.compare_digest(ours.encode(), one.encode()) for one in given):
        raise Refused(403, "bad-signature", "the signature is not of our secret")
    fresh(stamp, post.at, WINDOW)
    return Report(key, _events(parsed(post.body)))


def _events(body: Any) -> Sequence[Mapping[str, Any]]:
    """Give the events of a body: a list, an object that holds them, or one alone."""
    if isinstance(body, dict):
        body = body.get("events", [body])
    return objects(body)


def signature(secret: str, key: str, stamp: datetime, body: bytes) -> str:
    """Give the signature of a message, `v1,…`; raises Refused where the body is no text."""
    from standardwebhooks import Webhook  # noqa: PLC0415

    try:
        return Webhook(secret).sign(key, stamp, body.decode())
    except UnicodeDecodeError:
        raise Refused(400, "not-json", "the body is no JSON in UTF-8") from None


def said(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the words that a row is chosen by."""
    return words(event, "type"), words(event, "permanence")


def facts(event: Mapping[str, Any]) -> Iterator[Facts]:
    """Give what an event says of its recipient."""
    header = event.get("header")
    if not words(event, "recipient"):
        return
    yield Facts(
        recipient=words(event, "recipient"),
        key=words(event, "id"),
        status=words(event, "status"),
        reply=words(event, "reply"),
        at=moment(event, "at"),
        evidence=evidence(
            "generic",
            token=token_of(words(event, "sender")),
            envid=words(event, "envid") or delivery_of(header if isinstance(header, str) else ""),
            message_id=words(event, "message_id"),
            relay_id=words(event, "relay_id"),
        ),
    )


PROVIDER: Final = Provider(verify, said, facts, ROWS)
