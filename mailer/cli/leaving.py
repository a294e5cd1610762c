"""What the commands do when somebody goes: off a list, or out of everything that is held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.cli.output import confirm, emit, say
from mailer.cli.people import changing, looking, now, the_person
from mailer.errors import Problem, UserError

if TYPE_CHECKING:
    from mailer.cli.workplace import Workplace


def take_off(place: Workplace, email: str, list_key: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Take someone off one list or all; give their address and the lists they left."""
    from mailer import events  # noqa: PLC0415 - with the database
    from subscribers import unsubscribe  # noqa: PLC0415

    with changing(place) as connection:
        person, moment = the_person(connection, email), now()
        done = unsubscribe(connection, person.id, list_key, moment, "cli")
        if done:
            data = {"lists": list(done), "how": "cli"}
            events.record(connection, "reader.unsubscribed", str(person.id), moment, events.person(), **data)
    return person.email, done


def forget(place: Workplace, email: str, *, yes: bool) -> None:
    """Erase whoever has that address, or the address itself where nobody has it; asks."""
    from mailer import privacy  # noqa: PLC0415 - with the database
    from mailer.events import person as whoever  # noqa: PLC0415
    from subscribers import find  # noqa: PLC0415

    with looking(place) as connection:
        person = find(connection, email)
    if person is None and "@" not in email:
        raise UserError(Problem(f"nobody here has the address {email}", key="email"))
    known = person.email if person else email
    nobody = "" if person else "Nobody has that address. "
    confirm(f"{nobody}Forget {known} for good? This cannot be undone.", yes=yes)
    moment, actor = now(), whoever()
    with changing(place) as connection:
        if person:
            gone = privacy.erase(connection, person.id, now=moment, actor=actor)
        else:
            key = place.keys.suppression
            gone = privacy.erase_stranger(connection, email, now=moment, hash_key=key, actor=actor)
    rejects = privacy.sweep(place.settings.state, place.engine, gone)
    emit({"id": person.id if person else None, "erased": bool(gone), "rejects": rejects})
    say(f"{known} is forgotten")
