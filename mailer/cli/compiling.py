"""What compile and check share: words -> issue files with their mastheads, editions, findings, and sample files.

Works in a newsletter and without one. A list is never guessed: where globs do not name exactly one, and there are
several, the error lists them. Nothing here opens the database or the network, or needs the secret.
"""

from __future__ import annotations

import email
import email.policy
import os
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mailer.cli.output import say
from mailer.edition.masthead import masthead_for
from mailer.edition.model import Masthead
from mailer.errors import Problem, UserError
from mailer.issue.find import find_issue, list_issues
from mailer.issue.model import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from email.message import EmailMessage

    from mailer.cli.workplace import Workplace
    from mailer.edition.model import Edition
    from mailer.issue.find import Found
    from mailer.message.model import Sender
    from mailer.settings import ListSettings

ANYWHERE: Final = ("issues/*.md", "_posts/*.md", "content/*/*.md", "*.md")
_RANGE: Final = re.compile(r"(\d{1,6})\.\.(\d{1,6})")
_MOST_RANGE: Final = 100_000
_LONGEST_NAME: Final = 200  # octets; file systems take 255, and an ending follows


@dataclass(frozen=True, slots=True)
class Target:
    """One file to compile, for one list; without a newsletter there is no list."""

    path: Path
    masthead: Masthead
    list: ListSettings | None = None


def targets(place: Workplace | None, words: Sequence[str], list_key: str | None) -> list[Target]:
    """Give the files that the words name, in their order, each once; raises UserError with every word that fails."""
    found: dict[Path, Target] = {}
    problems: list[Problem] = []
    for word in words:
        try:
            for path in _files(place, word):
                found.setdefault(path, _target(place, path, list_key))
        except UserError as error:
            problems += error.problems
    if problems:
        raise UserError(*problems)
    return list(found.values())


def _files(place: Workplace | None, word: str) -> list[Path]:
    folder = place.folder if place else Path.cwd()
    globs = _globs(place.lists()) if place else ANYWHERE
    return [issue.path for issue in in_range(folder, globs, word)] or [find_issue(folder, globs, word)]


def _globs(lists: Iterable[ListSettings]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pattern for one in lists for pattern in one.issues))


def in_range(folder: Path, globs: Sequence[str], word: str) -> list[Found]:
    """Give the issues that a range such as 1..71 names; none for a word that is no range."""
    match = _RANGE.fullmatch(word)
    if match is None:
        return []
    first, last = int(match[1]), int(match[2])
    if not first <= last <= first + _MOST_RANGE:
        raise UserError(Problem(f"{word} is no range: write it as 1..71", key="issue"))
    found = [issue for issue in list_issues(folder, globs) if issue.number in range(first, last + 1)]
    if not found:
        raise UserError(Problem(f"no issue has a number from {first} to {last}", key="issue"))
    return found


def _target(place: Workplace | None, path: Path, list_key: str | None) -> Target:
    if place is None:
        return Target(shown(path), _bare_masthead(path))
    return target_of(path, _list_of(place, path, list_key))


def shown(path: Path) -> Path:
    """Give the path as people see it: from the working folder, where it lies below that."""
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - links stay as they were written
    return whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else path


def _bare_masthead(path: Path) -> Masthead:
    """Give the masthead of a file that belongs to no newsletter; the environment may say where links lead."""
    base, public = os.environ.get("MAILER_BASE_URL"), os.environ.get("MAILER_PUBLIC_URL")
    return Masthead(base_url=base or None, public_url=public or None, folder=path.absolute().parent)


def _list_of(place: Workplace, path: Path, list_key: str | None) -> ListSettings:
    lists = place.lists(list_key)
    if len(lists) == 1:
        return lists[0]
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - as in shown
    owners = [one for one in lists if whole in {file for _, file in place.files((one,))}]
    if len(owners) == 1:
        return owners[0]
    choices = ", ".join(one.key for one in owners or lists)
    raise UserError(
        Problem(f"belongs to no single list: --list names one of {choices}", str(path), key="list")
    )


def target_of(path: Path, one: ListSettings) -> Target:
    """Give the target for a file whose list is known."""
    return Target(shown(path), masthead_for(one), one)


def plain_subject(edition: Edition) -> str:
    """Give the subject with the defaults of its merge fields."""
    return "".join(part if isinstance(part, str) else part.default for part in edition.subject)


def as_problem(finding: Finding) -> Problem:
    """Give an error finding as a problem, its rule in the place of the key."""
    return Problem(finding.message, finding.file, finding.line, finding.rule)


def as_finding(problem: Problem, rule: str = "settings", level: Level = Level.ERROR) -> Finding:
    """Give a problem as a finding."""
    message = f"{problem.key}: {problem.message}" if problem.key else problem.message
    return Finding(rule, level, message, problem.file, problem.line)


def say_finding(finding: Finding) -> None:
    """Say a finding as compilers do: file:line: level: message [rule]."""
    place = ":".join(str(part) for part in (finding.file, finding.line) if part)
    style = {Level.ERROR: "error", Level.WARNING: "warning"}.get(finding.level, "faint")
    say(f"{place}: {finding.level}: {finding.message} [{finding.rule}]".removeprefix(": "), style=style)


@dataclass(frozen=True, slots=True)
class Sample:
    """The message that an invented reader would get, and its two parts."""

    content: bytes
    html: str
    text: str


def sample_of(edition: Edition, one: ListSettings | None) -> Sample:
    """Make the sample; its links are signed with a key that proves nothing. Raises UserError."""
    from mailer.keys import Key, Keys  # noqa: PLC0415
    from mailer.message.eml import sample, to_eml  # noqa: PLC0415
    from mailer.message.press import Press  # noqa: PLC0415

    now = datetime.fromisoformat(edition.date) if edition.date else datetime.now(UTC)
    press = Press(edition, _sender(one), 0, Keys((Key(0, bytes(32)),)), (), now)
    content = to_eml(sample(press))
    message: Any = email.message_from_bytes(content, policy=email.policy.SMTP)
    return Sample(content, _part(message, "html"), _part(message, "plain"))


def _part(message: EmailMessage, kind: str) -> str:
    part: Any = message.get_body((kind,))
    content = str(part.get_content()).replace("\r\n", "\n")
    if part.get_param("format") == "flowed":
        # What stands in the message for mail programs alone (RFC 3676): stuffing, and spaces that join lines.
        return re.sub(r"(?m)^ |(?<!^--) +$", "", content)
    return content


def _sender(one: ListSettings | None) -> Sender:
    from mailer.message.sender import invented_sender, sender_for  # noqa: PLC0415

    return invented_sender(os.environ.get("MAILER_PUBLIC_URL")) if one is None else sender_for(one)


def write_sample(folder: Path, edition: Edition, made: Sample, taken: set[str]) -> dict[str, str]:
    """Write SLUG.html, SLUG.txt and SLUG.eml; give their paths. `taken` holds the names already given away."""
    stem = re.sub(r"[^\w.-]+", "-", edition.slug).strip(".-")[:100]
    name = stem = stem.encode()[:_LONGEST_NAME].decode(errors="ignore") or "issue"
    numbers = count(len(taken) + 1)
    while name in taken:
        name = f"{stem}-{next(numbers)}"
    taken.add(name)
    contents = {
        "html": (".html", made.html.encode()),
        "text": (".txt", made.text.encode()),
        "eml": (".eml", made.content),
    }
    files = {}
    for kind, (ending, octets) in contents.items():
        file = folder / f"{name}{ending}"
        file.write_bytes(octets)
        files[kind] = str(file)
    return files


def described(edition: Edition) -> dict[str, Any]:
    """Give what names the issue, as every --json says it."""
    return {
        "number": edition.number,
        "slug": edition.slug,
        "subject": plain_subject(edition),
        "preheader": edition.preheader,
        "date": edition.date,
        "language": edition.language,
    }


def failed(path: Path, error: UserError) -> list[Finding]:
    """Give the findings of a file that could not be compiled at all."""
    found = [as_finding(problem, "unreadable") for problem in error.problems]
    return [replace(one, file=one.file or str(path)) for one in found]
