"""Issue -> Edition: content tree -> responsive HTML (MJML skeleton, premailer) and plain text; findings.

Promises: pure and offline (reads local images for their size, nothing else), bounded, the same issue gives the same
edition. Never: knows a subscriber; what differs per reader is a Slot, filled by message/.
"""

from mailer.edition.model import Context, Edition, Image, Link, Masthead, Slot, Slotted

__all__ = ["Context", "Edition", "Image", "Link", "Masthead", "Slot", "Slotted"]
