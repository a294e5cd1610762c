"""Whether this process can do its work now: the database answers, is at our schema and is this newsletter's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from mailer.database import newest_revision, newsletter, reading, revision
from mailer.errors import MailerError

if TYPE_CHECKING:
    from mailer.delivery.ground import Ground


def ready(ground: Ground) -> list[str]:
    """Give what stands against it, as sentences; nothing means ready."""
    try:
        with reading(ground.database) as connection:
            found, newest = revision(connection), newest_revision()
            owners = connection.scalars(select(newsletter.c.uuid)).all() if found else []
    except MailerError:
        return ["the database does not answer"]
    if found != newest:
        return [f"the database is at schema {found}, this program at {newest}"]
    if str(ground.settings.id) not in owners:
        return ["the database belongs to another newsletter"]
    return []
