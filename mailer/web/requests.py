"""What becomes of a request: the letters it ends in, within the budgets. Runs in the intake's transaction.

Whatever becomes of it, whoever asked has had their answer already.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import subscribers
from mailer.keys import Purpose
from mailer.letters import joining, moving, notices
from mailer.web import budgets
from subscribers import Form, InvalidAddress, SignUpOutcome, UnknownSubscriber

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection

    from mailer.web.site import Site
    from subscribers import Person

LINK_LASTS: Final = timedelta(hours=1)


class AllSpent(Exception):  # noqa: N818 - it is a state of affairs
    """The forms have caused all the letters that they may, for now."""


def subscribe(connection: Connection, site: Site, asked: dict[str, Any]) -> None:
    """Sign somebody up: one letter for each brand."""
    known = [key for key in asked["lists"] if key in site.settings.lists]
    known.sort(key=lambda key: site.settings.lists[key].brand or "")
    for _, keys in groupby(known, key=lambda key: site.settings.lists[key].brand or ""):
        if not _may(connection, site, asked["email"]):
            return
        signed = joining.request(
            connection,
            site.ground,
            now=site.now(),
            email=asked["email"],
            list_keys=list(keys),
            form=Form(*asked["form"]),
            network=asked["network"],
            agent=asked["agent"],
            language=asked["language"],
            name=asked.get("name", ""),
        )
        _spent(connection, site, written=signed.outcome is not SignUpOutcome.BLOCKED)


def renew(connection: Connection, site: Site, asked: dict[str, Any]) -> None:
    """Send a new link to whoever confirmed too late."""
    person = _person(connection, asked["subscriber"])
    if person is None or person.email is None or not _may(connection, site, person.email):
        return
    origin = {"network": asked["network"], "agent": asked["agent"]}
    subscriber, signup = asked["subscriber"], asked["signup"]
    signed = joining.renew(connection, site.ground, subscriber, signup, now=site.now(), **origin)
    _spent(connection, site, written=signed is not None)


def manage(connection: Connection, site: Site, asked: dict[str, Any]) -> None:
    """Send the link to their settings to whoever has this address."""
    if _may(connection, site, asked["email"]):
        written = notices.manage_link(connection, site.ground, now=site.now(), email=asked["email"])
        _spent(connection, site, written=written)


def move(connection: Connection, site: Site, asked: dict[str, Any]) -> None:
    """Ask a new address whether it is one."""
    person = _person(connection, asked["subscriber"])
    if person is None or person.email is None or not _may(connection, site, asked["email"]):
        return
    result = moving.ask(connection, site.ground, person.id, asked["email"], now=site.now())
    _spent(connection, site, written=result.id is not None)


def data(connection: Connection, site: Site, asked: dict[str, Any]) -> None:
    """Send a person the link to their data."""
    _send_link(connection, site, asked, Purpose.DATA, "data", notices.data_ready)


def erase(connection: Connection, site: Site, asked: dict[str, Any]) -> None:
    """Send a person the link that erases them."""
    _send_link(connection, site, asked, Purpose.ERASE, "erase", notices.erase_link)


HANDLERS: Final[Mapping[str, Callable[[Connection, Site, dict[str, Any]], None]]] = {
    "subscribe": subscribe,
    "renew": renew,
    "manage": manage,
    "move": move,
    "data": data,
    "erase": erase,
}


def _send_link(
    connection: Connection,
    site: Site,
    asked: dict[str, Any],
    purpose: Purpose,
    path: str,
    write: Callable[..., bool],
) -> None:
    person = _person(connection, asked["subscriber"])
    one = site.settings.lists.get(asked["list"])
    if person is None or person.email is None or one is None or not one.public_url:
        return
    now = site.now()
    # While a move can be taken back the old mailbox answers for what cannot be: whoever moved may be a thief.
    email = subscribers.sure_email(connection, person.id, now)
    if email is None or not _may(connection, site, email):
        return
    token = site.ground.keys.timed_token(purpose, person.id, now + LINK_LASTS)
    link = f"{one.public_url}/{path}/{token}"
    written = write(connection, site.ground, now=now, person=replace(person, email=email), link=link)
    _spent(connection, site, written=written)


def _person(connection: Connection, subscriber_id: int) -> Person | None:
    try:
        person = subscribers.get(connection, subscriber_id)
    except UnknownSubscriber:
        return None
    return person if person.email is not None else None  # an erased person has none


def _may(connection: Connection, site: Site, email: str) -> bool:
    """Spend one of the address's budget: false where it has none left, and nobody hears of it."""
    try:
        subject = subscribers.address_hash(email, site.ground.keys.suppression)
    except InvalidAddress:
        return False
    return budgets.spend(connection, budgets.ADDRESS, subject, site.address_budget, site.now())


def _spent(connection: Connection, site: Site, *, written: bool) -> None:
    """Spend one of everybody's budget for a letter; raises AllSpent, which takes it back until there is more."""
    everything = budgets.subject_of(site.ground.keys.suppression, "everything")
    if written and not budgets.spend(connection, budgets.ALL, everything, site.whole_budget, site.now()):
        raise AllSpent("the forms have caused as many letters as all_per_hour allows")
