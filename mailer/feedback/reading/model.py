"""What a mail turned out to be: its kind, its recipients and what ties it to us, as frozen values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from mailer.feedback.model import Evidence, Kind, Notice, Permanence

MOST_RECIPIENTS: Final = 100
"""Of one mail: each one costs a look at the reader's past under the lock, and a copy of ours has one recipient."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What a mail says of one recipient; see Notice for the words. `also` is another address named for the same."""

    recipient: str
    reason: str = ""
    permanence: Permanence = Permanence.NONE
    final: bool | None = None
    hardbounce: bool = False
    status: str = ""
    reply: str = ""
    also: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A mail, understood: `person` means that somebody wrote it; `feedback` is a complaint's type (RFC 5965)."""

    kind: Kind
    recipients: tuple[Reported, ...] = ()
    evidence: Evidence = field(default_factory=Evidence)
    key: str = ""  # of the mail: the same mail has the same, whichever way it came
    sender: str = ""
    subject: str = ""
    feedback: str = ""
    person: bool = False

    def notices(self) -> tuple[Notice, ...]:
        """Give one notice a recipient; one that names nobody where the mail names nobody."""
        return tuple(self._notice(each) for each in self.recipients[:MOST_RECIPIENTS] or (Reported(""),))

    def _notice(self, each: Reported) -> Notice:
        spelled = f"{self.key} {each.recipient.lower()}".encode("utf-8", "replace")
        return Notice(
            kind=self.kind,
            recipient=each.recipient,
            reason=each.reason,
            permanence=each.permanence,
            final=each.final,
            hardbounce=each.hardbounce,
            status=each.status,
            reply=each.reply,
            key=hashlib.blake2b(spelled, digest_size=16).hexdigest(),
            feedback=self.feedback,
            evidence=self.evidence,
        )
