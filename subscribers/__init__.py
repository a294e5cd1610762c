"""The subscribers: who gets what, by what right, and who never will again. Its whole face.

A bounded context of its own: it knows nothing of mailer and never sends mail. Every verb takes a connection
and the time, runs in the caller's transaction and returns frozen values, never rows.
"""

from __future__ import annotations

from subscribers.audience import (
    AudienceCounts,
    Reader,
    audience,
    audience_counts,
    readers,
    still_reached,
    within,
)
from subscribers.confirming import Confirmation, ConfirmOutcome, confirm, look_at_sign_up
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
    erase_from_rejects,
    export_columns,
    export_rows,
    forget_rejects,
    import_file,
    survey,
    undo_import,
    write_csv,
)
from subscribers.expiry import departed, expire_moves, expire_signups
from subscribers.joining import add
from subscribers.membership import complain, lose, pause, resume, unsubscribe
from subscribers.moving import (
    AddressMove,
    MoveOutcome,
    MoveResult,
    confirm_move,
    look_at_move,
    request_move,
    sure_email,
    undo_move,
)
from subscribers.network import network_prefix
from subscribers.profile import set_profile
from subscribers.requests import Form, addresses_of, form_of, forms_of, requests_of
from subscribers.returning import come_back, may_come_back
from subscribers.rights import erase, erase_address, move, tag
from subscribers.roster import Person, Subscription, ensure_lists, find, get, list_ids, people
from subscribers.segment import (
    Received,
    SegmentError,
    compile_segment,
    freeze_segment,
    index_statements,
    named_issues,
    unheld_attributes,
)
from subscribers.signing import SignUp, SignUpOutcome, note_letter, sign_up, sign_up_again
from subscribers.suppression import Suppression, address_hash, block, lift, list_suppressions, suppressions_of
from subscribers.tables import Instant, metadata

__all__ = [
    "AddressMove",
    "AddressTaken",
    "AudienceCounts",
    "BadFile",
    "ConfirmOutcome",
    "Confirmation",
    "Consent",
    "Evidence",
    "Form",
    "ImportResult",
    "Instant",
    "InvalidAddress",
    "MoveOutcome",
    "MoveResult",
    "Person",
    "Reader",
    "Received",
    "SegmentError",
    "SignUp",
    "SignUpOutcome",
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
    "addresses_of",
    "audience",
    "audience_counts",
    "block",
    "come_back",
    "compile_segment",
    "complain",
    "confirm",
    "confirm_move",
    "consents_of",
    "departed",
    "ensure_lists",
    "erase",
    "erase_address",
    "erase_from_rejects",
    "expire_moves",
    "expire_signups",
    "export_columns",
    "export_rows",
    "find",
    "forget_rejects",
    "form_of",
    "forms_of",
    "freeze_segment",
    "get",
    "import_file",
    "index_statements",
    "lift",
    "list_ids",
    "list_suppressions",
    "look_at_move",
    "look_at_sign_up",
    "lose",
    "may_come_back",
    "metadata",
    "move",
    "named_issues",
    "network_prefix",
    "note_letter",
    "pause",
    "people",
    "readers",
    "request_move",
    "requests_of",
    "resume",
    "set_profile",
    "sign_up",
    "sign_up_again",
    "still_reached",
    "suppressions_of",
    "sure_email",
    "survey",
    "tag",
    "undo_import",
    "undo_move",
    "unheld_attributes",
    "unsubscribe",
    "within",
    "write_csv",
]
