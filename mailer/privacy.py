"""What is held about a person, and how it goes: the one list of every place where a person stands.

Promises: `held` and `erase` know the same places. Erasing blanks or deletes in one transaction, the caller's; what
stays is a suppression's keyed hash, ids, states and counts. Files (rows that imports refused) and the database's log
are swept after the commit. Backups made before still hold the person: docs/subscribers.md says for how long.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import subscribers
from mailer import events
from mailer.database import reading, writing
from mailer.delivery import erasure, ledger
from mailer.delivery.letters import written_to

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path
    from types import ModuleType

    from sqlalchemy import Connection, Engine

    from mailer.delivery.ground import Ground

ROOMS: Final = ("mailer.feedback.privacy", "mailer.hooks.privacy", "mailer.web.privacy")
"""The rooms that hold something of people in tables of their own: each gives `held` and `erased`."""

REJECTS: Final = "rejects"
REJECTS_FOR: Final = timedelta(days=90)
"""So long the rows are kept that an import could not take."""

_BATCH: Final = 50  # people who never confirmed and are let go in one transaction
_MOST: Final = 500  # people erased in one run of the upkeep
_log = logging.getLogger(__name__)


def _rooms() -> list[ModuleType]:
    return [import_module(name) for name in ROOMS if find_spec(name.rpartition(".")[0]) and find_spec(name)]


def held(connection: Connection, subscriber_id: int) -> dict[str, Any]:
    """Give everything that is held about a person, as values that JSON can say. Raises UnknownSubscriber."""
    person = subscribers.get(connection, subscriber_id)
    known = subscribers.addresses_of(connection, subscriber_id)
    everything = asdict(person) | {
        "consents": [asdict(each) for each in subscribers.consents_of(connection, subscriber_id)],
        "forms": subscribers.forms_of(connection, subscriber_id),
        **subscribers.requests_of(connection, subscriber_id),
        "suppressions": [
            asdict(each) | {"hash": each.hash.hex()}
            for each in subscribers.suppressions_of(connection, subscriber_id)
        ],
        "deliveries": [
            {"mailing": mailing} | delivery._asdict()
            for mailing, delivery in ledger.delivered(connection, subscriber_id)
        ],
        "letters": [each._asdict() for each in written_to(connection, subscriber_id)],
        "events": [_told(each) for each in events.about(connection, str(subscriber_id)) if _of_reader(each)],
    }
    for room in _rooms():
        everything |= room.held(connection, subscriber_id, known)
    return everything


def _of_reader(event: events.Event) -> bool:
    return event.kind.startswith("reader.")


def _told(event: events.Event) -> dict[str, Any]:
    return {"at": event.at, "kind": event.kind, "actor": event.actor, "data": dict(event.data)}


def erase(connection: Connection, subscriber_id: int, *, now: datetime, actor: str) -> tuple[str, ...]:
    """Forget a person in every table; give the addresses that must still be swept from files after the commit.

    () where there was nothing left to forget. Raises UnknownSubscriber.
    """
    known = _addresses(connection, subscriber_id)
    if not known:
        return ()
    for address in known:
        erasure.blank(connection, subscriber_id, now, address)
    for room in _rooms():
        room.erased(connection, subscriber_id, known)
    subscribers.erase(connection, subscriber_id, now)
    events.record(connection, "reader.erased", str(subscriber_id), now, actor)
    return known


def _addresses(connection: Connection, subscriber_id: int) -> tuple[str, ...]:
    """Give every address by which they stand anywhere: also those that only old deliveries remember."""
    own = subscribers.addresses_of(connection, subscriber_id)
    sent = [delivery.address for _, delivery in ledger.delivered(connection, subscriber_id)]
    return tuple(dict.fromkeys([*own, *filter(None, sent)])) if own else ()


def erase_stranger(
    connection: Connection, email: str, *, now: datetime, hash_key: bytes, actor: str
) -> tuple[str, ...]:
    """Forget an address that nobody has: letters to it, what is noted of it, and rows that imports refused.

    Its hash keeps it from being mailed. Raises InvalidAddress.
    """
    subscribers.erase_address(connection, email, now=now, hash_key=hash_key)
    erasure.blank(connection, 0, now, email)
    for room in _rooms():
        room.erased(connection, 0, (email,))
    events.record(connection, "reader.erased", "0", now, actor)
    return (email,)


def sweep(state: Path, database: Engine, addresses: Sequence[str]) -> int:
    """After the commit: blank the addresses in files, and empty the database's log of what it was told.

    `state` is the newsletter's folder .mailer/. Give how many records of files were blanked. May take seconds; never
    needs to be repeated, and may be.
    """
    spelled = [each for address in addresses for each in _spellings(address)]
    blanked = sum(subscribers.erase_from_rejects(state / REJECTS, each) for each in spelled)
    if addresses:
        _empty_log(database)
    return blanked


def _spellings(address: str) -> tuple[str, ...]:
    """Give an address as it is, and as it may stand in a row that was refused because of it."""
    local, _, domain = address.rpartition("@")
    wrong = ("@@", " @", "@ ", " @ ", " at ", "(at)", "[at]", "@.", "")
    return (address, *(f"{local}{between}{domain}" for between in wrong))


def _empty_log(database: Engine) -> None:
    """Let SQLite's write-ahead log begin anew; where others read on, the next time will do."""
    if database.dialect.name != "sqlite":
        return
    connection = database.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()


def upkeep(ground: Ground, now: datetime) -> dict[str, int]:
    """Do what is due by itself, in short transactions; give how much of each.

    Requests that nobody confirmed go, links that are over, old rows of imports, and with `forget_after` whoever left
    every list so long ago. An hour between two runs is enough; what is left waits for the next.
    """
    done = {"expired": _expire(ground, now), "moves": 0, "rejects": 0, "forgotten": 0}
    with writing(ground.database) as connection:
        done["moves"] = subscribers.expire_moves(connection, now)
    done["rejects"] = subscribers.forget_rejects(ground.settings.state / REJECTS, now - REJECTS_FOR)
    if ground.settings.forget_after is not None:
        done["forgotten"] = _forget(ground, now, now - ground.settings.forget_after)
    return done


def _expire(ground: Ground, now: datetime) -> int:
    count, seen = 0, 1
    while seen:
        with writing(ground.database) as connection:
            seen, gone = subscribers.expire_signups(connection, now, _BATCH)
            for subscriber_id in gone:
                erasure.blank(connection, subscriber_id, now)
        count += len(gone)
    return count


def _forget(ground: Ground, now: datetime, before: datetime) -> int:
    with reading(ground.database) as connection:
        due = subscribers.departed(connection, before, _MOST)
    swept: list[str] = []
    for each in due:
        # One a transaction: a reader of many years stands in hundreds of packed blocks.
        with writing(ground.database) as connection:
            for subscriber_id in _still(connection, [each], before):
                swept += erase(connection, subscriber_id, now=now, actor="mailer")
    sweep(ground.settings.state, ground.database, swept)
    if due:
        _log.info("erased %d people who left long ago", len(due))
    return len(due)


def _still(connection: Connection, due: Sequence[int], before: datetime) -> list[int]:
    """Give those who have not come back in the meantime."""
    return [each for each in due if _left(subscribers.get(connection, each), before)]


def _left(person: subscribers.Person, before: datetime) -> bool:
    return person.email is not None and all(
        each.state == "unsubscribed" and each.changed_at < before for each in person.subscriptions
    )
