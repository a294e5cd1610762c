"""Postmark: it signs nothing; basic authentication or a header of one's own proves it.

postmarkapp.com/developer/webhooks/webhooks-overview. A report has no time and no name: its content is its name, so a
repeated one is known, and a forged one needs the secret.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING, Any, Final

from mailer.feedback.model import Kind, Permanence
from mailer.web.hooks.model import Facts, Post, Provider, Refused, Report, Row, Secrets
from mailer.web.hooks.reading import delivery_of, digest, evidence, moment, objects, parsed, table, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mailer.settings.hooks import HookSettings

_TYPES: Final = "postmarkapp.com/developer/api/bounce-api#bounce-types"
_BOUNCE: Final = "postmarkapp.com/developer/webhooks/bounce-webhook"
_SPAM: Final = "postmarkapp.com/developer/webhooks/spam-complaint-webhook"
_CHANGE: Final = "postmarkapp.com/developer/webhooks/subscription-change-webhook"
_OTHER: Final = "postmarkapp.com/developer/webhooks/webhooks-overview"
_FOR_GOOD, _FOR_NOW = Permanence.PERMANENT, Permanence.TEMPORARY

# RecordType, Type or SuppressionReason, "suppressed" or "lifted" of a subscription change
ROWS: Final = (
    Row(("bounce", "hardbounce"), Kind.BOUNCE, _FOR_GOOD, source=_TYPES),
    Row(("bounce", "bademailaddress"), Kind.BOUNCE, _FOR_GOOD, "userunknown", hardbounce=True, source=_TYPES),
    Row(("bounce", "softbounce"), Kind.BOUNCE, _FOR_GOOD, source=_TYPES),
    Row(("bounce", "transient"), Kind.BOUNCE, _FOR_NOW, source=_TYPES),
    Row(("bounce", "dnserror"), Kind.BOUNCE, _FOR_NOW, source=_TYPES),
    Row(("bounce", "blocked"), Kind.BOUNCE, _FOR_GOOD, "blocked", source=_TYPES),
    Row(("bounce", "spamnotification"), Kind.BOUNCE, _FOR_GOOD, "spamdetected", source=_TYPES),
    Row(("bounce", "virusnotification"), Kind.BOUNCE, _FOR_GOOD, "virusdetected", source=_TYPES),
    Row(("bounce", "dmarcpolicy"), Kind.BOUNCE, _FOR_GOOD, "authfailure", source=_TYPES),
    Row(("bounce", "manuallydeactivated"), Kind.BOUNCE, _FOR_GOOD, "suppressed", source=_TYPES),
    Row(("bounce", "unconfirmed"), Kind.BOUNCE, _FOR_GOOD, "suppressed", source=_TYPES),
    Row(("bounce", "smtpapierror"), Kind.BOUNCE, _FOR_GOOD, "systemerror", source=_TYPES),
    Row(("bounce", "unknown"), Kind.BOUNCE, source=_TYPES),
    Row(("bounce", "unsubscribe"), Kind.UNSUBSCRIBE, source=_TYPES),
    Row(("bounce", "spamcomplaint"), Kind.COMPLAINT, source=_TYPES),
    Row(("bounce", "autoresponder"), Kind.AUTOREPLY, source=_TYPES),
    Row(("bounce", "challengeverification"), Kind.AUTOREPLY, source=_TYPES),
    Row(("bounce", "addresschange"), Kind.AUTOREPLY, source=_TYPES),
    Row(("bounce", "subscribe"), None, source=_TYPES),
    Row(("bounce", "openrelaytest"), None, source=_TYPES),
    Row(("bounce", "inbounderror"), None, source=_TYPES),
    Row(("bounce", "templaterenderingfailed"), None, source=_TYPES),
    Row(("spamcomplaint",), Kind.COMPLAINT, source=_SPAM),
    Row(("subscriptionchange", "", "lifted"), None, source=_CHANGE),
    Row(("subscriptionchange", "spamcomplaint"), Kind.COMPLAINT, source=_CHANGE),
    Row(("subscriptionchange", "manualsuppression"), Kind.UNSUBSCRIBE, source=_CHANGE),
    # The bounce itself was reported by a post of its own.
    Row(("subscriptionchange", "hardbounce"), None, source=_CHANGE),
    Row(("delivery",), Kind.DELIVERED, source=_OTHER),
    Row(("open",), None, source=_OTHER),
    Row(("click",), None, source=_OTHER),
)


def verify(post: Post, hook: HookSettings, secrets: Secrets) -> Report:
    """Believe a post that brings the secret, as a password or in our header."""
    given = post.headers.get(hook.header.lower(), "") if hook.header else ""
    wanted = secrets.secret
    if not given and hook.username:
        given, wanted = _basic(post.headers.get("authorization", "")), f"{hook.username}:{secrets.secret}"
    if not given:
        raise Refused(401, "no-secret", "the secret is missing")
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise Refused(403, "bad-secret", "the secret is another one")
    return Report(digest(post.body), objects([parsed(post.body)]))


def _basic(header: str) -> str:
    kind, _, encoded = header.partition(" ")
    try:
        return base64.b64decode(encoded, validate=True).decode() if kind.lower() == "basic" else ""
    except (binascii.Error, ValueError):
        return ""


def said(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the words that a row is chosen by."""
    change = (
        "" if event.get("SuppressSending") is None else "suppressed" if event["SuppressSending"] else "lifted"
    )
    return words(event, "RecordType"), words(event, "Type", "SuppressionReason"), change


def facts(event: Mapping[str, Any]) -> Iterator[Facts]:
    """Give what an event says of its recipient."""
    if not words(event, "Email", "Recipient"):
        return
    returned = event.get("Content")
    yield Facts(
        recipient=words(event, "Email", "Recipient"),
        key=words(event, "ID"),
        reply=words(event, "Details", "Description"),
        at=moment(event, "BouncedAt", "DeliveredAt", "ChangedAt", "ReceivedAt"),
        evidence=evidence(
            "postmark",
            # With "include bounce content" the returned header bears our own field; X-PM-Metadata-delivery may, too.
            envid=words(table(event, "Metadata"), "delivery")
            or delivery_of(returned if isinstance(returned, str) else ""),
            relay_id=words(event, "MessageID"),
        ),
    )


PROVIDER: Final = Provider(verify, said, facts, ROWS)
