"""Test mails: the message as it will be, to a few addresses, marked "[Test]", with links that act on nobody.

Promises: one message an address, the outcome of each; an edition with errors goes to no one. Never: touches the
ledger, or retries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from mailer.errors import Problem, TryLater, UserError
from mailer.message.press import Press
from mailer.smtp import Envelope, Reply, SessionLost
from mailer.smtp.connect import ConnectRefused, open_session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mailer.edition import Edition, Slotted
    from mailer.message import Message
    from mailer.message.dkim import Signer
    from mailer.preview.shown import Setting
    from mailer.smtp import Session
    from mailer.smtp.relay import Relay

MARK: Final = "[Test] "
MOST: Final = 10  # addresses; what goes out to more people is a mailing


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one test mail. `state` is accepted, deferred, refused or uncertain."""

    email: str
    state: str
    reply: str


def trial_messages(
    edition: Edition, setting: Setting, addresses: Sequence[str], signers: Sequence[Signer], now: datetime
) -> list[Message]:
    """Give a test mail for each address, as the setting's reader would see it, but with links that act on nobody.

    Raises UserError for an edition with errors, for too many addresses and for one that no mail can carry.
    """
    if edition.errors:
        raise UserError(*(Problem(one.message, one.file, one.line, one.rule) for one in edition.errors))
    if len(addresses) > MOST:
        raise UserError(Problem(f"a test mail goes to at most {MOST} addresses", key="to"))
    marked = replace(edition, subject=_marked(edition.subject))
    press = Press(marked, setting.sender, setting.mailing_id, setting.keys, signers, now)
    nobody = setting.reader._replace(subscriber_id=0, list_id=0)
    return [press.message(nobody._replace(email=address)) for address in dict.fromkeys(addresses)]


def _marked(subject: Slotted) -> Slotted:
    first = subject[0] if subject else ""
    return (MARK + first, *subject[1:]) if isinstance(first, str) else (MARK, *subject)


async def send_trial(messages: Sequence[Message], relays: Sequence[Relay], hostname: str) -> list[Tried]:
    """Send each message through the first relay that answers; raises UserError or TryLater where none does."""
    session = await _open(relays, hostname)
    try:
        return [await _send(session, message) for message in messages]
    finally:
        await session.quit()


async def _open(relays: Sequence[Relay], hostname: str) -> Session:
    if not relays:
        raise UserError(
            Problem("no relay: set [[relays]] in mailer.toml or MAILER_RELAY", "mailer.toml", key="relays")
        )
    problems = []
    for relay in relays:
        try:
            return await open_session(relay, hostname=hostname)
        except ConnectRefused as error:
            problems.append((error.needs_operator, Problem(f"{relay.label}: {error.why}", key=relay.name)))
    kind = UserError if all(needs_operator for needs_operator, _ in problems) else TryLater
    raise kind(*(problem for _, problem in problems))


async def _send(session: Session, message: Message) -> Tried:
    envelope = Envelope(
        message.mail_from, message.recipient, len(message.content), message.envid, message.smtputf8
    )
    misfit = session.fits(envelope)
    if misfit is not None:
        return _tried(message, misfit)
    try:
        offered = await session.exchange(None, envelope)
        if offered.refusal is not None:
            return _tried(message, offered.refusal)
        done = await session.exchange(message.content, None)
    except SessionLost as lost:
        if lost.final is not None:
            return _tried(message, lost.final)
        return Tried(message.recipient, "uncertain" if lost.in_doubt else "deferred", lost.why)
    return _tried(message, done.final) if done.final else Tried(message.recipient, "uncertain", "no answer")


def _tried(message: Message, reply: Reply) -> Tried:
    state = "accepted" if reply.positive else "deferred" if 400 <= reply.code < 500 else "refused"
    return Tried(message.recipient, state, str(reply))
