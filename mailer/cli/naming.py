"""Which issue, of which list: what a person typed becomes a file and its list, or an error that lists the choices.

A list is never guessed: where the globs do not name exactly one, the error names them all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mailer.cli.compiling import shown
from mailer.errors import Problem, UserError
from mailer.issue.find import find_issue, list_issues

if TYPE_CHECKING:
    from pathlib import Path

    from mailer.cli.workplace import Workplace
    from mailer.settings import ListSettings

_MAILING = re.compile(
    r"(?P<issue>[^./\s]+)\.(?P<list>[a-z0-9_-]+)(?:\.(?P<again>[a-z0-9_-]+))?", re.IGNORECASE
)


class Named(NamedTuple):
    """An issue's file and the list whose issue it is."""

    list: ListSettings
    path: Path


class MailingNamed(NamedTuple):
    """What a mailing's id says: `72.main` or `72.main.AGAIN`."""

    issue: str
    list_key: str
    again: str


def mailing_named(text: str, lists: object) -> MailingNamed | None:
    """Read a mailing's id; None if the text is none, or its list does not exist."""
    match = _MAILING.fullmatch(text)
    if match is None or match["list"] not in lists:  # type: ignore[operator] # any container of keys
        return None
    return MailingNamed(match["issue"], match["list"], match["again"] or "")


def issue_named(place: Workplace, wanted: str, list_key: str | None = None) -> Named:
    """Give the file that `wanted` names and its list. `list_key` is --list, or None.

    Raises UserError when nothing, or more than one thing, is meant.
    """
    settings = place.settings
    named = mailing_named(wanted, settings.lists)
    if named is not None:
        wanted, list_key = named.issue, named.list_key
    globs = tuple(dict.fromkeys(pattern for one in settings.lists.values() for pattern in one.issues))
    path = find_issue(place.folder, globs, wanted)
    owners = [one for one in settings.lists.values() if path in _files(place, one)]
    if list_key is not None:
        asked = settings.for_list(list_key)
        if asked in owners or not owners:
            return Named(asked, shown(path))
    said_by_file = next(
        (issue.list for issue in list_issues(place.folder, globs) if issue.path == path), None
    )
    if len(owners) > 1 and said_by_file is not None:
        owners = [one for one in owners if one.key == said_by_file] or owners
    if len(owners) == 1:
        return Named(owners[0], shown(path))
    choices = ", ".join(one.key for one in owners or settings.lists.values())
    said = f"is an issue of {len(owners)} lists" if owners else "lies outside every list's issue globs"
    raise UserError(Problem(f"{said}: --list names one of {choices}", str(path), key="list"))


def _files(place: Workplace, one: ListSettings) -> set[Path]:
    return {file for pattern in one.issues for file in place.folder.glob(pattern)}
