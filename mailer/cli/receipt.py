"""All that is held about one person, in words: by what right they are mailed, as a receipt that stands on its own."""

from __future__ import annotations

from typing import Any

from mailer.cli.people import day

_SAID: dict[str, str] = {
    "sign-up": "sign-up",
    "form": "shown form",
    "asked at": "asked",
    "asked from": "asked from",
    "asked with": "asked with",
    "letter": "answered letter",
}


def lines(person: dict[str, Any]) -> list[str]:
    """Say it in words."""
    return [
        f"{person['email']}  {person['name']}".rstrip(),
        f"id {person['id']}, {person['state']} since {day(person['created_at'])} UTC",
        *_facts(person),
        *_part("Lists", person["subscriptions"], _subscription),
        *_part("By what right", person["consents"], _consent),
        *_shown(person),
        *_part("Asked for", [each for each in person["signups"] if not each["confirmed_at"]], _signup),
        *_part("Another address", person["moves"], _move),
        *_part("Suppressed", person["suppressions"], _suppression),
        *_part("Mail", person["deliveries"], _delivery),
        *_part("Letters", person["letters"], _letter),
        *_part("What came back", person.get("notices", []), _notice),
        *_part("What happened", person["events"], _event),
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
    said = {name: value for name, value in (each["evidence"] or {}).items() if name != "form hash"}
    parts += [f"{_SAID.get(name, name)} {_plain(value)}" for name, value in said.items()]
    return ", ".join(parts)


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _shown(person: dict[str, Any]) -> list[str]:
    """Give every form that this person was shown, once, word for word."""
    forms = {each["hash"]: each for each in person["forms"]}
    told: list[str] = []
    for each in forms.values():
        words = [f"    {line}".rstrip() for line in each["text"].splitlines()]
        told += [f"  form {each['version']} (SHA-256 {each['hash']}):", *words]
    return ["", "What was shown", *told] if told else []


def _signup(each: dict[str, Any]) -> str:
    where = f", from {each['network']}" if each["network"] else ""
    agent = f", with {each['agent']}" if each["agent"] else ""
    return f"{day(each['at'])} UTC  not confirmed, good until {day(each['expires_at'])}{where}{agent}"


def _move(each: dict[str, Any]) -> str:
    done = f"confirmed {day(each['confirmed_at'])}" if each["confirmed_at"] else "not confirmed"
    end = ", taken back or over" if each["ended_at"] else ""
    return f"{day(each['at'])} UTC  from {each['old_email']} to {each['email']}: {done}{end}"


def _suppression(each: dict[str, Any]) -> str:
    reach = f"{each['scope']} {each['scope_key']}".strip()
    until = f" until {day(each['expires_at'])}" if each["expires_at"] else ""
    end = f", lifted {day(each['lifted_at'])}" if each["lifted_at"] else ""
    return f"{day(each['created_at'])} UTC  {reach}: {each['reason']}{until}{end}"


def _delivery(each: dict[str, Any]) -> str:
    why = f" ({each['reason']})" if each["reason"] else ""
    return f"{each['mailing']}: {each['state']}{why} {day(each['at'])} {each['reply']}".rstrip()


def _letter(each: dict[str, Any]) -> str:
    said = f" {each['reply']}" if each["reply"] else ""
    return f"{day(each['created_at'])} UTC  {each['purpose']} to {each['address']}: {each['state']}{said}"


def _notice(each: dict[str, Any]) -> str:
    told = [str(each[name]) for name in ("kind", "reason", "status", "reply") if each.get(name)]
    return f"{day(each.get('at'))} UTC  {' '.join(told)}".strip()


def _event(each: dict[str, Any]) -> str:
    data = ", ".join(f"{name} {_plain(value)}" for name, value in each["data"].items())
    return f"{day(each['at'])} UTC  {each['kind']} by {each['actor']}" + (f" ({data})" if data else "")
