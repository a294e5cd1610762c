"""The press: an edition encoded once, and one join for each reader.

Promises: the same reader of the same mailing always gets the same octets, but for Date and the DKIM signatures;
whatever a reader's values hold, the message keeps the promises of `Message`. A press keeps nothing of a reader and
may be used by several threads. Never: parses or encodes anything per reader but the values.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from mailer.edition.model import Slot
from mailer.errors import Problem, UserError
from mailer.keys import Purpose
from mailer.message.body import alternative, boundary, multipart
from mailer.message.dkim import Seal, aligned
from mailer.message.header import address, mailbox, unstructured
from mailer.message.headers import Field, date, domain, fields, tagged
from mailer.message.layout import Layout
from mailer.message.links import checked
from mailer.message.model import Message
from mailer.message.readings import Readings
from mailer.message.value import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from mailer.edition.model import Edition, Slotted
    from mailer.keys import Keys
    from mailer.message.dkim import Signer
    from mailer.message.model import Recipient, Sender

_ID: Final = 0  # the number of the Message-ID's token, which is asked for first


class _Minute(NamedTuple):
    """What holds for a minute: the pieces with its Date, and the signatures with its time."""

    fill: Callable[[Sequence[str]], list[bytes]]
    seal: Seal | None


class Press:
    """One edition of one mailing, ready to be joined with readers.

    `unsigned` names the header fields that a relay rewrites and DKIM must leave out ("Message-ID" and "Date" for
    Amazon SES). Raises UserError if the edition or the sender cannot make a message.
    """

    def __init__(
        self,
        edition: Edition,
        sender: Sender,
        mailing_id: int,
        keys: Keys,
        signers: Sequence[Signer],
        now: datetime,
        *,
        unsigned: frozenset[str] = frozenset(),
    ) -> None:
        _check(edition)
        sender = replace(sender, public_url=checked(sender.public_url))
        readings = Readings(keys, mailing_id, sender.public_url)
        readings.mail_token(Purpose.MESSAGE_ID)
        self._layout = Layout()
        edge = boundary(edition.content_hash)
        kind = Field("Content-Type", (multipart(edge),))
        self._fields = (*fields(edition, sender, mailing_id, readings, now), kind)
        self._spans = {each.name: self._add(each) for each in self._fields}
        self._body_at = self._layout.fixed(b"\r\n") + 1
        alternative(self._layout, edition.text, edition.html, edge, readings.holes)
        self._subject = _subject_maker(edition.subject, readings)
        self._mail_from = _mail_from(sender, readings)
        self._id_domain = f"@{domain(sender.message_domain)}>"
        self._smtputf8 = address(sender.from_address).smtputf8
        self._signers, self._unsigned = aligned(signers, address(sender.from_address).text), unsigned
        self._readings = readings.all
        self._to_at = self._spans["To"][0]
        self._subject_at = self._spans["Subject"][0]
        self._changing = [span for each, span in self._spanned() if not each.is_fixed]
        self._ready(now)

    def _add(self, field: Field) -> tuple[int, int]:
        """Add a field to the layout; give the pieces that it takes."""
        start = len(self._layout.pieces)
        for part in field.parts or (b"",):
            if isinstance(part, int):
                self._layout.token(part)
            else:
                self._layout.fixed(part)
        return start, len(self._layout.pieces)

    def _ready(self, now: datetime) -> None:
        """Prepare what is asked for each message, in one step: whoever makes one sees the old minute or the new."""
        pieces = self._layout.pieces
        fixed = [
            (each.name, b"".join(pieces[slice(*span)])) for each, span in self._spanned() if each.is_fixed
        ]
        names = [each.name for each in self._fields if not each.is_fixed]
        seal = Seal(self._signers, fixed, names, now, self._unsigned) if self._signers else None
        self._minute = _Minute(self._layout.filler(), seal)

    def _spanned(self) -> list[tuple[Field, tuple[int, int]]]:
        return [(each, self._spans[each.name]) for each in self._fields]

    def redate(self, now: datetime) -> None:
        """Take another Date and another time of signing, for a mailing that lasts; others may be making messages."""
        self._layout.pieces[self._spans["Date"][0]] = date(now)
        self._ready(now)

    def message(self, recipient: Recipient) -> Message:
        """Give the message for one reader; raises UserError if the address cannot be written in a header."""
        values = [read(recipient) for read in self._readings]
        to = address(recipient.email)
        minute = self._minute
        pieces = minute.fill(values)
        pieces[self._to_at] = mailbox("To", clean(recipient.name), to)
        if self._subject is not None:
            pieces[self._subject_at] = self._subject(values)
        content = b"".join(pieces) if minute.seal is None else self._sealed(pieces, minute.seal)
        token = values[_ID]
        return Message(
            self._mail_from(values),
            to.text,
            content,
            f"<{token}{self._id_domain}",
            token,
            self._smtputf8 or to.smtputf8,
        )

    def _sealed(self, pieces: list[bytes], seal: Seal) -> bytes:
        """Join and sign. The body is its own relaxed form: neither of its encodings has white space to relax."""
        body = b"".join(pieces[self._body_at :])
        changing = [b"".join(pieces[start:end]) for start, end in self._changing]
        return b"".join((seal.headers(changing, body), *pieces[: self._body_at], body))


def _check(edition: Edition) -> None:
    """Refuse an edition of which a part is empty (S22)."""
    for name, text in (("text", edition.text), ("HTML", edition.html)):
        if not any(isinstance(part, Slot) or part.strip() for part in text):
            raise UserError(Problem(f"the {name} part is empty", file=edition.file))


def _subject_maker(subject: Slotted, readings: Readings) -> Callable[[Sequence[str]], bytes] | None:
    """Give the function that encodes a subject with slots, or None if it has none."""
    parts = [part if isinstance(part, str) else readings.value(part) for part in subject]
    if all(isinstance(part, str) for part in parts):
        return None

    def make(values: Sequence[str]) -> bytes:
        return unstructured(
            "Subject", "".join([values[part] if isinstance(part, int) else part for part in parts])
        )

    return make


def _mail_from(sender: Sender, readings: Readings) -> Callable[[Sequence[str]], str]:
    """Give the function from a message's values to its envelope sender (V01)."""
    if not sender.return_path:
        plain = address(sender.from_address).text
        return lambda _values: plain
    before, after = tagged(sender.return_path, "return_path")
    number = readings.mail_token(Purpose.RETURN_PATH)
    return lambda values: f"{before}{values[number]}{after}"
