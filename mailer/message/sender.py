"""The sender of a list's mail: as mailer.toml names it, or an invented one for files that belong to no newsletter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.message.links import NOWHERE
from mailer.message.model import Sender

if TYPE_CHECKING:
    from mailer.settings import ListSettings


def sender_for(settings: ListSettings) -> Sender:
    """Give the sender that a list's settings describe; without a public_url its links lead nowhere."""
    return Sender(
        from_name=settings.sender.name,
        from_address=settings.sender.address,
        list_key=settings.key,
        list_name=settings.name,
        list_id=settings.list_id,
        public_url=settings.public_url or NOWHERE,
        feedback_id=settings.feedback_id,
        message_domain=settings.message_domain,
        reply_to=settings.reply_to,
        return_path=settings.return_path,
        unsubscribe_mailto=settings.unsubscribe_mailto,
    )


def invented_sender(public_url: str | None = None) -> Sender:
    """Give the sender of a sample; its addresses are of a domain that is nobody's (RFC 2606)."""
    return Sender(
        from_name="Sample",
        from_address="sample@example.com",
        list_key="sample",
        list_name="Sample",
        list_id="sample.example.com",
        public_url=public_url or NOWHERE,
        feedback_id="sample",
        message_domain="example.com",
    )
