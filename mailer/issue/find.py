"""Find the file of an issue by its number, its slug or its path, reading only the head of each file.

Globs never lead out of the newsletter's folder, by `..` or by a symbolic link; a path that a person gives may. Two
files that claim one number are an error that says where each number comes from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.errors import Problem, UserError
from mailer.issue import number as numbers
from mailer.issue.decode import decode
from mailer.issue.fields import Fields
from mailer.issue.front_matter import FrontMatter, split
from mailer.issue.read import heading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from mailer.issue.dates import Moment

_HEAD = 16_384
_WHOLE = 262_144
_MOST_FILES = 20_000
_NO_ISSUE = re.compile(r"(?:readme|license|contributing|changelog)\b|[._]", re.IGNORECASE)
_NUMBER = re.compile(r"[#\uff03]?(\d{1,6})$")


@dataclass(frozen=True, slots=True)
class Found:
    """One issue file of the folder: what its head says, and what stood in the way of reading it."""

    path: Path
    slug: str
    title: str = ""
    date: datetime | None = None
    draft: bool = False
    list: str | None = None
    send: Moment | None = None
    claims: tuple[numbers.Candidate, ...] = ()
    problem: str | None = None

    @property
    def number(self) -> int | None:
        """The number, if the file's claims agree on one."""
        return numbers.agreed(self.claims)


def find_issue(folder: Path, globs: Sequence[str], wanted: str) -> Path:
    """Give the file of issue `wanted`: a number (72, #72), a slug, or a path.

    Raises UserError when two files claim the number or the slug, and when nothing is found; it names the nearest.
    """
    wanted = wanted.strip()
    given = _path(folder, wanted)
    if given and (given.suffix or "/" in wanted):
        return given
    found = list_issues(folder, globs)
    number = _NUMBER.match(wanted)
    matches = _by_number(found, int(number[1])) if number else []
    matches = matches or [issue for issue in found if issue.slug == wanted.lower()]
    if len(matches) == 1:
        return matches[0].path
    if matches:
        raise UserError(*(_claim(issue, folder, wanted) for issue in matches))
    if given:
        return given
    raise _nothing(found, folder, globs, wanted)


def list_issues(folder: Path, globs: Sequence[str], time_zone: str = "UTC") -> tuple[Found, ...]:
    """Give every issue file that the globs name, in the order of number, date and path.

    Dates without a zone are in `time_zone`.
    """
    found = [_head(path, folder, time_zone) for path in _files(folder, globs)]
    return tuple(sorted(found, key=_order))


def _order(issue: Found) -> tuple[bool, int, str, str]:
    number, date = issue.number, issue.date
    return number is None, number or 0, date.isoformat() if date else "", str(issue.path)


def _by_number(found: Sequence[Found], number: int) -> list[Found]:
    return [issue for issue in found if any(claim.number == number for claim in issue.claims)]


def _path(folder: Path, wanted: str) -> Path | None:
    for path in (folder / wanted, Path(wanted)):
        try:
            if path.is_file():
                return path
        except (OSError, ValueError):
            continue
    return None


def _files(folder: Path, globs: Sequence[str]) -> Iterator[Path]:
    root = folder.resolve()
    seen: set[Path] = set()
    for pattern in globs:
        if pattern.startswith(("/", "~")) or ".." in pattern.replace("\\", "/").split("/"):
            raise UserError(Problem(f"The glob \u201c{pattern}\u201d leads out of the folder.", key="issues"))
        try:
            paths = sorted(folder.glob(pattern)) if pattern else []
        except (ValueError, NotImplementedError, OSError) as error:
            raise UserError(
                Problem(f"The glob \u201c{pattern}\u201d is not valid: {error}.", key="issues")
            ) from None
        for path in paths:
            if path in seen or _NO_ISSUE.match(path.name) or not _inside(path, root):
                continue
            seen.add(path)
            if len(seen) > _MOST_FILES:
                raise UserError(Problem(f"The globs name more than {_MOST_FILES:,} files.", key="issues"))
            yield path


def _inside(path: Path, root: Path) -> bool:
    try:
        return path.is_file() and path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a loop of links
        return False


def _head(path: Path, folder: Path, time_zone: str) -> Found:
    name = path.relative_to(folder).as_posix()
    slug = numbers.slug_of({}, name)
    try:
        with path.open("rb") as file:
            matter, opening = _matter(file.read(_HEAD), name)
            if matter is None:
                file.seek(0)
                matter, opening = _matter(file.read(_WHOLE), name)
    except OSError as error:
        return Found(
            path,
            slug,
            claims=numbers.candidates({}, "", name),
            problem=f"it cannot be read: {error.strerror}",
        )
    except UserError as error:
        return Found(path, slug, claims=numbers.candidates({}, "", name), problem=str(error))
    return _found(path, name, matter or FrontMatter(), opening, time_zone)


def _matter(head: bytes, name: str) -> tuple[FrontMatter | None, str]:
    """Give the front matter of a file's head, or None when it may go on beyond it."""
    # A character that the cut has parted must not make the head look like another encoding.
    whole = head[: head.rfind(b"\n") + 1] if len(head) in {_HEAD, _WHOLE} else head
    try:
        matter, page = split(decode(whole or head, name))
    except UserError:
        if len(head) == _HEAD:
            return None, ""
        raise
    if matter.kind == "none" and len(head) == _HEAD and head.lstrip().startswith((b"---", b"+++", b"{")):
        return None, ""
    return matter, heading(page) if matter.kind == "none" or not matter.values.get("title") else ""


def _found(path: Path, name: str, matter: FrontMatter, opening: str, time_zone: str) -> Found:
    from mailer.issue.dates import read_date, zone  # noqa: PLC0415 - nothing else here needs time zones

    fields = Fields(matter)
    title = fields.text("title", "subject") or opening
    return Found(
        path,
        numbers.slug_of(fields.plain_values(), name),
        title,
        fields.date(zone(time_zone)) or read_date(numbers.date_of_name(name), zone(time_zone)),
        fields.draft(name),
        fields.text("list") or None,
        fields.send(),
        numbers.candidates(matter.values, title, name),
    )


def _claim(issue: Found, folder: Path, wanted: str) -> Problem:
    number = _NUMBER.match(wanted)
    places = [claim.place for claim in issue.claims if number and claim.number == int(number[1])]
    source = f"the number comes from {' and '.join(places)}" if places else "by its slug"
    return Problem(f"This is one of several files for issue {wanted}: {source}.", _shown(issue.path, folder))


def _nothing(found: Sequence[Found], folder: Path, globs: Sequence[str], wanted: str) -> UserError:
    if not found:
        said = f"There is no issue {wanted}: no file matches {', '.join(globs) or 'the globs'} in {folder}."
        return UserError(Problem(said))
    near = ", ".join(_name(issue, folder) for issue in _nearest(found, wanted))
    return UserError(Problem(f"There is no issue {wanted}. The nearest: {near}."))


def _nearest(found: Sequence[Found], wanted: str) -> list[Found]:
    number = _NUMBER.match(wanted)
    if number:
        numbered = [issue for issue in found if issue.number is not None]
        near = sorted(numbered, key=lambda issue: abs((issue.number or 0) - int(number[1])))[:3]
        if near:
            return near
    slugs = get_close_matches(wanted.lower()[:100], [issue.slug for issue in found[-500:]], n=3, cutoff=0.4)
    return [issue for issue in found if issue.slug in slugs][:3] or list(found[-3:])


def _name(issue: Found, folder: Path) -> str:
    label = str(issue.number) if issue.number is not None else issue.slug
    return f"{label} ({_shown(issue.path, folder)})"


def _shown(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
