"""The welcome letter of a list: a Markdown file compiled like an issue, sent once to whoever confirmed.

It is list mail: it carries the reader's own links and List-Unsubscribe, and is made by a press. Compiled in a child
process and kept by the hash of the file, never once a reader. A letter that has errors welcomes nobody and hinders
nobody: `mailer check` names them.
"""

from __future__ import annotations

import hashlib
import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from mailer.delivery.letters import write
from mailer.edition.masthead import masthead_for
from mailer.errors import UserError
from mailer.message import Recipient
from mailer.message.press import Press
from mailer.message.sender import sender_for
from subscribers import get, list_ids

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.ground import Ground
    from mailer.edition.model import Edition
    from mailer.settings import ListSettings

FIRST: Final = 0x7F00_0000
"""Stands where a mailing's number does in the tokens of a welcome letter, with the list's id: above any mailing."""

_LARGEST: Final = 4 << 20
_log = logging.getLogger(__name__)


def edition_of(settings: ListSettings) -> Edition | None:
    """Give the compiled welcome letter of a list; None where it has none, or one that cannot be sent."""
    if settings.welcome is None:
        return None
    try:
        digest = hashlib.sha256(settings.welcome.read_bytes()[: _LARGEST + 1]).hexdigest()
    except OSError as error:
        _log.warning("the welcome letter of %s cannot be read: %s", settings.key, error.strerror)
        return None
    return _compiled(_Of(settings), digest)


class _Of:
    """A list's settings, told apart by what a welcome letter shows of them."""

    def __init__(self, settings: ListSettings) -> None:
        self.settings = settings
        self._shown = repr(masthead_for(settings))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Of) and self._shown == other._shown

    def __hash__(self) -> int:
        return hash(self._shown)


@lru_cache(maxsize=64)
def _compiled(one: _Of, _digest: str) -> Edition | None:
    from mailer.edition.guard import compile_guarded  # noqa: PLC0415 - only where a list has a welcome letter

    settings = one.settings
    if settings.welcome is None:
        return None
    try:
        edition = compile_guarded(settings.welcome, masthead_for(settings))
    except UserError as error:
        _log.warning("the welcome letter of %s is not sent: %s", settings.key, error)
        return None
    if edition.errors or edition.draft:
        why = edition.errors[0].message if edition.errors else "it is a draft"
        _log.warning("the welcome letter of %s is not sent: %s", settings.key, why)
        return None
    return edition


def write_welcome(
    connection: Connection, ground: Ground, subscriber_id: int, list_key: str, now: datetime
) -> bool:
    """Write a new reader the welcome letter of a list; false if there is none, or they have had it."""
    settings = ground.settings.for_list(list_key)
    edition = edition_of(settings)
    person = get(connection, subscriber_id)
    if edition is None or person.email is None:
        return False
    list_id = list_ids(connection)[list_key]
    press = Press(edition, sender_for(settings), FIRST + list_id, ground.keys, ground.signers, now)
    reader = Recipient(person.id, list_id, person.email, person.name, person.language, person.attributes)
    key = f"{ground.settings.id}:welcome:{person.id}:{list_id}"
    message, whose = press.message(reader), {"subscriber_id": person.id, "list_id": list_id}
    return write(connection, message, purpose="welcome", key=key, now=now, **whose)


def shown(ground: Ground, connection: Connection, mailing_id: int) -> Edition | None:
    """Give the welcome letter that the number in a link stands for, for the page that shows it in a browser."""
    keys = {FIRST + number: key for key, number in list_ids(connection).items()}
    key = keys.get(mailing_id)
    return edition_of(ground.settings.for_list(key)) if key in ground.settings.lists and key else None
