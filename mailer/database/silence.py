"""Silence on a line to PostgreSQL: both ends find out, long before its process counts as dead.

A cable that is pulled tells nobody. Without these words the kernel tries for a quarter of an hour to deliver what was
written, and waits for two hours where nothing was; for so long would the server keep the locks of a worker that is cut
off, so that nobody could take over its rows, and the worker would wait for an answer that was lost.
Promises: a line is given up after half a minute without a sign of the other's kernel (RFC 1122, 4.2.3.6; RFC 5482);
the server ends a transaction that writes and whose process does nothing for half a minute (stopped, out of memory).
Who only reads may take as long as it likes, since it holds nobody up. A URL that says otherwise is obeyed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from collections.abc import Container

    from sqlalchemy import Engine
    from sqlalchemy.engine import ExceptionContext

# Of libpq, for this end; seconds, but for the last, which is milliseconds.
_OURS: Final = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# Of the server, for its end: what every session begins with.
THEIRS: Final = {
    "tcp_keepalives_idle": "10s",
    "tcp_keepalives_interval": "5s",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25s",
    "idle_in_transaction_session_timeout": "30s",
}
READING: Final = "SET LOCAL idle_in_transaction_session_timeout = 0"


def line(given: Container[str]) -> dict[str, int]:
    """Give the words of a connection, but for those that its URL has `given`."""
    return {name: value for name, value in _OURS.items() if name not in given}


def attend(engine: Engine) -> None:
    """Let the end of a session for its silence be a matter of time."""
    event.listen(engine, "handle_error", _ended, retval=True)


def _ended(context: ExceptionContext) -> Exception | None:
    """Say of a session that the server ended for its silence (25P03) what is said of any that broke."""
    problem = context.original_exception
    if getattr(problem, "sqlstate", None) != "25P03":
        return None
    return OperationalError(context.statement, None, problem, connection_invalidated=True)
