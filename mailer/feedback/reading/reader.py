"""One mail, read: what it is, whom it is about, and what ties it to us.

The order of the questions is the rule: a complaint, a delivery report, a challenge, an automatic answer, a bounce in
prose, a person. What is shaped like a report is not an automatic answer, whatever its header says (A06); what asks
its sender to prove himself is not a bounce, whatever its shape (A09).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from mailer.feedback.model import Kind, Permanence
from mailer.feedback.reading import autoreply, bounce, complaint
from mailer.feedback.reading.addresses import in_text, is_daemon, tidy
from mailer.feedback.reading.delivery_status import Notification, parsed
from mailer.feedback.reading.evidence import came_to, evidence_in
from mailer.feedback.reading.hypertext import plain
from mailer.feedback.reading.mime import Mail, opened
from mailer.feedback.reading.model import MOST_RECIPIENTS, Reading, Reported
from mailer.feedback.reading.notification import in_words as notified
from mailer.feedback.reading.returned import RETURNED, Returned, in_parts, in_words

if TYPE_CHECKING:
    from mailer.feedback.reading.mime import Part

LARGEST_WORDS: Final = 1 << 15  # characters that may say why; what is behind them is the message
_STATUS_PARTS: Final = (
    "message/delivery-status",
    "message/global-delivery-status",
    "text/delivery-status",
    "message/deliverystatus",
)
_QUOTED: Final = re.compile(r"^> ?", re.MULTILINE)
_FORWARDED: Final = re.compile(
    r"(?:begin )?forwarded message|original message|weitergeleitete|message transf[ée]r|転送|reenviado"
    r"|^\W*(?:fwd?|wg|tr|rv|fw)\s*:",
    re.IGNORECASE,
)
_EMBEDDED: Final = re.compile(r"^[ \t>]*(?:Final|Original)-Recipient[ \t]*:", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Opened:
    """A mail with its words cut from the message that it returns."""

    mail: Mail
    subject: str
    words: str
    returned: Returned
    ours: tuple[str, ...]


def read(raw: bytes) -> Reading:
    """Say what any octets are, as a mail; never raises, and takes bounded time and memory (D21)."""
    at_hand = _laid_out(_unwrapped(opened(raw)))
    reading = _kind_of(at_hand)
    if reading.kind is Kind.NOT_BOUNCE and not reading.person:
        reading = _passed_on(at_hand.mail) or reading
    sender = at_hand.mail.header.get("from")[:320]
    return replace(reading, sender=sender, subject=at_hand.subject[:200], key=_key(at_hand.mail, raw))


def _unwrapped(mail: Mail) -> Mail:
    """Open a report that a machine wrapped whole into another mail: virus filters and redirections do."""
    if _is_report(mail) or not is_daemon(tidy(mail.header.get("from"))):
        return mail
    inner = next((part for part in mail.parts if part.type == "message/rfc822"), None)
    if inner is None or b"report-type=" not in inner.octets[:8000].lower():
        return mail
    found = opened(inner.octets)
    return found if _notification(found) else mail


def _passed_on(mail: Mail) -> Reading | None:
    """Read what a machine passed on, where the mail itself says nothing: a bounce in prose as an attachment."""
    inner = next((part for part in mail.parts if part.type == "message/rfc822"), None)
    reading = _kind_of(_laid_out(opened(inner.octets))) if inner else None
    return reading if reading is not None and reading.kind is Kind.BOUNCE else None


def _laid_out(mail: Mail) -> Opened:
    words, returned = _words(mail), in_parts(mail)
    above, below = in_words(words)
    if not returned or not returned.recipients:
        returned = below if below and (below.recipients or not returned) else returned
    senders = (address for address in returned.senders)
    ours = tuple(dict.fromkeys([*came_to(mail), *senders, tidy(mail.header.get("from"))]))
    return Opened(mail, mail.header.get("subject"), above if above.strip() else words, returned, ours)


def _words(mail: Mail) -> str:
    """Give what the sender's program or hand wrote: the plain text, else the HTML as text."""
    texts = [
        part
        for part in mail.parts
        if part.type.startswith("text/") and part.type not in (*RETURNED, *_STATUS_PARTS)
    ]
    spoken = [part for part in texts if part.type != "text/html"]
    before = _before_returned(mail, spoken) or spoken
    words = "\n".join(part.text() for part in before[:4])
    if len(words.strip()) < 20:
        words += "\n" + "\n".join(plain(part.text()) for part in texts if part.type == "text/html")
    return words[:LARGEST_WORDS]


def _before_returned(mail: Mail, spoken: list[Part]) -> list[Part]:
    """Leave out texts that stand behind the returned message: they are its own."""
    kinds = [part.type for part in mail.parts]
    first = next((number for number, kind in enumerate(kinds) if kind in RETURNED), len(kinds))
    return [part for part in mail.parts[:first] if part in spoken]


def _kind_of(it: Opened) -> Reading:
    complained = complaint.in_report(it.mail, it.returned)
    if complained is not None:
        return _complaint(it, complained)
    told = notified(it.words)
    if told is not None:
        return told
    if autoreply.is_challenge(it.mail.header, it.subject, it.words) and not _is_plain_report(it):
        return _answer(it)
    return _reported(it) or _unreported(it)


def _reported(it: Opened) -> Reading | None:
    """Read what carries the fields of a delivery status, as a part or forwarded as text."""
    notification = _notification(it.mail)
    if notification is not None and (notification.recipients or _is_report(it.mail)):
        return _report(it, notification)
    return _forwarded(it)


def _unreported(it: Opened) -> Reading:
    automatic = autoreply.is_automatic(it.mail.header, it.subject)
    if bounce.weighs_enough(it.mail.header, it.subject, it.words, it.returned, automatic=automatic):
        return _bounce(it)
    return _answer(it) if automatic else _person(it)


def _is_report(mail: Mail) -> bool:
    return "delivery-status" in mail.parameters.get("report-type", "").lower()


def _is_plain_report(it: Opened) -> bool:
    """Say whether a mail with words of a challenge is a mail system's own report all the same."""
    sender = it.mail.header.get("from")
    return is_daemon(tidy(sender)) and _notification(it.mail) is not None and "boxbe" not in it.words.lower()


def _notification(mail: Mail) -> Notification | None:
    """Find the fields of a delivery status: in the part for them, else in a text that holds them."""
    for part in mail.parts:
        if part.type in _STATUS_PARTS:
            return parsed(part.text())
    for part in mail.parts:
        if part.type.startswith("text/") and part.type not in RETURNED:
            text = part.text()
            if _EMBEDDED.search(text) and (is_daemon(tidy(mail.header.get("from"))) or _is_report(mail)):
                return parsed(text)
    return None


def _report(it: Opened, notification: Notification) -> Reading:
    evidence = evidence_in(it.mail, it.returned, it.words, envelope_id=notification.envelope_id)
    arrived = [each for each in notification.recipients if each.action == "delivered"]
    if arrived and len(arrived) == len(notification.recipients):
        done = tuple(
            Reported(each.recipient, "delivered", Permanence.NONE, None, status=each.status, also=each.also)
            for each in arrived
        )
        return Reading(Kind.DELIVERED, done, evidence)
    failed = tuple(each for each in notification.recipients if each.action != "delivered")
    told = replace(notification, recipients=failed)
    return Reading(Kind.BOUNCE, bounce.from_notification(told, it.words, it.returned, it.ours), evidence)


def _bounce(it: Opened) -> Reading:
    failed = in_text(" ".join(it.mail.header.all("x-failed-recipients"))[:20000])[:MOST_RECIPIENTS]
    recipients = bounce.from_words(it.words, it.returned, it.ours, failed=failed, subject=it.subject)
    return Reading(Kind.BOUNCE, recipients, evidence_in(it.mail, it.returned, it.words))


def _complaint(it: Opened, about: complaint.Complaint) -> Reading:
    evidence = evidence_in(
        it.mail, it.returned, it.words, envelope_id=about.envelope_id, mail_from=about.mail_from
    )
    recipients = tuple(Reported(address, "feedback") for address in about.recipients)
    return Reading(Kind.COMPLAINT, recipients, evidence, feedback=about.feedback)


def _answer(it: Opened) -> Reading:
    sender = tidy(it.mail.header.get("from")) or tidy(it.mail.header.get("reply-to"))
    recipients = (Reported(sender, "vacation"),) if sender else ()
    return Reading(Kind.AUTOREPLY, recipients, evidence_in(it.mail, it.returned, it.words))


def _person(it: Opened) -> Reading:
    """Take what is left for a person's, unless a machine must have written it (V06)."""
    receipt = "disposition" in it.mail.parameters.get("report-type", "").lower()
    sender = tidy(it.mail.header.get("from"))
    system = is_daemon(sender) and not _is_postmaster(sender)
    machine = receipt or system or not sender or bounce.has_null_path(it.mail.header)
    return Reading(Kind.NOT_BOUNCE, (), evidence_in(it.mail, it.returned, it.words), person=not machine)


def _is_postmaster(address: str) -> bool:
    return address.lower().startswith("postmaster@")


def _forwarded(it: Opened) -> Reading | None:
    """Read a bounce that somebody forwarded as text; it needs the fields themselves, not only such words."""
    if not _FORWARDED.search(f"{it.subject}\n{it.words[:2000]}"):
        return None
    whole = _QUOTED.sub("", _words(it.mail))
    notification = parsed(whole) if _EMBEDDED.search(whole) else None
    if notification is None or not any(each.action and each.recipient for each in notification.recipients):
        return None
    return _report(replace(it, words=whole), notification)


def _key(mail: Mail, raw: bytes) -> str:
    """Name a mail so that the same one, fetched twice, has the same name (D20)."""
    own = mail.header.get("message-id").strip()
    octets = f"{own}\n{mail.header.get('date')}".encode("utf-8", "replace") if own else raw[: 1 << 20]
    return hashlib.blake2b(octets, digest_size=16).hexdigest()
