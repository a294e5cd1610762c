"""The subscribers: who gets what, by what right, and who never will again. Its whole face.

A bounded context of its own: it knows nothing of mailer and never sends mail. Every verb takes a connection
and the time, runs in the caller's transaction and returns frozen values, never rows.
"""

from __future__ import annotations

from subscribers.audience import AudienceCounts, Reader, audience, audience_counts, readers
from subscribers.consent import Consent, Evidence, consents_of
from subscribers.errors import (
    AddressTaken,
    BadFile,
    InvalidAddress,
    SubscribersError,
    UnknownList,
    UnknownSubscriber,
    WillNotRevive,
)
from subscribers.exchange import (
    ImportResult,
    Survey,
    UndoResult,
    export_columns,
    export_rows,
    import_file,
    survey,
    undo_import,
    write_csv,
)
from subscribers.joining import add
from subscribers.membership import complain, lose, pause, resume, unsubscribe
from subscribers.rights import erase, move, tag
from subscribers.roster import Person, Subscription, ensure_lists, find, get, list_ids, people
from subscribers.suppression import Suppression, address_hash, block, lift, list_suppressions, suppressions_of
from subscribers.tables import Instant, metadata

__all__ = [
    "AddressTaken",
    "AudienceCounts",
    "BadFile",
    "Consent",
    "Evidence",
    "ImportResult",
    "Instant",
    "InvalidAddress",
    "Person",
    "Reader",
    "SubscribersError",
    "Subscription",
    "Suppression",
    "Survey",
    "UndoResult",
    "UnknownList",
    "UnknownSubscriber",
    "WillNotRevive",
    "add",
    "address_hash",
    "audience",
    "audience_counts",
    "block",
    "complain",
    "consents_of",
    "ensure_lists",
    "erase",
    "export_columns",
    "export_rows",
    "find",
    "get",
    "import_file",
    "lift",
    "list_ids",
    "list_suppressions",
    "lose",
    "metadata",
    "move",
    "pause",
    "people",
    "readers",
    "resume",
    "suppressions_of",
    "survey",
    "tag",
    "undo_import",
    "unsubscribe",
    "write_csv",
]
