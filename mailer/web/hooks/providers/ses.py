"""Amazon SES, by SNS: signed by a certificate that is fetched from SNS's own host of the topic's region alone.

docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html: signature versions 1 (SHA-1) and 2 (SHA-256). A
topic must be one of the settings before anything is fetched, for everybody can have SNS sign a topic of their own. A
subscription is confirmed at an address that is made here from topic and token; SubscribeURL is never visited.
SNS tries an endpoint for at most an hour (…/dg/sns-message-delivery-retries.html).
"""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from mailer.feedback.model import Kind, Permanence
from mailer.web.hooks.model import Facts, Post, Provider, Refused, Report, Row, Secrets
from mailer.web.hooks.reading import (
    delivery_of,
    evidence,
    fresh,
    moment,
    parsed,
    rows,
    table,
    token_of,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mailer.settings.hooks import HookSettings

WINDOW: Final = timedelta(hours=3)
_SIGNED: Final[Mapping[str, tuple[str, ...]]] = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
    "UnsubscribeConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip
_ARN: Final = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}[a-z0-9-]{3,30}):\d{12}:[A-Za-z0-9_.-]{1,256}"
)
_PATH: Final = re.compile(r"/SimpleNotificationService-[0-9A-Za-z]{1,80}\.pem")
_TOKEN: Final = re.compile(r"[0-9A-Za-z]{20,2000}")
_OBJECT: Final = {
    "bounce": ("bounce", "bouncedRecipients"),
    "complaint": ("complaint", "complainedRecipients"),
    "deliverydelay": ("deliveryDelay", "delayedRecipients"),
    "delivery": ("delivery", "recipients"),
}

_CONTENTS: Final = "docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html"
_BOUNCES: Final = "docs.aws.amazon.com/ses/latest/dg/notification-contents.html#bounce-types"
_COMPLAINTS: Final = "docs.aws.amazon.com/ses/latest/dg/notification-contents.html#complaint-object"
_FOR_GOOD, _FOR_NOW = Permanence.PERMANENT, Permanence.TEMPORARY

# eventType, bounceType or delayType or complaintFeedbackType, bounceSubType or complaintSubType
ROWS: Final = (
    Row(("bounce", "permanent", "suppressed"), Kind.BOUNCE, _FOR_GOOD, "suppressed", source=_BOUNCES),
    Row(
        ("bounce", "permanent", "onaccountsuppressionlist"),
        Kind.BOUNCE,
        _FOR_GOOD,
        "suppressed",
        source=_BOUNCES,
    ),
    Row(("bounce", "permanent", "unsubscribedrecipient"), Kind.UNSUBSCRIBE, source=_BOUNCES),
    Row(("bounce", "permanent"), Kind.BOUNCE, _FOR_GOOD, source=_BOUNCES),
    # SES calls transient what it has given up all the same: the servers' words say what it was.
    Row(("bounce", "transient", "mailboxfull"), Kind.BOUNCE, _FOR_GOOD, "mailboxfull", source=_BOUNCES),
    Row(("bounce", "transient", "messagetoolarge"), Kind.BOUNCE, _FOR_GOOD, "mesgtoobig", source=_BOUNCES),
    Row(("bounce", "transient", "contentrejected"), Kind.BOUNCE, _FOR_GOOD, "contenterror", source=_BOUNCES),
    Row(
        ("bounce", "transient", "attachmentrejected"), Kind.BOUNCE, _FOR_GOOD, "contenterror", source=_BOUNCES
    ),
    Row(("bounce", "transient", "customtimeoutexceeded"), Kind.BOUNCE, _FOR_GOOD, "expired", source=_BOUNCES),
    Row(("bounce",), Kind.BOUNCE, source=_BOUNCES),
    Row(("complaint", "not-spam"), Kind.COMPLAINT, feedback="not-spam", source=_COMPLAINTS),
    Row(("complaint", "auth-failure"), Kind.COMPLAINT, feedback="auth-failure", source=_COMPLAINTS),
    Row(("complaint", "fraud"), Kind.COMPLAINT, feedback="fraud", source=_COMPLAINTS),
    Row(("complaint", "virus"), Kind.COMPLAINT, feedback="virus", source=_COMPLAINTS),
    Row(("complaint",), Kind.COMPLAINT, feedback="abuse", source=_COMPLAINTS),
    Row(("deliverydelay", "mailboxfull"), Kind.BOUNCE, _FOR_NOW, "mailboxfull", source=_CONTENTS),
    Row(("deliverydelay",), Kind.BOUNCE, _FOR_NOW, source=_CONTENTS),
    Row(("delivery",), Kind.DELIVERED, source=_CONTENTS),
    Row(("send",), None, source=_CONTENTS),
    Row(("open",), None, source=_CONTENTS),
    Row(("click",), None, source=_CONTENTS),
    Row(("amazonsnssubscriptionsucceeded",), None, source=_CONTENTS),
)


def verify(post: Post, hook: HookSettings, secrets: Secrets) -> Report:
    """Believe a message of our topic that SNS signed, and fresh; confirm a subscription to it."""
    message = parsed(post.body)
    # To the letter, as they are signed: what `words` cuts off could hold the lines of another topic's message.
    told = table(message)
    kind, topic = str(told.get("Type")), str(told.get("TopicArn"))
    arn = _ARN.fullmatch(topic)
    if kind not in _SIGNED or arn is None or topic not in hook.topics:
        raise Refused(403, "other-topic", "this is no message of a topic that may speak here")
    host = f"sns.{arn[2]}.amazonaws.com" + (".cn" if arn[1] == "aws-cn" else "")
    _prove(message, kind, _certificate(message, host, secrets))
    fresh(moment(message, "Timestamp"), post.at, WINDOW)
    key = words(message, "MessageId")[:200]
    if kind == "Notification":
        return Report(key, (_event(message),))
    if kind == "SubscriptionConfirmation" and secrets.confirm is not None:
        secrets.confirm(_confirmation(host, topic, words(message, "Token")))
    return Report(key)


def _certificate(message: Mapping[str, Any], host: str, secrets: Secrets) -> bytes:
    url = words(message, "SigningCertURL", "SigningCertUrl")
    try:
        parts = urlsplit(url)
        named = (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("https", host, "", "")
    except ValueError:
        named = False
    if not named or not _PATH.fullmatch(parts.path) or secrets.certificate is None:
        raise Refused(403, "bad-certificate", f"the certificate is not one of https://{host}/")
    return secrets.certificate(url)


def _prove(message: Mapping[str, Any], kind: str, certificate: bytes) -> None:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - 40 ms that only this hook needs
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

    # SHA-1 is what version 1 is; nothing of ours is signed with it.
    digests = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303
    digest = digests.get(words(message, "SignatureVersion"))
    key = load_pem_x509_certificate(certificate).public_key()
    if digest is None or not isinstance(key, rsa.RSAPublicKey):
        raise Refused(403, "bad-signature", "the signature is of a kind that SNS does not use")
    try:
        signature = base64.b64decode(str(message.get("Signature", "")), validate=True)
        key.verify(signature, signed(message, kind), padding.PKCS1v15(), digest)
    except (InvalidSignature, ValueError):
        raise Refused(403, "bad-signature", "the signature is not of SNS") from None


def signed(message: Mapping[str, Any], kind: str) -> bytes:
    """Give the octets that are signed: the fields of this kind by name, each name and value on a line."""
    parts = [f"{name}\n{message[name]}\n" for name in _SIGNED[kind] if isinstance(message.get(name), str)]
    return "".join(parts).encode("utf-8", "replace")


def _confirmation(host: str, topic: str, token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise Refused(400, "bad-token", "the token of the subscription cannot be one")
    return (
        f"https://{host}/?{urlencode({'Action': 'ConfirmSubscription', 'TopicArn': topic, 'Token': token})}"
    )


def _event(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the event within a notification; words without one are kept as they are."""
    text = message.get("Message")
    try:
        found = parsed(str(text).encode("utf-8", "replace"))
    except Refused:
        found = None
    if isinstance(found, dict):
        return found
    sure = str(text).startswith("Successfully validated SNS topic")
    return {"eventType": "AmazonSnsSubscriptionSucceeded" if sure else "", "text": words(message, "Message")}


def said(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the words that a row is chosen by."""
    kind = words(event, "eventType", "notificationType").replace(" ", "")
    name, _ = _OBJECT.get(kind.lower(), ("", ""))
    what = table(event, name)
    return (
        kind,
        words(what, "bounceType", "delayType", "complaintFeedbackType"),
        words(what, "bounceSubType", "complaintSubType"),
    )


def facts(event: Mapping[str, Any]) -> Iterator[Facts]:
    """Give what an event says of each of its recipients."""
    name, those = _OBJECT[said(event)[0].lower()]
    what, mail = table(event, name), table(event, "mail")
    header = "\n".join(f"{words(one, 'name')}: {words(one, 'value')}" for one in rows(mail, "headers"))
    ours = re.search(r"^Message-ID: (<\S+>)$", header, re.MULTILINE | re.IGNORECASE)
    proof = evidence(
        "ses",
        token=token_of(words(mail, "source")),
        envid=delivery_of(header),
        message_id=ours[1] if ours else "",
        relay_id=words(mail, "messageId"),
    )
    for one in rows(what, those):
        recipient = words({"emailAddress": one} if isinstance(one, str) else one, "emailAddress")
        if recipient:
            yield Facts(
                recipient=recipient[:400],
                key=words(what, "feedbackId") or name,
                status=words(one, "status"),
                reply=words(one, "diagnosticCode") or words(what, "smtpResponse"),
                at=moment(what, "timestamp"),
                evidence=proof,
            )


PROVIDER: Final = Provider(verify, said, facts, ROWS)
