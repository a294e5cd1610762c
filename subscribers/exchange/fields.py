"""What a column of a file can mean, and how its people can stand."""

from __future__ import annotations

from enum import StrEnum


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
