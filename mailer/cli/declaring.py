"""What `mailer issues mark-sent` does: compile each issue for its identity, and write it down, all in one go."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailer import events
from mailer.cli.compiling import Target, shown, targets
from mailer.cli.gone import gone_out
from mailer.database import writing
from mailer.delivery.declared import declare
from mailer.edition.guard import Compiler
from mailer.errors import Problem, UserError
from mailer.issue.find import list_issues

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailer.cli.workplace import Workplace
    from mailer.delivery.mailing import Mailing
    from mailer.edition.model import Edition


def to_declare(place: Workplace, words: Sequence[str], list_key: str | None) -> list[Target]:
    """Give the files that are meant; says `mailer init` where there is no database."""
    _ = place.engine
    return targets(place, words, list_key)


def unknown(place: Workplace, wanted: Sequence[Target]) -> list[Target]:
    """Leave out the issues that have a mailing already, as far as their file's head tells."""
    gone = gone_out(place)
    found = {
        shown(issue.path): issue for one in place.lists() for issue in list_issues(place.folder, one.issues)
    }
    return [
        target
        for target in wanted
        if target.path not in found or not gone.of(target.masthead.list_key, found[target.path])
    ]


def declare_all(place: Workplace, wanted: Sequence[Target]) -> list[Mailing]:
    """Declare them all, or none: a file that cannot be read has no identity, and is an error."""
    editions = _compiled(wanted)
    now, actor = datetime.now(UTC), events.person()
    with writing(place.engine) as connection:
        made = [
            declare(connection, edition, target.masthead.list_key, now, actor)
            for target, edition in zip(wanted, editions, strict=True)
        ]
    return [mailing for mailing in made if mailing is not None]


def _compiled(wanted: Sequence[Target]) -> list[Edition]:
    editions: list[Edition] = []
    problems: list[Problem] = []
    with Compiler() as compiler:
        for target in wanted:
            try:
                editions.append(compiler.compile(target.path, target.masthead))
            except UserError as error:
                problems += error.problems
    if problems:
        raise UserError(*problems)
    return editions
