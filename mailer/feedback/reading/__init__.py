"""Reading what came back: the octets of a mail become a Reading, and that becomes notices. Pure.

`read` promises to end: it never raises, looks at a bounded part of any mail and takes bounded time. It knows no
settings, no keys and no clock; whether a mail is about a delivery of ours is proven elsewhere, from its evidence.
Follows RFC 3464, 6522 and 6533 (delivery status), 5965 and 6591 (complaints), 3834 (automatic answers).
"""

from mailer.feedback.reading.model import Reading, Reported
from mailer.feedback.reading.reader import read
from mailer.feedback.reading.reasons import Verdict, reason_for

__all__ = ["Reading", "Reported", "Verdict", "read", "reason_for"]
