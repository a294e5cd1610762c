"""One mail is heard: read, proven, applied, and kept where nobody understood it. All in one transaction.

Promises: the same mail heard twice, over any channels, counts once (D20); a mail that proves nothing changes nothing
and is kept, so that better rules can read it again; a mail to the unsubscribe mailbox acts by its token alone, and
neither an automatic answer nor a report acts there (U13, U14). Never: answers a mail. A person's reply is passed on
to a person, once.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError

from mailer.database import may_pass, writing
from mailer.errors import MailerError
from mailer.feedback.intake import keeping
from mailer.feedback.intake.blaming import blame
from mailer.feedback.intake.replies import pass_on
from mailer.feedback.model import Kind
from mailer.feedback.reading import read
from mailer.feedback.reading.mime import LARGEST, opened
from mailer.feedback.taking import prove, take
from mailer.keys import Purpose

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.ground import Ground
    from mailer.feedback.model import Notice
    from mailer.feedback.reading import Reading
    from mailer.feedback.taking import Taken
    from mailer.keys import Keys

log = logging.getLogger(__name__)
_REPORTS: Final = frozenset({Kind.BOUNCE, Kind.COMPLAINT})
_SILENT: Final = frozenset(
    {Kind.AUTOREPLY, Kind.DELIVERED}
)  # understood, whether or not they are about our mail
# What is no UTF-8 comes as halves of surrogate pairs.
_ENVELOPE: Final = re.compile(r"[^\x00-\x20\x7f\ud800-\udfff]{1,320}")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a mail was: its kind, what its notices came to, and whether it was understood or a person wrote it.

    `understood` is false where nobody knows what it is, or nothing proves that it is about mail of ours.
    """

    kind: Kind
    taken: Taken
    understood: bool
    person: bool = False


def hear_mail(ground: Ground, raw: bytes, *, channel: str, to: str = "", sender: str | None = None) -> Heard:
    """Hear one mail in a transaction of its own; when this returns it is stored."""
    enveloped = with_envelope(raw, to, sender)
    reading = read(enveloped)
    with writing(ground.database) as connection:
        return hear(connection, ground, reading, enveloped, ground.clock(), channel=channel)


def hear_one_of_many(ground: Ground, raw: bytes, *, channel: str) -> Heard | None:
    """Hear one mail; None for one that makes our rules fail, which must not hold up the others.

    Raises MailerError, and DBAPIError of a database that is away, for then none can be heard.
    """
    try:
        return hear_mail(ground, raw, channel=channel)
    except MailerError:
        raise
    except DBAPIError as problem:  # its words hold what was to be stored
        if may_pass(problem):
            raise
        log.error("%s: a mail could not be stored (%s)", channel, type(problem).__name__)  # noqa: TRY400
    except Exception:
        log.exception("%s: a mail could not be read", channel)
    return None


def hear(
    connection: Connection, ground: Ground, reading: Reading, raw: bytes, now: datetime, *, channel: str
) -> Heard:
    """Hear a mail that was read, in the caller's transaction; `raw` is what is kept of it."""
    notices = meant(ground.keys, reading, raw)
    kind = notices[0].kind
    proven = any(prove(connection, ground.keys, notice) for notice in notices)
    worth = notices if proven or kind in _REPORTS else ()
    if proven:
        keeping.say_anew(connection, reading.key, [notice.key for notice in notices], now)
    taken = take(connection, ground.keys, worth, now, channel=channel, wire=ground.settings.tripwire)
    blame(connection, taken, now)
    understood = kind in _SILENT or (proven and kind is not Kind.NOT_BOUNCE)
    heard = Heard(kind, taken, understood, kind is Kind.REPLY)
    if heard.person:
        answered = proven and (not taken.new or pass_on(connection, ground, reading, raw, now))
    else:
        answered = understood
    if not answered:
        keeping.keep(connection, reading, kind, raw, now, channel=channel)
    return heard


def with_envelope(raw: bytes, to: str, sender: str | None) -> bytes:
    """Put the envelope that a mail came with before its header, where reading looks for it; bound the mail."""
    head = b""
    if sender is not None and (sender == "" or _ENVELOPE.fullmatch(sender)):
        head += f"Return-Path: <{sender}>\n".encode()
    if _ENVELOPE.fullmatch(to):
        head += f"X-Original-To: {to}\n".encode()
    return head + keeping.without_mbox_line(raw[:LARGEST]) if head else raw[:LARGEST]


def meant(keys: Keys, reading: Reading, raw: bytes) -> Sequence[Notice]:
    """Give the notices of a mail; what somebody wrote is a wish to leave where it came to, or a reply.

    Mail with an empty envelope sender was written by no person, whatever its From says (RFC 5321, section 4.5.5).
    """
    notices = reading.notices()
    if reading.kind is not Kind.NOT_BOUNCE or not reading.person or _is_senderless(raw):
        return notices
    token = reading.evidence.token
    if keys.read_mail_token(Purpose.UNSUBSCRIBE, token) is None:
        return tuple(replace(notice, kind=Kind.REPLY) for notice in notices)
    # One mail may be sent to the addresses of several lists: it is a wish for each.
    return tuple(replace(each, kind=Kind.UNSUBSCRIBE, key=f"{each.key} {token}") for each in notices)


def _is_senderless(raw: bytes) -> bool:
    return opened(raw[:65_536]).header.get("return-path").strip() == "<>"
