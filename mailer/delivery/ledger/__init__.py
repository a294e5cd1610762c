"""The ledger: one row per (mailing, subscriber), and the only room that writes `deliveries`.

What is old and final is packed (packing.py, shelving.py); whoever reads sees no difference.

Promises: every move is in states.MOVES and conditional on the state it comes from, so two workers, a late answer or
a repeated call can change nothing twice. A fence is granted only to a row that this worker still has, of a mailing
that runs, for a reader who is still mailable at the address in the row (U15).
Never: commits. The caller owns the transaction, and keeps it short.
"""

from mailer.delivery.ledger.advancing import advance, fence, settle
from mailer.delivery.ledger.claiming import claim, claimed, give_back, turn_back
from mailer.delivery.ledger.conditions import has_delivery, received, went_to_anybody
from mailer.delivery.ledger.decisions import amend, cancel, count_in_hand, resend_uncertain, skip_uncertain
from mailer.delivery.ledger.places import Place, blank, by_relay_id, find, newest
from mailer.delivery.ledger.planning import plan
from mailer.delivery.ledger.recovery import known_mailings, late_proof, replay, take_back
from mailer.delivery.ledger.shelving import ended, shelve
from mailer.delivery.ledger.sums import (
    any_unpacked,
    anybody_due,
    anybody_open,
    count_accepted,
    counts,
    delivered,
    last_arrival,
    packed_states,
    page,
    recipients,
)

__all__ = [
    "Place",
    "advance",
    "amend",
    "any_unpacked",
    "anybody_due",
    "anybody_open",
    "blank",
    "by_relay_id",
    "cancel",
    "claim",
    "claimed",
    "count_accepted",
    "count_in_hand",
    "counts",
    "delivered",
    "ended",
    "fence",
    "find",
    "give_back",
    "has_delivery",
    "known_mailings",
    "last_arrival",
    "late_proof",
    "newest",
    "packed_states",
    "page",
    "plan",
    "received",
    "recipients",
    "replay",
    "resend_uncertain",
    "settle",
    "shelve",
    "skip_uncertain",
    "take_back",
    "turn_back",
    "went_to_anybody",
]
