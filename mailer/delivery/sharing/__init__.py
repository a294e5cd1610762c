"""Sharing: what all processes that send may do together, kept in the database, and each one's part of it reckoned.

Messages a second are reserved in blocks (paces.py) and spent one by one (turns.py), those of an hour and a day are
drawn (limits.py); connections are lent (leases.py), pleas for patience passed on (exchanging.py), and how a mailing
fares is added up (tallies.py).

Promises: a limit holds for all processes together, whatever dies; what is not limited costs no statement. Never: holds
a gate, a desk or the recorder. What one process does with its part stands above: shares.py, rations.py, watch.py.
"""

from mailer.delivery.sharing.exchanging import DOMAIN, Asked, Said, exchange
from mailer.delivery.sharing.leases import Want
from mailer.delivery.sharing.limits import Allowance, limited
from mailer.delivery.sharing.tallies import Sums
from mailer.delivery.sharing.turns import Turns

__all__ = ["DOMAIN", "Allowance", "Asked", "Said", "Sums", "Turns", "Want", "exchange", "limited"]
