"""Preparing: a candidate becomes an edition that may go out, or the list of what stands in its way.

What goes is the committed file: in a git repository a file that is not committed, or was changed since, stops the send,
also when that happens while it is compiled. Outside of one it is the file as it stands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mailer.edition.guard import compile_guarded
from mailer.edition.masthead import masthead_for
from mailer.errors import UserError
from mailer.issue.provenance import provenance

if TYPE_CHECKING:
    from pathlib import Path

    from mailer.edition.model import Edition
    from mailer.issue.find import Found
    from mailer.issue.provenance import Provenance
    from mailer.settings import ListSettings, Settings


@dataclass(frozen=True, slots=True)
class Ready:
    """An edition, and the commit it is of."""

    issue: Found
    edition: Edition
    origin: Provenance


def prepare(settings: Settings, list_key: str, issue: Found) -> Ready:
    """Give what would go out; raises UserError with everything that stands in its way."""
    one, file = settings.for_list(list_key), relative(settings.folder, issue.path)
    before = _committed(issue.path, file)
    edition = _compiled(issue.path, one, settings.folder)
    wrong = [f"{finding.message} ({file}:{finding.line or 1})" for finding in edition.errors]
    if edition.draft:
        wrong.append(f"{file} is a draft: take `draft: true` out")
    if not one.public_url:
        wrong.append("public_url is missing in mailer.toml: readers could not unsubscribe")
    if not settings.relays:
        wrong.append("no relay: set [[relays]] in mailer.toml or MAILER_RELAY")
    if wrong:
        raise UserError(*wrong)
    if _committed(issue.path, file) != before:
        raise UserError(f"{file} changed while it was read")
    return Ready(issue, replace(edition, file=file), before)


def relative(folder: Path, path: Path) -> str:
    """Give the path as people see it: from the newsletter's folder."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _committed(path: Path, file: str) -> Provenance:
    found = provenance(path)
    if found.repository and found.commit is None:
        raise UserError(f"{file} is not committed: `git add {file}` and `git commit`")
    if found.repository and not found.committed:
        raise UserError(f"{file} has changes that are not committed")
    return found


def _compiled(path: Path, one: ListSettings, folder: Path) -> Edition:
    try:
        return compile_guarded(path, masthead_for(one))
    except UserError as error:
        raise UserError(*(str(problem).replace(f"{folder}/", "") for problem in error.problems)) from None
