"""Mailgun: HMAC-SHA256 over timestamp and token, in the body.

documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks. The signature does not cover the events:
whoever saw one could send others under it, so a token is good for one body alone (router.py sees to that). Mailgun
tries for eight hours (…/webhooks/webhook-retries), and the window is wider than that.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from mailer.feedback.model import Kind, Permanence
from mailer.web.hooks.model import Facts, Post, Provider, Refused, Report, Row, Secrets
from mailer.web.hooks.reading import evidence, fresh, moment, parsed, table, token_of, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mailer.settings.hooks import HookSettings

WINDOW: Final = timedelta(hours=12)
_EVENTS: Final = "documentation.mailgun.com/docs/mailgun/user-manual/events/event-structure"
_HOOKS: Final = "documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks"
_FOR_GOOD, _FOR_NOW = Permanence.PERMANENT, Permanence.TEMPORARY

# event, severity, reason
ROWS: Final = (
    Row(("failed", "permanent", "suppress-bounce"), Kind.BOUNCE, _FOR_GOOD, "suppressed", source=_EVENTS),
    Row(("failed", "permanent", "suppress-complaint"), Kind.COMPLAINT, source=_EVENTS),
    Row(("failed", "permanent", "suppress-unsubscribe"), Kind.UNSUBSCRIBE, source=_EVENTS),
    Row(("failed", "permanent"), Kind.BOUNCE, _FOR_GOOD, source=_HOOKS),
    Row(("failed", "temporary"), Kind.BOUNCE, _FOR_NOW, source=_HOOKS),
    Row(("rejected",), Kind.BOUNCE, _FOR_GOOD, "policyviolation", source=_EVENTS),
    Row(("complained",), Kind.COMPLAINT, source=_HOOKS),
    Row(("unsubscribed",), Kind.UNSUBSCRIBE, source=_HOOKS),
    Row(("delivered",), Kind.DELIVERED, source=_HOOKS),
    Row(("accepted",), None, source=_HOOKS),
    Row(("opened",), None, source=_HOOKS),
    Row(("clicked",), None, source=_HOOKS),
    Row(("stored",), None, source=_EVENTS),
)


def verify(post: Post, _hook: HookSettings, secrets: Secrets) -> Report:
    """Believe a post whose signature is that of our signing key, and fresh."""
    body = parsed(post.body)
    signature = table(body, "signature")
    stamp, token = words(signature, "timestamp"), words(signature, "token")
    ours = hmac.new(secrets.secret.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    # The two are signed without anything between them: only a stamp of digits cannot end in a part of the token.
    parted = stamp.isascii() and stamp.isdecimal() and token
    if not parted or not hmac.compare_digest(ours.encode(), words(signature, "signature").encode()):
        raise Refused(403, "bad-signature", "the signature is not of our signing key")
    fresh(moment(signature, "timestamp"), post.at, WINDOW)
    event = table(body, "event-data")
    return Report(token[:200], (event,) if event else ())


def said(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the words that a row is chosen by."""
    return words(event, "event"), words(event, "severity"), words(event, "reason")


def facts(event: Mapping[str, Any]) -> Iterator[Facts]:
    """Give what an event says of its recipient."""
    message = table(event, "message", "headers")
    status = table(event, "delivery-status")
    recipient = words(event, "recipient") or words(message, "to")
    if not recipient:
        return
    yield Facts(
        recipient=recipient,
        key=words(event, "id"),
        status=words(status, "enhanced-code"),
        reply=f"{words(status, 'code')} {words(status, 'message', 'description')}".strip(),
        at=moment(event, "timestamp"),
        evidence=evidence(
            "mailgun",
            token=token_of(words(table(event, "envelope"), "sender")),
            message_id=words(message, "message-id"),
        ),
    )


PROVIDER: Final = Provider(verify, said, facts, ROWS)
