"""What the columns of a file mean, and which tool wrote it. Other tools' words become ours in these tables.

Columns are found by their names in any case, with spaces, hyphens or underscores; what no table names is an
attribute of the person. A file may be mapped by hand: `mapping` says {column: field}, with `-` for a column
that is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from subscribers.errors import BadFile
from subscribers.profile import clean_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


REJECTS_HEADER = ("line", "reason", "file")
"""What our own file of rejects puts before the columns; it can be mended and imported as it is.

`file` is kept because Mailchimp says in the name of a file how its people stood.
"""
RECORD = "record (JSON)"
"""The column of a file of rejects that holds a line of JSON as it stood."""


class Field(StrEnum):
    """What a column can be, other than an attribute."""

    EMAIL = "email"
    NAME = "name"
    FIRST_NAME = "first-name"
    LAST_NAME = "last-name"
    LANGUAGE = "language"
    TIME_ZONE = "time-zone"
    TAGS = "tags"
    ATTRIBUTES = "attributes"  # a JSON object
    STATUS = "status"
    SUBSCRIBED = "subscribed"  # yes or no
    DISABLED = "disabled"  # yes or no
    PAUSED_UNTIL = "paused-until"
    LEFT_AT = "left-at"  # whoever has it left
    BOUNCED_AT = "bounced-at"  # whoever has it is unreachable
    JOINED_AT = "joined-at"  # evidence
    CONFIRMED_AT = "confirmed-at"  # evidence
    JOINED_FROM = "joined-from"  # evidence: a network address
    CONFIRMED_FROM = "confirmed-from"  # evidence: a network address
    CONSENT_BASIS = "consent-basis"  # evidence: by what right, as the other tool says it
    COMPLAINED = "complained"  # yes or no, or when
    FILE = "file"  # of a file of rejects: which file the record stood in
    RECORD = "record"  # of a file of rejects: a line of JSON
    IGNORED = "-"


class Standing(StrEnum):
    """How someone stood in the tool that wrote the file."""

    ACTIVE = "active"
    PAUSED = "paused"
    PENDING = "pending"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    BLOCKED = "blocked"


_NAMES: Mapping[str, Field] = {
    name: field
    for field, names in {
        Field.EMAIL: "email, e mail, email address, e mail address, mail, mail address, emailaddress, "
        "subscriber email, e mail adresse, email adresse, correo electronico, courriel",
        Field.NAME: "name, full name, fullname, display name, subscriber name",
        Field.FIRST_NAME: "first name, firstname, fname, given name, vorname, prenom",
        Field.LAST_NAME: "last name, lastname, lname, surname, family name, nachname",
        Field.LANGUAGE: "language, lang, locale, sprache",
        Field.TIME_ZONE: "time zone, timezone, tz",
        Field.TAGS: "tags, tag, labels",
        Field.ATTRIBUTES: "attributes",
        Field.STATUS: "status, state, subscription status, subscriber status",
        Field.SUBSCRIBED: "subscribed, is subscribed",
        Field.LEFT_AT: "unsubscribed at, unsubscribe date, unsubscription date",
        Field.BOUNCED_AT: "bounced at",
        Field.JOINED_AT: "joined, joined at, subscribed at, signup date, optin time, opt in time",
        Field.CONFIRMED_AT: "confirmed at, confirm time, confirmation date",
        Field.JOINED_FROM: "optin ip, signup ip",
        Field.CONFIRMED_FROM: "confirm ip",
        Field.PAUSED_UNTIL: "paused until",
    }.items()
    for name in names.split(", ")
}


_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def unguarded(text: str) -> str:
    """Take off the apostrophe by which an export keeps a spreadsheet from seeing a formula."""
    return text[1:] if text.startswith("'") and _GUARDED.match(text) else text


def guarded(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula, or `unguarded` for guarded."""
    risky = text[:1] in {"=", "+", "-", "@", "\t", "\r"} or _GUARDED.match(text)
    return f"'{text}" if risky else text


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool whose exports are known: by columns that together only it writes."""

    name: str
    signs: frozenset[str]
    fields: Mapping[str, Field]


def _tool(name: str, signs: str, **fields: str) -> Tool:
    """Make a line of the table; names of columns are in the form of `plain_name`."""
    pairs = {column: Field(field) for field, columns in fields.items() for column in columns.split(", ")}
    return Tool(name, frozenset(signs.split(", ")), pairs)


TOOLS: Sequence[Tool] = (
    # Written by "Export audience"; one file each for subscribed, unsubscribed and cleaned (= bounced) people.
    _tool(
        "Mailchimp",
        "member rating, leid, euid",
        **{
            "left-at": "unsub time",
            "bounced-at": "clean time",
            "-": "leid, euid, member rating, latitude, longitude, gmtoff, dstoff, last changed",
        },
    ),
    _tool(
        "Substack",
        "email, active subscription, email disabled",
        **{"disabled": "email disabled", "joined-at": "created at"},
    ),
    _tool(
        "Ghost",
        "id, email, subscribed to emails",
        **{
            "subscribed": "subscribed to emails",
            "joined-at": "created at",
            "left-at": "deleted at",
            "-": "id, stripe customer id",
        },
    ),
    _tool(
        "listmonk",
        "uuid, email, attributes, status",
        **{"joined-at": "created at", "-": "uuid, updated at"},
    ),
    _tool(
        "Buttondown",
        "email address, type, creation date",
        **{
            "status": "type",
            "attributes": "metadata",
            "joined-at": "creation date",
            "joined-from": "ip address",
            "-": "id, secondary id",
        },
    ),
    _tool(
        "Buttondown",
        "email, subscriber type, creation date",
        **{
            "status": "subscriber type",
            "attributes": "metadata",
            "joined-at": "creation date",
            "joined-from": "ip address",
            "-": "id, secondary id",
        },
    ),
)

STANDINGS: Mapping[str, Standing] = {
    word: standing
    for standing, words in {
        Standing.ACTIVE: "active, subscribed, enabled, confirmed, regular, premium, gifted, trialed, past_due, "
        "churning, churned, free, paid, comped, member, yes",
        Standing.PAUSED: "paused, snoozed",
        Standing.PENDING: "pending, unconfirmed, unactivated, nonsubscribed, transactional, upcoming",
        Standing.UNSUBSCRIBED: "unsubscribed, removed, inactive, disabled, opted out, left, no, archived",
        Standing.BOUNCED: "cleaned, bounced, undeliverable, unreachable, dead, malformed",
        Standing.COMPLAINED: "complained, complaint, spam, spammy",
        Standing.BLOCKED: "blocklisted, blacklisted, blocked, banned, suppressed",
    }.items()
    for word in words.split(", ")
}

# Mailchimp says it in the name of the file, too.
FILE_STANDINGS: Sequence[tuple[re.Pattern[str], Standing]] = tuple(
    (re.compile(rf"(?:^|/){word}_", re.IGNORECASE), standing)
    for word, standing in {
        "unsubscribed(?:_members|_email_audience)": Standing.UNSUBSCRIBED,
        "cleaned(?:_members|_email_audience)": Standing.BOUNCED,
        "nonsubscribed(?:_members|_email_audience)": Standing.PENDING,
    }.items()
)


@dataclass(frozen=True, slots=True)
class Columns:
    """What each column is: a field, or the name of an attribute (text). `standing` holds for a whole file."""

    meanings: tuple[Field | str, ...]
    tool: str | None
    standing: Standing

    def __str__(self) -> str:
        """Give it in words, for a person to check."""
        known = [str(meaning) for meaning in self.meanings if isinstance(meaning, Field) and meaning != "-"]
        others = [meaning for meaning in self.meanings if not isinstance(meaning, Field)]
        return ", ".join(known) + (f"; attributes: {', '.join(others)}" if others else "")


def plain_name(column: str) -> str:
    """Give a column's name in lower case, words apart by one blank."""
    return re.sub(r"[\s_\-.]+", " ", column).strip().casefold()


def understand(
    header: Sequence[str], file: str, mapping: Mapping[str, str] | None = None, *, kind: str = "csv"
) -> Columns:
    """Say what the columns of a file mean; raises BadFile if none holds addresses, or two do."""
    tool = _recognise(header) if kind == "csv" else None
    by_hand = {plain_name(column): meaning for column, meaning in (mapping or {}).items()}
    unknown = set(by_hand) - {plain_name(column) for column in header}
    if unknown and kind == "csv":
        raise BadFile(f"there is no column {', '.join(sorted(unknown))}; there are: {', '.join(header)}", 1)
    meanings = tuple(meaning_of(column, tool, by_hand) for column in header)
    if tuple(header[:3]) == REJECTS_HEADER:
        rest = (
            Field.RECORD if name == RECORD else found for name, found in zip(header, meanings, strict=True)
        )
        meanings = (Field.IGNORED, Field.IGNORED, Field.FILE, *islice(rest, 3, None))
    if kind == "csv" and Field.RECORD not in meanings and meanings.count(Field.EMAIL) != 1:
        found = "no column" if Field.EMAIL not in meanings else "more than one column"
        raise BadFile(f"{found} holds addresses; the columns are: {', '.join(header) or 'none'}", 1)
    name = "Mailman" if kind == "list" else tool.name if tool else None
    return Columns(meanings, name, standing_of_file(file))


def meaning_of(column: str, tool: Tool | None, by_hand: Mapping[str, str]) -> Field | str:
    """Give a field, or the name of an attribute."""
    column = clean_line(unguarded(column))
    name = plain_name(column)
    if name in by_hand:
        return _by_hand(by_hand[name])
    if tool and name in tool.fields:
        return tool.fields[name]
    if column.startswith("attributes."):
        return column.removeprefix("attributes.")[:64] or Field.IGNORED
    if name in _NAMES:
        return _NAMES[name]
    return column[:64] or Field.IGNORED


def _by_hand(meaning: str) -> Field | str:
    return Field(meaning) if meaning in Field._value2member_map_ else meaning


def _recognise(header: Sequence[str]) -> Tool | None:
    names = {plain_name(column) for column in header}
    return next((tool for tool in TOOLS if tool.signs <= names), None)


def standing_of_file(file: str) -> Standing:
    """Say how the people of a file stood, where its name tells."""
    return next((standing for pattern, standing in FILE_STANDINGS if pattern.search(file)), Standing.ACTIVE)
