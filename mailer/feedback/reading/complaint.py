"""Complaints: ARF (RFC 5965, 6591, 6430), its drafts, and the shapes that came before and beside it (C01-C07).

What kind of feedback it is stays with the notice: `abuse` and `opt-out` are a reader's wish, `auth-failure` is about
our signatures, `not-spam` is praise (C04).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mailer.feedback.reading.addresses import in_field, in_text, tidy
from mailer.feedback.reading.mime import Header
from mailer.feedback.reading.model import MOST_RECIPIENTS

if TYPE_CHECKING:
    from mailer.feedback.reading.mime import Mail
    from mailer.feedback.reading.returned import Returned

_TYPES: Final = {
    "abuse",
    "fraud",
    "virus",
    "other",
    "not-spam",
    "auth-failure",
    "opt-out",
    "opt-out-list",
    "miscategorized",
    "dmarc",
}
_WHO: Final = (
    "original-rcpt-to",
    "removal-recipient",
    "original-recipient",
    "final-recipient",
    "redacted-address",
)
_JMRP: Final = re.compile(
    r"staff@hotmail\.com|@(?:hotmail|outlook|live)\.com|complaint about (?:message|mail)"
    r"|junk mail report",
    re.IGNORECASE,
)
_SPOKEN: Final = re.compile(
    r"(?:this is an? |e-?mail )?(?:e-?mail )?(?:abuse|spam|complaint|feedback) (?:report|complaint"
    r"|feedback)"
    r"|complaint (?:about|from)|(?:reported|marked|flagged|classified) .{0,60}as (?:spam|junk|unwanted)"
    r"|client tos notification|scomp|opted out of",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What kind of feedback, about whose mail, and the fields that may prove it."""

    feedback: str
    recipients: tuple[str, ...]
    envelope_id: str = ""
    mail_from: str = ""


def in_report(mail: Mail, returned: Returned) -> Complaint | None:
    """Read a feedback report in any of its known shapes, or give None."""
    part = next((part for part in mail.parts if part.type.startswith("message/feedback")), None)
    if part is not None:
        return _arf(part.text(), returned)
    if mail.parameters.get("report-type", "").lower().startswith("feedback"):
        spoken = next((part.text() for part in mail.parts if "feedback-type:" in part.text().lower()), "")
        return _arf(spoken, returned)
    return _otherwise(mail, returned)


def _arf(text: str, returned: Returned) -> Complaint:
    fields = Header(re.sub(r"\n\s*\n", "\n", text.strip()))
    kind = fields.get("feedback-type").strip().lower().partition(" ")[0]
    named = [in_field(value) or tidy(value) for value in fields.all(*_WHO[:-1])[:MOST_RECIPIENTS]]
    recipients = [address for address in dict.fromkeys(named) if address] or _meant(returned)
    return Complaint(
        kind if kind in _TYPES else "other" if kind else "abuse",
        tuple(recipients),
        fields.get("original-envelope-id").strip(),
        tidy(fields.get("original-mail-from")),
    )


def _meant(returned: Returned) -> list[str]:
    """Give whom the returned message was for, unless the provider blacked it out."""
    extra = returned.header.all("x-hmxmroriginalrecipient")
    found = in_text(" ".join(extra)) or returned.recipients
    return [address for address in found if "redacted" not in address.partition("@")[2]][:MOST_RECIPIENTS]


def _otherwise(mail: Mail, returned: Returned) -> Complaint | None:
    """Read what Hotmail, Comcast, Yahoo and others sent without ARF."""
    told = mail.header.all("x-hmxmroriginalrecipient", "x-abuse-recipient") + returned.header.all(
        "x-hmxmroriginalrecipient"
    )
    if told and returned:
        return Complaint("abuse", tuple(in_text(" ".join(told))))
    sender, subject = mail.header.get("from"), mail.header.get("subject")
    if returned and (_JMRP.search(f"{sender} {subject}") and "complaint" in subject.lower()):
        return Complaint("abuse", tuple(_meant(returned)))
    loop = re.search(
        r"feedback-?loop|\bfbl\b|complaints?@|abuse-?feedback|scomp@|arf@|abuse@", sender, re.IGNORECASE
    )
    if returned and loop and _SPOKEN.search(f"{subject} {mail.parts[0].text()[:2000] if mail.parts else ''}"):
        return Complaint("abuse", tuple(_meant(returned)))
    if returned and _SPOKEN.match(subject):
        return Complaint("abuse", tuple(_meant(returned)))
    return None
