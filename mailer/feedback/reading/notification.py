"""Notifications of a provider that come as a mail: JSON in the text, as Amazon SNS sends it to a mailbox.

Source: Amazon SES Developer Guide, contents of notifications. What is not of that shape is left to others.
"""

from __future__ import annotations

import json
from typing import Any, Final

from mailer.feedback.model import Evidence, Kind, Permanence
from mailer.feedback.reading.addresses import tidy
from mailer.feedback.reading.model import MOST_RECIPIENTS, Reading, Reported
from mailer.feedback.reading.reasons import reason_for

LONGEST_REPLY: Final = 500


def in_words(words: str) -> Reading | None:
    """Read the notification that a text holds, or give None."""
    start = words.find("{")
    if start < 0 or ('"notificationType"' not in words and '"eventType"' not in words):
        return None
    try:
        told: Any = json.JSONDecoder().raw_decode(words[start:])[0]
    except (ValueError, RecursionError):
        return None
    return _reading(told) if isinstance(told, dict) else None


def _reading(told: dict[str, Any]) -> Reading | None:
    kind = str(told.get("notificationType") or told.get("eventType")).lower()
    about, mail = _part(told, kind), _part(told, "mail")
    evidence = Evidence(relay_id=str(mail.get("messageId", ""))[:200], provider="ses")
    if kind == "delivery":
        arrived = tuple(Reported(each, "delivered") for each in _addresses(about, "recipients"))
        return Reading(Kind.DELIVERED, arrived, evidence)
    if kind == "complaint":
        who = tuple(Reported(each, "feedback") for each in _addresses(about, "complainedRecipients"))
        feedback = str(about.get("complaintFeedbackType") or "abuse")[:40]
        return Reading(Kind.COMPLAINT, who, evidence, feedback=feedback)
    if kind == "bounce":
        return Reading(Kind.BOUNCE, tuple(_bounced(about)), evidence)
    return None


def _part(told: dict[str, Any], name: str) -> dict[str, Any]:
    part = told.get(name)
    return part if isinstance(part, dict) else {}


def _entries(about: dict[str, Any], name: str) -> list[dict[str, Any]]:
    listed = about.get(name)
    rows = listed[:MOST_RECIPIENTS] if isinstance(listed, list) else []
    return [row if isinstance(row, dict) else {"emailAddress": row} for row in rows]


def _addresses(about: dict[str, Any], name: str) -> list[str]:
    return [tidy(str(row.get("emailAddress", ""))) for row in _entries(about, name)]


def _bounced(about: dict[str, Any]) -> list[Reported]:
    temporary = str(about.get("bounceType", "")).lower() == "transient"
    found = []
    for row in _entries(about, "bouncedRecipients"):
        words = str(row.get("diagnosticCode", ""))
        verdict = reason_for(str(row.get("status", "")), "", words)
        found.append(
            Reported(
                tidy(str(row.get("emailAddress", ""))),
                verdict.reason,
                Permanence.TEMPORARY if temporary else Permanence.PERMANENT,
                final=True,
                hardbounce=verdict.hardbounce and not temporary,
                status=verdict.status,
                reply=words[:LONGEST_REPLY],
            )
        )
    return found
