"""mailer check: everything that is wrong, or may be, with issues and settings, before a reader sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.options import IssueNamed, Issues, ListNamed, several_issues
from mailer.cli.output import emit, note

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailer.cli.compiling import Target
    from mailer.cli.workplace import Workplace
    from mailer.issue.model import Finding

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: mailer check 72")
def check(
    issues: Issues = None,
    issue: IssueNamed = None,
    list_key: ListNamed = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")] = False,
) -> int:
    """Report everything that is wrong with issues and settings.

    Without ISSUE it looks at mailer.toml, segments.toml and every issue that has not gone out yet. What was repaired
    without a loss is told only with --json. Exit 1 if there is an error.
    """
    from mailer.cli.compiling import say_finding  # noqa: PLC0415
    from mailer.issue.model import Level  # noqa: PLC0415

    shown = {Level.ERROR} if quiet else {Level.ERROR, Level.WARNING}
    count = dict.fromkeys(Level, 0)
    for finding in _findings(several_issues(issues, issue), list_key):
        count[finding.level] += 1
        emit(finding)
        if finding.level in shown:
            say_finding(finding)
    errors, warnings = count[Level.ERROR], count[Level.WARNING]
    note(f"{errors or 'no'} error{'s' * (errors != 1)}, {warnings or 'no'} warning{'s' * (warnings != 1)}")
    return 1 if errors else 0


def _findings(words: Sequence[str], list_key: str | None) -> Iterator[Finding]:
    from mailer.cli.compiling import as_finding, targets  # noqa: PLC0415
    from mailer.cli.inspection import check_doubts, check_indexes, check_segments, check_settings  # noqa: PLC0415
    from mailer.cli.workplace import workplace, workplace_here  # noqa: PLC0415
    from mailer.errors import UserError  # noqa: PLC0415

    place = workplace_here() if words else workplace()
    if place is not None:
        try:
            yield from check_settings(place.settings)
        except UserError as error:
            # Without settings nothing is known of the issues; that is the finding.
            yield from (as_finding(problem) for problem in error.problems)
            return
        yield from check_segments(place.settings)
        yield from check_doubts(place)
        yield from check_indexes(place)
    if words:
        yield from _compiled(targets(place, words, list_key))
    elif place is not None:
        yield from _claims(place, list_key)
        yield from _compiled([*_still_to_send(place, list_key), *_welcomes(place, list_key)])


def _claims(place: Workplace, list_key: str | None) -> Iterator[Finding]:
    """Give the files that claim another's number, or a list that there is none of: neither can be sent."""
    from mailer.cli.compiling import shown  # noqa: PLC0415
    from mailer.issue.find import list_issues  # noqa: PLC0415
    from mailer.issue.model import Finding, Level  # noqa: PLC0415

    for one in place.lists(list_key):
        first: dict[int, str] = {}
        for issue in list_issues(place.folder, one.issues):
            file = str(shown(issue.path))
            if issue.number is not None and first.setdefault(issue.number, file) != file:
                message = f"claims number {issue.number}, and so does {first[issue.number]}"
                yield Finding("number", Level.ERROR, message, file)
            if issue.list is not None and issue.list not in place.settings.lists:
                known = ", ".join(place.settings.lists)
                yield Finding(
                    "list", Level.ERROR, f"there is no list {issue.list!r}; the lists are: {known}", file
                )


def _still_to_send(place: Workplace, list_key: str | None) -> Iterator[Target]:
    """Give every issue that has no mailing: what went out, nobody can mend any more."""
    from mailer.cli.compiling import target_of  # noqa: PLC0415
    from mailer.cli.gone import gone_out  # noqa: PLC0415
    from mailer.issue.find import list_issues  # noqa: PLC0415

    gone = gone_out(place)
    left = 0
    for one in place.lists(list_key):
        for issue in list_issues(place.folder, one.issues):
            if gone.of(one.key, issue):
                left += 1
            else:
                yield target_of(issue.path, one)
    if left:
        note(f"{left} issues went out already and are not checked; name them to check them")


def _welcomes(place: Workplace, list_key: str | None) -> Iterator[Target]:
    """Give the letters that welcome new readers: one with an error would not be sent."""
    from mailer.cli.compiling import target_of  # noqa: PLC0415

    for one in place.lists(list_key):
        if one.welcome is not None:
            yield target_of(one.welcome, one)


def _compiled(wanted: Sequence[Target]) -> Iterator[Finding]:
    from mailer.cli.compiling import failed  # noqa: PLC0415
    from mailer.edition.guard import Compiler  # noqa: PLC0415
    from mailer.errors import UserError  # noqa: PLC0415

    if not wanted:
        return
    with Compiler() as compiler:
        for target in wanted:
            try:
                yield from compiler.compile(target.path, target.masthead).findings
            except UserError as error:
                yield from failed(target.path, error)
