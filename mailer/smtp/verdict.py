"""What the three answers to an envelope mean, and what must be said next (RFC 2920, section 3.1).

MAIL, RCPT and DATA go out as one group, so each is answered, also after an earlier one was refused (P03). The
table never trusts a server further than its answers agree: a body is sent only where all three were positive,
and where they contradict each other so that an empty message might reach someone, the line is dropped.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache


class Next(Enum):
    """What the connection needs after the answers."""

    BODY = "the server waits for the body"
    NOTHING = "no transaction is open"
    RSET = "a transaction is open that has to be forgotten"
    DOT = "the server waits for a body that nobody is to get: send a lone dot (P04)"
    DROP = "the answers contradict each other"


COMMANDS = ("mail", "rcpt", "data")


@lru_cache(maxsize=1024)  # the same three answers come again and again
def judge(mail: int, rcpt: int, data: int) -> tuple[int | None, Next]:
    """Give the index of the first refusal (None if there is none) and what comes next.

    The codes are 2yz to 5yz; 421 ends the connection and never comes here.
    """
    mail_taken, rcpt_taken, waits = mail < 300, rcpt < 300, 300 <= data < 400
    if 300 <= mail < 400 or 300 <= rcpt < 400 or data < 300:
        return None, Next.DROP
    if mail_taken and rcpt_taken:
        return (None, Next.BODY) if waits else (2, Next.RSET)
    refused = 1 if mail_taken else 0
    if not waits:
        return refused, Next.RSET if mail_taken or rcpt_taken else Next.NOTHING
    # A lone dot is an empty message to whoever was accepted: only where nobody was is it harmless.
    return refused, Next.DROP if rcpt_taken else Next.DOT
