"""Recipients in a mail system's own words: who is named, and which words speak of whom.

No mail system is known by name here. An address counts by where it stands (alone on a line, before a colon or dots,
behind `RCPT TO:`), by whether the returned message was for it, and not at all if it is the sender's, the mail system's
or that of its help desk. So one set of rules reads qmail, Exim, Sendmail, Domino and the next one (D15, D17).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from mailer.feedback.reading.addresses import ADDRESS, is_office, tidy
from mailer.feedback.reading.model import MOST_RECIPIENTS

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_LINES: Final = 600

_A: Final = rf"(?:{ADDRESS.pattern})"
_LABELS: Final = (
    r"RCPT TO|recipient(?: address)?|failed address|original address|rcpt|addressee|addressed to email address|user"
    r"|mailbox|Final-Recipient|destination|e-?mail address|to"
)
_VERBS: Final = (
    r"delivered|delivery|deliver(?: your| the| a)? (?:mail|message|e-?mail)|your (?:mail|message)|message"
    r"|undeliverable|sent"
)
# Where an address stands that the text is about. `addr` is found by the group.
_STRONG: Final = (
    rf"malformed address: <({_A})>",  # Exim
    rf"^[\s>*|•-]*<?\"?({_A})\"?>?\s*(?:\((?!reason)[^()\n]*\)\s*)?:?\s*$",  # alone
    rf"^[\s*|•-]*[<\"]({_A})[>\"]\s*(?:\(expanded from:? <?(?P<first>{_A})>?\))?\s*[:(]",  # Postfix, qmail, GMX
    rf"^[\s*|•-]*[<\"]({_A})[>\"]\s*(?:\(expanded from:? <?(?P<first2>{_A})>?\))?\s+\S",
    rf"^[\s*|•-]*({_A})\s*(?::|\.\.\.|,\s*ERROR_CODE|\s(?:invalid|error|on|failed|could|was|is|not|unknown)\b)",
    rf"(?:\bin|list|group) <({_A})>\.\s*$",  # mailing list managers
    rf"^(?:[45]\d\d(?: [45]\.\d\.\d+)?) <?({_A})>?\s*(?:\.\.\.|:)",  # Sendmail
    rf"<({_A})>\.\.\.\s",
    rf"(?:{_LABELS})\s*:\s*(?:rfc822;\s*)?[<\"']?({_A})",
    rf"(?:{_VERBS}) to:?\s+[<\"']?({_A})",
    rf"^(?:unknown|invalid|no such|bad|illegal|undeliverable)[^:\n]{{0,30}}:\s*<?({_A})",
    rf"(?:exceeds|full|unknown|error)[^:\n]{{0,40}}:\s*<?({_A})>?\s*$",
    rf"({_A})<mailto:{_A}>",
    rf"<mailto:({_A})>",
    rf"generated (?:by|from) <?({_A})",
    rf"(?:宛|宛先|送信先|收件人|получател[ья])\S{{0,10}}\s*[:：]?\s*<?({_A})",  # noqa: RUF001 - as written
)
LISTED: Final = 5  # of these patterns, those of a list of recipients
_VERDICT: Final = re.compile(r"[45]\d\d .{3,300}\.\.\.\s*\S")
_TRANSCRIPT: Final = re.compile(r"^\s*>?(?:>>>|<<<|\.\.\. while talking)")


@dataclass(frozen=True, slots=True)
class Named:
    """A recipient that a text names; `also` is where its mail was forwarded; `words` speak of it."""

    recipient: str
    also: str
    words: str
    before: str = ""  # the lines above, which tell at which command they were said


def named(text: str, ours: Collection[str], addressed: Collection[str]) -> list[Named]:
    """Give the recipients that a mail system's words are about, each with the words about it.

    `ours` are addresses that cannot be meant (the sender's, the mailbox it came to); `addressed` those that the
    returned message was for.
    """
    lines = text.split("\n")[:MOST_LINES]
    own = {address.lower() for address in ours} - {address.lower() for address in addressed}
    wanted = {address.lower() for address in addressed}
    places = _places(lines, own, wanted)
    if not places:  # some write to themselves, and a mailbox that gets bounces may be the one that failed
        places = _places(lines, set(), wanted, LISTED if wanted else None)
    if not places:
        places = _mentioned(lines, own, wanted)
    return _with_words(lines, places)


@cache
def _strong() -> tuple[re.Pattern[str], ...]:
    """Compile them with the first mail: a command that reads none need not wait for that."""
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in _STRONG)


def _places(
    lines: list[str], own: set[str], wanted: set[str], most: int | None = None
) -> dict[str, tuple[int, str]]:
    """Give {address: (its first line, where it was forwarded to)} of those that stand where it counts.

    With `most`, only so many of the patterns are tried.
    """
    patterns = _strong()[:most]
    found: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines):
        if "@" not in line or len(line) > 2000 or _TRANSCRIPT.match(line):
            continue
        match = next((match for pattern in patterns if (match := pattern.search(line))), None)
        if match is None:
            continue
        groups = match.groupdict()
        address = tidy(match[1])
        first = tidy(groups.get("first") or groups.get("first2") or _expanded(lines, number))
        address, also = (first, address) if first else (address, "")
        key = address.lower()
        if not address or key in own or (is_office(address) and key not in wanted):
            continue
        if len(found) < MOST_RECIPIENTS:
            found.setdefault(address, (number, also))
    return _unlike(found)


def _expanded(lines: list[str], number: int) -> str:
    """Find `(expanded from: <a>)` where it was broken over lines."""
    joined = " ".join(lines[number : number + 2])
    match = re.search(
        rf"^\s*<?{_A}>?\s*\((?:expanded|generated) from:?\s*<?({_A})>?\)", joined, re.IGNORECASE
    )
    return match[1] if match else ""


def _unlike(found: dict[str, tuple[int, str]]) -> dict[str, tuple[int, str]]:
    kept: dict[str, tuple[int, str]] = {}
    for address, place in found.items():
        if not any(address.lower() == other.lower() for other in kept):
            kept[address] = place
    return kept


def _mentioned(lines: list[str], own: set[str], wanted: set[str]) -> dict[str, tuple[int, str]]:
    """Where nobody stands in a place that counts: whoever the returned message was for, or the only one named."""
    seen: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines):
        for match in ADDRESS.finditer(line[:2000]):
            address = tidy(match[0])
            if address and address.lower() not in own and not is_office(address):
                seen.setdefault(address, (number, ""))
    meant = {address: place for address, place in seen.items() if address.lower() in wanted}
    return _unlike(meant or (seen if len(seen) == 1 and not wanted else {}))


def _with_words(lines: list[str], places: dict[str, tuple[int, str]]) -> list[Named]:
    starts = sorted(number for number, _ in places.values())
    result = []
    for address, (number, also) in places.items():
        after = next((start for start in starts if start > number), len(lines))
        # Sendmail's verdict stands on the very line; what follows is about the next one.
        last = number + 1 if _VERDICT.match(lines[number]) and len(starts) > 1 else number + 40
        words = "\n".join(lines[number : min(after, last)])
        result.append(Named(address, also, words, "\n".join(lines[max(0, number - 5) : number])))
    return result
