"""mailer compile: HTML, text and a sample message of issues, as files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.options import IssueNamed, Issues, ListNamed, Subject, several_issues
from mailer.cli.output import emit, note, say

if TYPE_CHECKING:
    from mailer.cli.compiling import Target
    from mailer.edition.guard import Compiler

app = typer.Typer(add_completion=False)
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="DIR", help="Where to write; else a new folder.", show_default=False),
]


@app.command(epilog="Example: mailer compile 72 --out /tmp/look")
def compile(  # noqa: A001 - the command's name
    issues: Issues = None,
    issue: IssueNamed = None,
    out: Out = None,
    subject: Subject = None,
    list_key: ListNamed = None,
) -> int:
    """Turn issues into HTML, text and a sample message.

    Needs no mailer.toml, database or network: any Markdown file will do. Findings of level error are told, and the
    command then exits 1; the files are written all the same, for looking at.
    """
    from mailer.cli.compiling import targets  # noqa: PLC0415
    from mailer.cli.workplace import workplace_here  # noqa: PLC0415
    from mailer.edition.guard import Compiler  # noqa: PLC0415
    from mailer.errors import Problem, UserError  # noqa: PLC0415

    words = several_issues(issues, issue)
    if not words:
        raise UserError(Problem("which issue? Give numbers, slugs or paths", key="issue"))
    wanted = targets(workplace_here(), words, list_key)
    if subject and len(wanted) > 1:
        raise UserError(Problem("--subject is for one issue", key="subject"))
    folder = _folder(out)
    taken: set[str] = set()
    with Compiler() as compiler:
        sound = [_compile(compiler, target, subject, folder, taken) for target in wanted]
    return 0 if all(sound) else 1


def _folder(out: Path | None) -> Path:
    from mailer.errors import Problem, UserError  # noqa: PLC0415

    if out is None:
        return Path(tempfile.mkdtemp(prefix="mailer-"))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(Problem(f"cannot be made: {error.strerror}", str(out), key="out")) from None
    return out


def _compile(compiler: Compiler, target: Target, subject: str | None, folder: Path, taken: set[str]) -> bool:
    """Compile one issue and tell of it; give whether it is without errors."""
    from mailer.cli.compiling import as_problem, described, sample_of, write_sample  # noqa: PLC0415

    edition = compiler.compile(target.path, target.masthead, subject=subject)
    made = sample_of(edition, target.list)
    told: dict[str, Any] = {
        "issue": described(edition),
        "files": write_sample(folder, edition, made, taken),
        "html_bytes": len(made.html.encode()),
        "links": len(edition.links),
        "images": len(edition.images),
        "findings": edition.findings,
    }
    if edition.errors:
        problems = [as_problem(finding) for finding in edition.errors]
        told |= {"error": str(problems[0]), "problems": problems}
    emit(told)
    _tell(told)
    return not edition.errors


def _tell(told: dict[str, Any]) -> None:
    from mailer.cli.compiling import say_finding  # noqa: PLC0415
    from mailer.issue.model import Level  # noqa: PLC0415

    number = told["issue"]["number"]
    say(f"{'' if number is None else f'{number}: '}{told['issue']['subject']}", style="strong")
    for kind, file in told["files"].items():
        say(f"  {kind:5} {file}")
    say(f"  {told['html_bytes']:,} octets of HTML, {told['links']} links, {told['images']} images")
    for finding in told["findings"]:
        if finding.level is not Level.INFO:
            say_finding(finding)
    if "error" in told:
        note("this cannot be sent before its errors are mended", style="error")
