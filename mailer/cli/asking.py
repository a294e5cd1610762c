"""What `subscribers add --ask` does: the operator's word asks, and the mailbox decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.cli.output import emit, say
from mailer.cli.people import changing, now

if TYPE_CHECKING:
    from mailer.cli.workplace import Workplace


def ask(place: Workplace, email: str, list_key: str, basis: str, *, name: str, language: str | None) -> None:
    """Write to somebody and ask whether they want a list; tell the operator what came of it."""
    from mailer.cli.preparing import ground_of  # noqa: PLC0415 - with the database
    from mailer.events import person  # noqa: PLC0415
    from mailer.letters import joining  # noqa: PLC0415
    from subscribers import Form, SignUpOutcome  # noqa: PLC0415

    ground = ground_of(place)
    with changing(place) as connection:
        asked = joining.request(
            connection,
            ground,
            now=now(),
            email=email,
            list_keys=[list_key],
            form=Form("by hand", basis),
            name=name,
            language=language,
            actor=person(),
        )
    emit({"email": asked.email, "outcome": asked.outcome, "lists": list(asked.lists)})
    said = {
        SignUpOutcome.CONFIRM: "is asked by a letter, which `mailer run` sends",
        SignUpOutcome.ALREADY: f"reads {list_key} already, and hears so",
        SignUpOutcome.BLOCKED: "is blocked by hand: `mailer suppressions list` has it. Nothing was done",
    }
    say(f"{asked.email} {said[asked.outcome]}")
