"""Why a mail came back, from the remote server's words and codes: one verdict, by tables.

Words come first, for codes are often guessed by whoever passes them on; then the enhanced code within the words,
then the Status field, then the reply code. `hardbounce` means that the address is dead, and nothing else does:
of 520 permanent failures in a public corpus, 328 were full mailboxes, policy, authentication or reputation (R01).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from mailer.feedback.model import Permanence
from mailer.feedback.reading.codes import BY_REPLY, is_specific, reason_of, replies, statuses
from mailer.feedback.reading.hints import ABOUT_US, FOREIGN, LATER, UNKNOWN_USER
from mailer.feedback.reading.hosts import said_by
from mailer.feedback.reading.phrases import CERTAIN

LONGEST: Final = 2000  # characters of the words that are looked at

DEAD: Final = frozenset({"userunknown", "hostunknown", "hasmoved", "notaccept"})
"""The reasons for which an address is dead, if the failure is permanent."""

_SPACE: Final = re.compile(r"\s+")
_ADDRESS: Final = re.compile(r"<?[^\s<>@]{1,128}@[^\s<>,;:)\"']{0,254}[^\s<>,;:)\"'.]>?")
_URL: Final = re.compile(r"https?://[^\s<>\"]{1,400}")
_AFTER_BODY: Final = re.compile(
    r"reply to end of data|after end of data|failed after i sent the message|after (?:the )?\.|end of message"
    r"|for text command"
)
_AT_RCPT: Final = re.compile(r"rcpt|recipient command|does not like recipient|mailbox unavailable")
_SENDMAIL: Final = re.compile(r"\.\.\. ?(?:user unknown|no such user)")
# What a mail system says of its own mailboxes, in its own name: nobody else's words, so no code is needed.
_OWN_WORD: Final = re.compile(
    r"no such (?:user|account|mailbox|person) (?:here|at)|unknown in (?:virtual|relay)|no mailbox here by that name"
    r"|(?:^|<>:? ?)unknown user:|unknown user: ?[\"<]|not? listed in (?:domino|public|the)|unrouteable address"
    r"|(?:couldn'?t|could not) be found|address not found|recipnotfound|user not found|mailbox not found"
    r"|wasn'?t found at|invalid user address|unknown user account|name is not recogni|addresses? (?:was|were) unknown|"
    + FOREIGN
)
_FOR_EVERYTHING: Final = frozenset({"", "550", "553", "554"})
_VAGUE: Final = frozenset({"5.7.1", "5.7.0", "5.1.0", "5.3.0", "5.5.0"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why, for how long, and whether the address is dead; `status` and `code` are what it was read from."""

    reason: str
    permanence: Permanence
    hardbounce: bool
    status: str = ""
    code: str = ""


@lru_cache(64)  # many recipients of one mail are told the same
def reason_for(status: str, code: str, text: str, host: str = "", context: str = "") -> Verdict:
    """Judge what a remote host said of one recipient: an enhanced code, a reply code, its words, its name.

    Any may be ''. `context` is what stands around the words, asked only at which command they were said. The
    reason is 'undefined' if nothing says why; such an address is not called dead.
    """
    said = _SPACE.sub(" ", text[:LONGEST]).lower()
    within = statuses(said)
    own = next((each for each in within if is_specific(each)), "")
    replied = code or next(iter(replies(said)), "")
    best = own or (status if is_specific(status) else "") or next(iter(within), "") or status
    permanence = _permanence(best, own, status, replied)
    around = f"{said} {_SPACE.sub(' ', context[:LONGEST]).lower()}"
    reason = _reason(_Said(said, around, own, status, replied, host))
    dead = reason in DEAD and permanence is not Permanence.TEMPORARY
    return Verdict(reason, permanence, dead, best, replied)


@dataclass(frozen=True, slots=True)
class _Said:
    words: str
    around: str
    own: str  # the enhanced code within the words
    status: str
    replied: str
    host: str


def _permanence(best: str, own: str, status: str, replied: str) -> Permanence:
    """Take the class of the remote host's own code, then of the Status, then of the reply."""
    decisive = own or status or best or replied
    if not decisive:
        return Permanence.NONE
    return Permanence.TEMPORARY if decisive.startswith("4") else Permanence.PERMANENT


def _reason(it: _Said) -> str:
    # Addresses and links hold words of their own: spam@..., /quota.html.
    bare = _ADDRESS.sub("<>", _URL.sub(_kept, it.words))
    known = said_by(it.host, it.around)
    if known:
        return known
    certain = next((row.reason for row in CERTAIN if row.words.search(bare)), "")
    if certain == "suspend" and it.own == "5.1.1":
        return "userunknown"  # an address that was given up is one that is not there
    unknown = not certain and UNKNOWN_USER.words.search(bare) is not None
    if (unknown or certain in DEAD) and ABOUT_US.words.search(bare):
        return ABOUT_US.reason
    if certain or unknown:
        return certain or _unknown_user(it, bare)
    coded = reason_of(it.own)
    if coded and it.own not in _VAGUE:
        return coded
    later = next((row.reason for row in LATER if row.words.search(bare)), "")
    return later or coded or _guessed(it) or BY_REPLY.get(it.replied, "") or "undefined"


def _guessed(it: _Said) -> str:
    """Take the Status field at its word, unless the remote host's own reply means another thing: none dies of 421."""
    guess = reason_of(it.status)
    own = BY_REPLY.get(it.replied, "")
    living = own not in DEAD if own else it.replied.startswith("4") and not it.status.startswith("4")
    return "" if guess in DEAD and living else guess


def _unknown_user(it: _Said, bare: str) -> str:
    """Tell a mailbox that is not there from a filter that says so.

    Servers refuse an unknown mailbox at RCPT, or with a code of address status, or in their own prose. The same
    words after the body, or with nothing but 550 before them, are also what carriers' filters write.
    """
    if _OWN_WORD.search(bare) or "5.1." in f"{it.own} {it.status}":
        return "userunknown"
    if _AFTER_BODY.search(it.around):
        return "filtered"
    if it.own.startswith(("5.2.", "5.7.")):
        return "userunknown" if _AT_RCPT.search(it.around) else "filtered"
    known = (
        _AT_RCPT.search(it.around) or _SENDMAIL.search(bare) or it.own or it.replied not in _FOR_EVERYTHING
    )
    return "userunknown" if known else "filtered"


def _kept(match: re.Match[str]) -> str:
    """Keep of a link the name of a block list, which is all that some servers write."""
    return next(
        (
            name
            for name in ("spamhaus", "spamcop", "sorbs", "barracudacentral", "dmarc", "openspf")
            if name in match[0]
        ),
        "",
    )
