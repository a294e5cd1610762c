"""What can go wrong, and how the command line ends when it does.

MailerError
├── UserError        exit 2   bad input: nothing was done
├── PersonNeeded     exit 3   a person must decide: nothing was done
└── TryLater         exit 75  not now: the same command may succeed later

An error lists its problems, each with the file and line, or the key, that a person has to look at. Anything else
that is raised is a bug (exit 70). Outcomes of a delivery are values, not exceptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that a person has to mend, and where it stands."""

    message: str
    file: str | None = None
    line: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        """Give `file:line: key: message`, as compilers do."""
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file
        return ": ".join(part for part in (place, self.key, self.message) if part)


class MailerError(Exception):
    """The root: it carries problems for a person and never a traceback."""

    exit_code: ClassVar[int] = 2

    def __init__(self, *problems: Problem | str) -> None:
        self.problems: Sequence[Problem] = tuple(
            Problem(problem) if isinstance(problem, str) else problem for problem in problems
        )
        super().__init__("\n".join(map(str, self.problems)))


class UserError(MailerError):
    """The input is wrong; nothing was done."""


class PersonNeeded(MailerError):  # noqa: N818 - it is a state of affairs, and reads so where it is raised
    """Only a person may decide this; nothing was done."""

    exit_code = 3


class TryLater(MailerError):  # noqa: N818 - as above
    """It cannot be done now; the same command may succeed later."""

    exit_code = 75
