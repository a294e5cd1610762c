"""The providers as they post: bodies in the documented shapes, in our own words, and signed as each signs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook

SIGNING_KEY = "key-of-mailgun-4a1f"
PASSWORD = "ein Passwort für Postmark"
WHSEC = "whsec_" + base64.b64encode(b"relay and mailer share this one!").decode()
TOPIC = "arn:aws:sns:eu-west-1:123456789012:newsletter"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0f3a.pem"
VERP = "8c" * 11
MESSAGE_ID = f"<{'7b' * 11}@slackwater.example>"
READER = "ann@reader.example"


@dataclass(frozen=True)
class Sent:
    """One post: headers and octets."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def with_body(self, body: bytes) -> Sent:
        return replace(self, body=body)

    def without(self, *names: str) -> Sent:
        return replace(self, headers={key: value for key, value in self.headers.items() if key not in names})


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


# --- Mailgun


def mailgun(event: dict[str, Any], at: datetime, key: str = SIGNING_KEY, token: str = "t" * 50) -> Sent:
    stamp = str(int(at.timestamp()))
    made = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    signature = {"timestamp": stamp, "token": token, "signature": made}
    return Sent(_json({"signature": signature, "event-data": event}))


def mailgun_event(event: str = "failed", **more: Any) -> dict[str, Any]:
    return {
        "event": event,
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
        "timestamp": 1784030400.5,
        "severity": "permanent",
        "reason": "bounce",
        "recipient": READER,
        "envelope": {"sender": f"bounces+{VERP}@slackwater.example", "transport": "smtp"},
        "message": {"headers": {"message-id": MESSAGE_ID.strip("<>"), "to": READER, "subject": "Low"}},
        "delivery-status": {"code": 550, "enhanced-code": "5.1.1", "message": "5.1.1 no such user here"},
        **more,
    }


# --- SendGrid


@cache
def sendgrid_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def sendgrid_public_key() -> str:
    raw = (
        sendgrid_key()
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return base64.b64encode(raw).decode()


def sendgrid(events: Any, at: datetime, key: ec.EllipticCurvePrivateKey | None = None) -> Sent:
    stamp, body = str(int(at.timestamp())), _json(events)
    signature = (key or sendgrid_key()).sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return Sent(
        body,
        {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
        },
    )


def sendgrid_event(event: str = "bounce", **more: Any) -> dict[str, Any]:
    return {
        "email": READER,
        "timestamp": 1784030400,
        "event": event,
        "smtp-id": MESSAGE_ID,
        "sg_event_id": f"ev-{event}",
        "sg_message_id": "Xq3relay.filter0001.7.2026.0",
        "status": "5.1.1",
        "reason": "550 5.1.1 nobody of this name",
        "type": "bounce",
        "bounce_classification": "Invalid Address",
        **more,
    }


# --- Postmark


def postmark(event: Any, password: str = PASSWORD, user: str = "postmark") -> Sent:
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Sent(_json(event), {"Authorization": f"Basic {basic}"})


def postmark_event(kind: str = "HardBounce", **more: Any) -> dict[str, Any]:
    return {
        "RecordType": "Bounce",
        "ID": 4323372036,
        "Type": kind,
        "TypeCode": 1,
        "MessageID": "9a2b0f2e-relay",
        "Description": "The server was unable to deliver your message",
        "Details": "smtp;550 5.1.1 unknown user",
        "Email": READER,
        "BouncedAt": "2026-07-14T12:00:00.1234567Z",
        "Content": f"Received: from x\r\nX-Newsletter-Delivery: {VERP}\r\nSubject: Low\r\n",
        **more,
    }


# --- a relay of one's own


def generic(body: Any, at: datetime, secret: str = WHSEC, key: str = "msg_1") -> Sent:
    raw = body if isinstance(body, bytes) else _json(body)
    headers = {
        "webhook-id": key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": "v1,bm90IHRoaXM= "
        + Webhook(secret).sign(key, at, raw.decode("utf-8", "replace")),
    }
    return Sent(raw, headers)


def generic_event(kind: str = "bounce", **more: Any) -> dict[str, Any]:
    return {
        "id": "e1",
        "type": kind,
        "permanence": "permanent",
        "recipient": READER,
        "sender": f"bounces+{VERP}@slackwater.example",
        "message_id": MESSAGE_ID,
        "relay_id": "4Fq1",
        "status": "5.1.1",
        "reply": "550 5.1.1 no such user",
        "at": "2026-07-14T12:00:00Z",
        **more,
    }


# --- SES, by SNS


@cache
def sns_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def certificate(
    name: str = "sns.amazonaws.com", *, days: int = 30, key: rsa.RSAPrivateKey | None = None
) -> bytes:
    now, key = datetime.now(UTC), key or sns_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def sns(
    event: Any,
    at: datetime,
    *,
    kind: str = "Notification",
    version: str = "2",
    key: rsa.RSAPrivateKey | None = None,
    **more: Any,
) -> Sent:
    message = {
        "Type": kind,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": event if isinstance(event, str) else json.dumps(event),
        "Timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        **more,
    }
    names = {"Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")}
    confirming = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
    text = "".join(f"{name}\n{message[name]}\n" for name in names.get(kind, confirming) if name in message)
    digest = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303 - as SNS does
    signature = (key or sns_key()).sign(text.encode(), padding.PKCS1v15(), digest)
    body = _json({**message, "Signature": base64.b64encode(signature).decode()})
    return Sent(body, {"x-amz-sns-message-type": kind})


def ses_mail() -> dict[str, Any]:
    return {
        "timestamp": "2026-07-14T12:00:00.000Z",
        "source": f"bounces+{VERP}@slackwater.example",
        "messageId": "0102017c-ses",
        "destination": [READER],
        "headers": [
            {"name": "Message-ID", "value": MESSAGE_ID},
            {"name": "X-Newsletter-Delivery", "value": VERP},
        ],
    }


def ses_bounce(kind: str = "Permanent", sub: str = "General", recipients: tuple[str, ...] = (READER,)) -> Any:
    return {
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": kind,
            "bounceSubType": sub,
            "bouncedRecipients": [
                {"emailAddress": each, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
                for each in recipients
            ],
            "timestamp": "2026-07-14T12:00:01.000Z",
            "feedbackId": "0102017c-feedback",
        },
        "mail": ses_mail(),
    }


def ses_complaint(kind: str = "abuse") -> Any:
    return {
        "eventType": "Complaint",
        "complaint": {
            "complainedRecipients": [{"emailAddress": READER}],
            "complaintFeedbackType": kind,
            "timestamp": "2026-07-14T12:00:01.000Z",
            "feedbackId": "0102017c-complaint",
        },
        "mail": ses_mail(),
    }
