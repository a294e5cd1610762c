"""All that is held about one person, and by what right they are mailed: a receipt that stands on its own."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mailer.cli.people import day

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from subscribers import Person


def held(connection: Connection, person: Person) -> dict[str, Any]:
    """Give everything that is held, ready for JSON."""
    from mailer.delivery import ledger  # noqa: PLC0415 - with the database
    from subscribers import consents_of, suppressions_of  # noqa: PLC0415

    suppressions = suppressions_of(connection, person.id)
    return asdict(person) | {
        "consents": [asdict(each) for each in consents_of(connection, person.id)],
        "suppressions": [asdict(each) | {"hash": each.hash.hex()} for each in suppressions],
        "deliveries": [
            {"mailing": mailing} | delivery._asdict()
            for mailing, delivery in ledger.delivered(connection, person.id)
        ],
    }


def lines(person: dict[str, Any]) -> list[str]:
    """Say it in words."""
    return [
        f"{person['email']}  {person['name']}".rstrip(),
        f"id {person['id']}, {person['state']} since {day(person['created_at'])} UTC",
        *_facts(person),
        *_part("Lists", person["subscriptions"], _subscription),
        *_part("By what right", person["consents"], _consent),
        *_part("Suppressed", person["suppressions"], _suppression),
        *_part("Mail", person["deliveries"], _delivery),
    ]


def _facts(person: dict[str, Any]) -> list[str]:
    why = f" ({person['address_reason']})" if person["address_reason"] else ""
    facts = {
        "address": f"{person['address_state']}{why}",
        "language": person["language"],
        "time zone": person["time_zone"],
        "tags": ", ".join(person["tags"]),
        **dict(sorted(person["attributes"].items())),
    }
    return [f"  {name}: {value}" for name, value in facts.items() if value is not None and value != ""]


def _part(title: str, things: list[dict[str, Any]], tell: Any) -> list[str]:
    return ["", title, *(f"  {tell(each)}" for each in things)] if things else []


def _subscription(each: dict[str, Any]) -> str:
    until = f" until {day(each['paused_until'])}" if each["paused_until"] else ""
    why = f" ({each['reason']})" if each["reason"] else ""
    since = f"joined {day(each['joined_at'])}, changed {day(each['changed_at'])} UTC"
    return f"{each['list_key']}: {each['state']}{until}{why}, {since}"


def _consent(each: dict[str, Any]) -> str:
    parts = [f"{day(each['at'])} UTC  {each['list_key'] or 'all lists'}: {each['kind']}: {each['basis']}"]
    parts += [f"from {each['network']}"] if each["network"] else []
    parts += [f"with {each['agent']}"] if each["agent"] else []
    parts += [f"import {each['import_id']}"] if each["import_id"] else []
    parts += [f"{name} {value}" for name, value in (each["evidence"] or {}).items()]
    return ", ".join(parts)


def _suppression(each: dict[str, Any]) -> str:
    reach = f"{each['scope']} {each['scope_key']}".strip()
    until = f" until {day(each['expires_at'])}" if each["expires_at"] else ""
    end = f", lifted {day(each['lifted_at'])}" if each["lifted_at"] else ""
    return f"{day(each['created_at'])} UTC  {reach}: {each['reason']}{until}{end}"


def _delivery(each: dict[str, Any]) -> str:
    why = f" ({each['reason']})" if each["reason"] else ""
    return f"{each['mailing']}: {each['state']}{why} {day(each['at'])} {each['reply']}".rstrip()
