"""Signing up and confirming, as the pages, the API and the command line do it: verb, letter and event in one.

What a caller may tell the visitor is the same for all outcomes of `request`; only the mailbox learns more.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

import subscribers
from mailer import events
from mailer.letters import service, welcome
from subscribers import ConfirmOutcome, SignUpOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.ground import Ground
    from subscribers import Confirmation, Evidence, Form, SignUp

_log = logging.getLogger(__name__)
READER = "reader"
"""Who acts, in the events."""


def prepare(ground: Ground) -> None:
    """Compile the welcome letters, which takes a second, before a transaction needs them; kept while unchanged."""
    for settings in ground.settings.lists.values():
        welcome.edition_of(settings)


def know_lists(connection: Connection, ground: Ground, now: datetime) -> None:
    """See to it that the database knows the lists of mailer.toml, and their brands."""
    lists = ground.settings.lists
    brands = {key: one.brand or "" for key, one in lists.items()}
    subscribers.ensure_lists(connection, lists, now, brands=brands)


def request(  # noqa: PLR0913 - see subscribers.sign_up
    connection: Connection,
    ground: Ground,
    *,
    now: datetime,
    email: str,
    list_keys: Sequence[str],
    form: Form,
    network: str | None = None,
    agent: str | None = None,
    language: str | None = None,
    name: str = "",
    actor: str = READER,
) -> SignUp:
    """Let somebody ask for lists: their mailbox hears of it, unless it is blocked by hand.

    Raises what `subscribers.sign_up` raises, and UserError for a list that mailer.toml does not have.
    """
    for key in list_keys:
        ground.settings.for_list(key)
    know_lists(connection, ground, now)
    asked = subscribers.sign_up(
        connection,
        email=email,
        list_keys=list_keys,
        now=now,
        hash_key=ground.keys.suppression,
        form=form,
        network=network,
        agent=agent,
        language=language,
        name=name,
    )
    _answer(connection, ground, asked, now, actor)
    return asked


def _answer(connection: Connection, ground: Ground, asked: SignUp, now: datetime, actor: str) -> None:
    """Write the letter that a sign-up calls for. Only the first of the same requests is an event."""
    if asked.outcome is SignUpOutcome.ALREADY and asked.subscriber_id is not None:
        person = subscribers.get(connection, asked.subscriber_id)
        service.already_subscribed(connection, ground, person, asked.already, now)
    elif asked.id is not None:
        message_id = service.confirmation(connection, ground, asked, now)
        if message_id is not None:
            subscribers.note_letter(connection, asked.id, message_id)
            subject, lists = str(asked.subscriber_id), list(asked.lists)
            events.record(connection, "reader.signed-up", subject, now, actor, lists=lists)


def renew(
    connection: Connection,
    ground: Ground,
    subscriber_id: int,
    signup_id: int,
    *,
    now: datetime,
    network: str | None = None,
    agent: str | None = None,
) -> SignUp | None:
    """Send a new letter to whoever came too late with the link of the last; None where there is none to renew."""
    know_lists(connection, ground, now)
    asked = subscribers.sign_up_again(
        connection,
        subscriber_id,
        signup_id,
        now=now,
        hash_key=ground.keys.suppression,
        network=network,
        agent=agent,
    )
    if asked is None or any(key not in ground.settings.lists for key in (*asked.lists, *asked.already)):
        return None
    _answer(connection, ground, asked, now, READER)
    return asked


def accept(
    connection: Connection,
    ground: Ground,
    subscriber_id: int,
    signup_id: int,
    *,
    now: datetime,
    evidence: Evidence,
) -> Confirmation:
    """Let a mailbox confirm; whoever becomes a reader of a list gets its welcome letter, once."""
    done = subscribers.confirm(connection, subscriber_id, signup_id, now, evidence)
    if done.outcome is ConfirmOutcome.CONFIRMED:
        lists = list(done.confirmed)
        events.record(connection, "reader.confirmed", str(subscriber_id), now, READER, lists=lists)
        for key in done.confirmed:
            if key in ground.settings.lists:
                _welcome(connection, ground, subscriber_id, key, now)
    return done


def _welcome(connection: Connection, ground: Ground, subscriber_id: int, key: str, now: datetime) -> None:
    """Write a welcome letter; whatever is wrong with it, the confirmation stands."""
    try:
        with connection.begin_nested():
            welcome.write_welcome(connection, ground, subscriber_id, key, now)
    except DBAPIError:
        raise  # the database's troubles are those of the whole transaction
    except Exception as error:  # noqa: BLE001 - a letter that cannot be made must not lose a confirmation
        # The words of the error may quote a reader: its kind must do.
        kind = type(error).__name__
        _log.error("the welcome letter of %s to reader %d cannot be made: %s", key, subscriber_id, kind)
