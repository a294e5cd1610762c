"""Bounces: whether a mail is one, and what it says of whom.

A delivery-status part settles it. Without one the mail is weighed: who sends (a daemon, the null path), what the
subject and the words are, whether a message came back. Weights are a table, so that a mail of a system that nobody
has seen is still read for what it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mailer.feedback.model import Permanence
from mailer.feedback.reading.addresses import ADDRESS, is_daemon, is_office, tidy
from mailer.feedback.reading.model import Reported
from mailer.feedback.reading.prose import Named, named
from mailer.feedback.reading.reasons import DEAD, Verdict, reason_for
from mailer.feedback.reading.signs import FROM, GIVEN_UP, REPLY_LINE, SUBJECT, WARNING, WARNING_SUBJECT, WORDS

if TYPE_CHECKING:
    from collections.abc import Collection

    from mailer.feedback.reading.delivery_status import Notification, Told
    from mailer.feedback.reading.mime import Header
    from mailer.feedback.reading.returned import Returned

LONGEST_REPLY: Final = 500
ENOUGH: Final = 4
_SHOP: Final = re.compile(r"(?:no-?reply|do-?not-?reply|support|help-?desk)", re.IGNORECASE)


def weighs_enough(header: Header, subject: str, words: str, returned: Returned, *, automatic: bool) -> bool:
    """Weigh a mail without a delivery-status part, and say whether it is a bounce.

    A person can write each of the words; so who does not write as a machine needs all of them, and more.
    """
    daemon, null = _is_system(header), has_null_path(header)
    weight = (
        4 * ("x-failed-recipients" in header)
        + 2 * daemon
        + 1 * null
        + 2 * bool(SUBJECT.search(subject) or (daemon and WARNING_SUBJECT.search(subject)))
        + 2 * bool(WORDS.search(words))
        + 1 * bool(REPLY_LINE.search(words))
        + 1 * bool(returned)
    )
    machine = daemon or null or "x-failed-recipients" in header
    sender = tidy(header.get("from"))
    office = is_office(sender)
    shop = office and not returned and bool(_SHOP.match(sender))  # shops speak of late deliveries, too
    # Mail systems mark their reports as automatic, too (A06); others that do are answering.
    answers = automatic and not is_daemon(tidy(header.get("from")))
    return weight >= ENOUGH + 2 * answers + (0 if machine else 1 if shop else 0 if office else 3)


def has_null_path(header: Header) -> bool:
    """Say whether nobody is to answer: the null return path, or that of a mail system."""
    path = header.get("return-path").strip().lower()
    return path in {"<>", "<mailer-daemon>"} or header.get("from").strip().endswith("<>")


def _is_system(header: Header) -> bool:
    sender = header.get("from")
    name = sender.partition("@")[0]
    return is_daemon(tidy(sender)) or bool(FROM.search(name)) or sender.strip().lower() == "mailer-daemon"


def from_notification(
    told: Notification, words: str, returned: Returned, ours: Collection[str]
) -> tuple[Reported, ...]:
    """Give what a delivery-status part says, helped out by the words beside it where it says too little."""
    spoken = named(words, ours, [each.recipient for each in told.recipients] + returned.recipients)
    seen: dict[str, Reported] = {}
    warned = any(not each.action for each in told.recipients) and _is_warning(words, "")
    alone = len(told.recipients) == 1
    for each in told.recipients:
        report = _reported(each, spoken, words if alone else "", returned, warned=warned)
        if report is not None:
            seen.setdefault(report.recipient.lower(), report)
    return tuple(seen.values()) or from_words(words, returned, ours)


def from_words(
    words: str,
    returned: Returned,
    ours: Collection[str],
    failed: Collection[str] = (),
    subject: str = "",
) -> tuple[Reported, ...]:
    """Give what a mail system's own words say of whom; the returned message names the reader where they do not."""
    spoken = named(words, ours, [*failed, *returned.recipients])
    have = {each.recipient.lower() for each in spoken} | {each.also.lower() for each in spoken}
    missing = [address for address in failed if address.lower() not in have]
    if failed and not missing:
        wanted = {address.lower() for address in failed}
        spoken = [each for each in spoken if {each.recipient.lower(), each.also.lower()} & wanted] or []
    if missing and not any(each.recipient in returned.recipients for each in spoken):
        spoken = [Named(address, "", words) for address in dict.fromkeys(missing)]
    if not spoken:
        whole = (
            returned.recipients
            if len(returned.recipients) == 1
            else returned.routed[:1] or returned.recipients
        )
        spoken = [Named(address, "", words) for address in whole]
    final = not _is_warning(words, subject)
    whole_words = words if len(spoken) == 1 else ""
    return tuple(_judged(each, whole_words, final=final, subject=subject) for each in spoken)


def _reported(
    each: Told, spoken: list[Named], words: str, returned: Returned, *, warned: bool
) -> Reported | None:
    """Read one recipient; `words` are those of the whole mail if it is about this one alone."""
    about = _about(each, spoken, alone=bool(words))
    recipient, also = each.recipient, each.also
    if about is not None and about.also and about.also.lower() == recipient.lower():
        recipient, also = about.recipient, recipient
    if not recipient:
        recipient = about.recipient if about else next(iter(returned.recipients), "")
    if not recipient:
        return None
    said = each.diagnosis
    beside = about.words if about else words
    context = words or beside
    verdict = reason_for(each.status, "", said, each.remote, context)
    if beside and (verdict.reason == "undefined" or not _says_something(said)):
        verdict = _either(
            verdict, reason_for(each.status, "", f"{said}\n{_without(beside)}", each.remote, context)
        )
        said = said if _says_something(said) else beside
    final = each.action != "delayed" if each.action else not warned
    return _finished(recipient, also, verdict, final=final, said=said)


def _judged(each: Named, words: str, *, final: bool, subject: str) -> Reported:
    verdict = reason_for("", "", each.words, "", words or f"{each.words}\n{each.before}")
    if words and verdict.reason in {"undefined", "expired", "onhold"}:
        verdict = _either(verdict, reason_for("", "", _without(words)))
    if verdict.reason == "undefined" and subject:
        verdict = _either(verdict, reason_for("", "", subject))
    return _finished(each.recipient, each.also, verdict, final=final, said=each.words)


def _finished(recipient: str, also: str, verdict: Verdict, *, final: bool, said: str) -> Reported:
    permanence = verdict.permanence
    if permanence is Permanence.NONE:
        permanence = Permanence.PERMANENT if final else Permanence.TEMPORARY
    elif not final:
        permanence = Permanence.TEMPORARY
    dead = verdict.reason in DEAD and permanence is Permanence.PERMANENT
    reply = re.sub(r"\s+", " ", said).strip()[:LONGEST_REPLY]
    return Reported(recipient, verdict.reason, permanence, final, dead, verdict.status, reply, also)


def _about(each: Told, spoken: list[Named], *, alone: bool) -> Named | None:
    """Find the words beside a delivery-status part that speak of its recipient."""
    wanted = {each.recipient.lower(), each.also.lower()} - {""}
    found = next((one for one in spoken if {one.recipient.lower(), one.also.lower()} & wanted), None)
    return found or (spoken[0] if alone and len(spoken) == 1 else None)


def _either(first: Verdict, second: Verdict) -> Verdict:
    """Take the reason of whichever says one, and the codes of the first that has any."""
    if second.reason == "undefined":
        return first
    permanence = first.permanence if first.permanence is not Permanence.NONE else second.permanence
    return Verdict(
        second.reason, permanence, second.hardbounce, first.status or second.status, first.code or second.code
    )


def _says_something(text: str) -> bool:
    """Say whether a diagnosis holds words rather than a bare number: `X-Unix; 77` does not."""
    return len(re.sub(r"[^A-Za-z\u0080-\uffff]", "", text.partition(";")[2] or text)) > 6


def _without(words: str) -> str:
    """Take the addresses and the polite opening out of a text, whose words would be taken for reasons."""
    return ADDRESS.sub("<>", words)


def _is_warning(words: str, subject: str) -> bool:
    if GIVEN_UP.search(subject):
        return False
    if WARNING_SUBJECT.search(subject) and not GIVEN_UP.search(words):
        return True
    return bool(WARNING.search(words)) and not re.search(
        r"giving up|given up|not going to try again|failed permanently", words, re.IGNORECASE
    )
