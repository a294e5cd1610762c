"""Findings about the finished mail: subject, preheader, sizes, footer, theme, and the two parts against each other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.edition.address import is_web
from mailer.edition.colour import READABLE, contrast
from mailer.edition.language import disagrees
from mailer.edition.model import Context, Slot
from mailer.edition.slots import with_defaults
from mailer.edition.tree import text_of

if TYPE_CHECKING:
    from mailer.edition.compile import Work

CLIP = 102_400  # octets of HTML at which Gmail cuts a mail off
_NEAR = 90_000
_STYLES = 16_384  # octets of style sheets that Gmail reads
_SLOT = 120  # octets that a reader's link or name takes
_SUBJECT = range(4, 111)
_PREHEADER = 150
_ACTIVE = re.compile(r"<(script|iframe|form|object|embed|video|audio|svg|input|button)\b", re.IGNORECASE)
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_PAIRS = (("ink", "paper"), ("muted", "paper"), ("muted", "page"), ("accent", "paper"))
_GLARING = frozenset({"#000", "#000000", "#fff", "#ffffff"})


def check_edition(work: Work) -> None:
    """Look at the mail as it will be sent."""
    _subject(work)
    _sizes(work)
    _parts(work)
    _sender(work)
    _theme(work)


def _subject(work: Work) -> None:
    subject = with_defaults(work.issue.subject, work.slots).strip()
    if not subject:
        if not any(finding.rule == "fm-title" for finding in work.report.findings):
            work.report.error(
                "fm-title", "the issue has no subject: write one in its front matter, or give --subject"
            )
    elif len(subject) not in _SUBJECT:
        work.report.warn(
            "subject-len", f"the subject has {len(subject)} characters; inboxes show some 40 to 70"
        )
    preheader = with_defaults(work.preheader, work.slots)
    if not preheader:
        work.report.warn("preheader", "there is no preheader: inboxes will show whatever comes first")
    elif preheader.casefold() == subject.casefold():
        work.report.warn("preheader", "the preheader repeats the subject")


def _sizes(work: Work) -> None:
    slots = sum(isinstance(part, Slot) for part in work.parts["html"])
    octets = len(work.html.encode("utf-8", "replace")) + _SLOT * slots
    if octets > CLIP:
        work.report.error(
            "size-clip", f"{octets:,} octets of HTML: Gmail cuts a mail off at {CLIP:,}, footer and all"
        )
    elif octets > _NEAR:
        work.report.warn(
            "size-clip", f"{octets:,} octets of HTML come near the {CLIP:,} at which Gmail cuts a mail off"
        )
    styles = sum(len(style.encode()) for style in _STYLE.findall(work.html))
    if styles > _STYLES:
        work.report.warn(
            "size-style", f"{styles:,} octets of style sheets; Gmail drops all beyond {_STYLES:,}"
        )


def _parts(work: Work) -> None:
    if found := _ACTIVE.search(work.html):
        work.report.error("html-active", f"<{found[1]}> is in the finished mail; a template must not hold it")
    whole = "".join(part for parts in work.parts.values() for part in parts if isinstance(part, str)).lower()
    # A token is two letters, a digest of the source, and a number (issue/merge.py, slots.py): the digest tells.
    if any(digest in whole for digest in {token[2:20] for token in (*work.slots, *work.constants)}):
        work.report.error(
            "merge-broken", "a merge field stands where none can be filled, in a host name perhaps"
        )
    slots = [part for part in work.parts["html"] if isinstance(part, Slot)]
    for name in sorted({slot.name for slot in slots if _leads_nowhere(slot)}):
        missing = f"{{{{ {name} }}}} is a whole address: readers who have none get a dead link"
        work.report.warn("merge-link", f"{missing}; give it a default")
    if not work.text.strip():
        work.report.error("text-part", "the plain-text part is empty")


def _leads_nowhere(slot: Slot) -> bool:
    """Say whether an address is a reader's own value alone, with nothing for readers who have none."""
    own = slot.context is Context.LINK and slot.name.startswith("subscriber.")
    return own and not (is_web(slot.default) or slot.default.lower().startswith("mailto:"))


def _sender(work: Work) -> None:
    head = work.masthead
    if not head.postal_address.strip():
        work.report.warn(
            "postal-address", "no postal address is set; the law of many countries wants one in each mail"
        )
    if not (head.list_name or head.sender_name):
        work.report.note("list-name", "the list has no name to put above the mail and into its footer")
    if work.links["link.unsubscribe"] not in work.html:
        work.report.error(
            "unsubscribe-link", "the template leaves out {{ frame.unsubscribe }}: nobody could leave"
        )
    if disagrees(work.language, text_of(work.tree)):
        work.report.warn(
            "lang-dir", f"the text is not in the script of its language ({work.language}); set `lang:`"
        )


def _theme(work: Work) -> None:
    if not work.masthead.theme:
        return
    for front, ground in _PAIRS:
        for dark in ("", "dark_"):
            ratio = contrast(work.theme[dark + front], work.theme[dark + ground])
            if ratio < READABLE:
                words = f"theme.{dark}{front} on {dark}{ground} has a contrast of {ratio:.1f}; {READABLE} can be read"
                work.report.warn("contrast", words)
    for key, value in work.masthead.theme.items():
        if value.lower() in _GLARING:
            work.report.warn(
                "dark-colors", f"theme.{key} is {value}: clients that invert colours make it glare"
            )
