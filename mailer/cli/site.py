"""The deploy gate of a send by hand: where a schedule of the list waits for the issue's page, a person is asked.

`--yes` answers the question of the send alone: without a terminal nothing is sent while the page is not there.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mailer.cli.output import confirm
from mailer.delivery.mailing import plain_subject
from mailer.errors import PersonNeeded, Problem
from mailer.issue.find import list_issues

if TYPE_CHECKING:
    from mailer.cli.preparing import Send


def awaited(this: Send) -> str | None:
    """Say what is missing of the issue's page; None where it is there, or no schedule of the list waits for it."""
    one, settings = this.named.list, this.place.settings
    if not any(plan.wait_for and plan.list_key == one.key for plan in settings.schedules):
        return None
    from mailer.schedule.page import missing  # noqa: PLC0415 - httpx is for lists that wait

    path = this.named.path.resolve()
    heads = list_issues(this.place.folder, one.issues)
    title = next((head.title for head in heads if head.path.resolve() == path), "")
    return missing(this.edition.canonical, title or plain_subject(this.edition))


def ask(said: str) -> None:
    """Let a person decide whether to send without the page; raises PersonNeeded where nobody can."""
    if not (sys.stdin and sys.stdin.isatty()):
        words = "the list waits for its pages (wait_for): send again when it is there, or from a terminal"
        raise PersonNeeded(Problem(f"{said}; {words}", key="wait_for"))
    confirm(f"{said}. Send all the same?", yes=False)
