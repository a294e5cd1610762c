"""SendGrid: the signed event webhook, ECDSA over P-256 with SHA-256 of the timestamp and the raw body.

twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features. SendGrid tries
again for a day, so the window is a little wider; a report is known by its signature, which no two posts share.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from mailer.feedback.model import Kind, Permanence
from mailer.web.hooks.model import Facts, Post, Provider, Refused, Report, Row, Secrets
from mailer.web.hooks.reading import digest, evidence, fresh, moment, objects, parsed, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    from mailer.settings.hooks import HookSettings

WINDOW: Final = timedelta(hours=26)
SIGNATURE: Final = "x-twilio-email-event-webhook-signature"
TIMESTAMP: Final = "x-twilio-email-event-webhook-timestamp"
_EVENTS: Final = "twilio.com/docs/sendgrid/for-developers/tracking-events/event"
_CLASSES: Final = "twilio.com/docs/sendgrid/for-developers/tracking-events/event#bounce-classifications"
_DROPS: Final = "twilio.com/docs/sendgrid/for-developers/tracking-events/event#dropped"
_FOR_GOOD, _FOR_NOW = Permanence.PERMANENT, Permanence.TEMPORARY

# event, type, bounce_classification, reason of a drop
ROWS: Final = (
    Row(
        ("bounce", "", "invalid address"),
        Kind.BOUNCE,
        _FOR_GOOD,
        "userunknown",
        hardbounce=True,
        source=_CLASSES,
    ),
    Row(("bounce", "", "content"), Kind.BOUNCE, _FOR_GOOD, "contenterror", source=_CLASSES),
    Row(("bounce", "", "reputation"), Kind.BOUNCE, _FOR_GOOD, "badreputation", source=_CLASSES),
    Row(("bounce", "", "frequency/volume"), Kind.BOUNCE, _FOR_GOOD, "toomanyconn", source=_CLASSES),
    # Technical, mailbox unavailable, unclassified and what is new: the server's words say more.
    Row(("bounce",), Kind.BOUNCE, _FOR_GOOD, source=_EVENTS),
    Row(("deferred",), Kind.BOUNCE, _FOR_NOW, source=_EVENTS),
    Row(("dropped", "", "", "bounced address"), Kind.BOUNCE, _FOR_GOOD, "suppressed", source=_DROPS),
    Row(("dropped", "", "", "unsubscribed address"), Kind.UNSUBSCRIBE, source=_DROPS),
    Row(("dropped", "", "", "spam reporting address"), Kind.COMPLAINT, source=_DROPS),
    Row(("dropped", "", "", "invalid"), Kind.BOUNCE, _FOR_GOOD, source=_DROPS),
    Row(("dropped", "", "", "spam content"), Kind.BOUNCE, _FOR_GOOD, "contenterror", source=_DROPS),
    Row(("dropped",), Kind.BOUNCE, _FOR_GOOD, "policyviolation", source=_DROPS),
    Row(("spamreport",), Kind.COMPLAINT, source=_EVENTS),
    Row(("unsubscribe",), Kind.UNSUBSCRIBE, source=_EVENTS),
    Row(("group_unsubscribe",), Kind.UNSUBSCRIBE, source=_EVENTS),
    Row(("delivered",), Kind.DELIVERED, source=_EVENTS),
    Row(("group_resubscribe",), None, source=_EVENTS),
    Row(("processed",), None, source=_EVENTS),
    Row(("open",), None, source=_EVENTS),
    Row(("click",), None, source=_EVENTS),
    Row(("account_status_change",), None, source=_EVENTS),
)


def verify(post: Post, hook: HookSettings, _secrets: Secrets) -> Report:
    """Believe a post that is signed by the key of our settings, and fresh."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - 40 ms that only this hook needs
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    stamp = post.headers.get(TIMESTAMP, "")
    try:
        signature = base64.b64decode(post.headers.get(SIGNATURE, ""), validate=True)
        _key(hook.public_key).verify(signature, stamp.encode() + post.body, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        raise Refused(403, "bad-signature", "the signature is not of the verification key") from None
    fresh(moment({"t": stamp}, "t"), post.at, WINDOW)
    return Report(digest(stamp.encode(), post.body), objects(parsed(post.body)))


@lru_cache(maxsize=8)
def _key(text: str) -> EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415

    key = load_der_public_key(base64.b64decode(text))
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("the verification key is of another kind")  # noqa: TRY004 - the caller refuses values
    return key


def said(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the words that a row is chosen by."""
    return (
        words(event, "event"),
        words(event, "type"),
        words(event, "bounce_classification"),
        words(event, "reason").split(" (")[0],
    )


def facts(event: Mapping[str, Any]) -> Iterator[Facts]:
    """Give what an event says of its recipient."""
    if not words(event, "email"):
        return
    yield Facts(
        recipient=words(event, "email"),
        key=words(event, "sg_event_id"),
        status=words(event, "status"),
        reply=words(event, "response", "reason"),
        at=moment(event, "timestamp"),
        evidence=evidence(
            "sendgrid",
            # Of mail that came by SMTP, smtp-id is our own Message-ID; what stands before the first dot of
            # sg_message_id is what the relay called the message when it took it.
            message_id=words(event, "smtp-id"),
            relay_id=words(event, "sg_message_id").partition(".")[0],
        ),
    )


PROVIDER: Final = Provider(verify, said, facts, ROWS)
