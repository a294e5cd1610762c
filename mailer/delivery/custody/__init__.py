"""Custody: which processes hold the database now, and whether it still knows all that went out.

Who sends is a worker with an epoch and a lock (workers.py) of one machine (place.py), on one server (home.py). What the
database may have forgotten is known by a file beside it (witness.py) and by the journals: `look` sees it (looking.py),
`decide` says what it means, `secure` does what follows (securing.py), `attest` writes the file anew (attesting.py).

Promises: nothing is sent from a database that lost commits until the journals filled the gap or a person adopted it;
an epoch, and any id that left the house, is never handed out twice (sequences.py).
"""

from mailer.delivery.custody.attesting import attest
from mailer.delivery.custody.looking import look
from mailer.delivery.custody.securing import adopt, explain, replay, secure
from mailer.delivery.custody.witness import Seen, Trust, Witness, decide, read_witness
from mailer.delivery.custody.workers import Worker

__all__ = [
    "Seen",
    "Trust",
    "Witness",
    "Worker",
    "adopt",
    "attest",
    "decide",
    "explain",
    "look",
    "read_witness",
    "replay",
    "secure",
]
