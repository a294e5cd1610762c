"""mailer feedback: what comes back, from mails of any kind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mailer.cli.output import emit, say, wants_json
from mailer.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailer.feedback.reading import Reading, Reported

STANDARD_INPUT: Final = "-"

app = typer.Typer(add_completion=False, help="Read what comes back.", no_args_is_help=True)


@app.callback()
def _feedback() -> None:
    """Read what comes back."""


@app.command(epilog="Example: mailer feedback parse bounce.eml --json")
def parse(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="Mails, or folders of mails; - is standard input.")
    ],
) -> None:
    """Say what mails are: bounce, complaint, automatic answer, proof of delivery, or none of these.

    No database and no newsletter is needed, and nothing is changed.
    """
    from mailer.feedback.reading import read  # noqa: PLC0415 - compiles its tables

    for name, raw in _mails(files):
        reading = read(raw)
        emit(_told(name, reading))
        _say(name, reading)


def _mails(files: list[str]) -> Iterator[tuple[str, bytes]]:
    for name in files:
        if name == STANDARD_INPUT:
            yield name, sys.stdin.buffer.read(_most())
            continue
        path = Path(name)
        for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if each.is_file() or each is path:
                yield str(each) if path.is_dir() else name, _octets(each)


def _octets(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_most())
    except OSError as error:
        raise UserError(Problem(f"cannot be read: {error.strerror}", file=str(path))) from None


def _most() -> int:
    from mailer.feedback.reading.mime import LARGEST  # noqa: PLC0415 - with the reading

    return LARGEST


def _told(name: str, reading: Reading) -> dict[str, Any]:
    evidence = {
        "token": reading.evidence.token,
        "envid": reading.evidence.envid,
        "message_id": reading.evidence.message_id,
        "relay_id": reading.evidence.relay_id,
        "feedback": reading.feedback,
        "person": reading.person,
    }
    recipients = [_recipient(each) for each in reading.recipients]
    return {"file": name, "kind": reading.kind, "recipients": recipients, "evidence": evidence}


def _recipient(each: Reported) -> dict[str, Any]:
    return {
        "recipient": each.recipient,
        "reason": each.reason,
        "permanence": each.permanence,
        "final": each.final,
        "hardbounce": each.hardbounce,
        "status": each.status,
        "reply": each.reply,
    }


def _say(name: str, reading: Reading) -> None:
    if wants_json():
        return
    say(f"{name}: {reading.kind}" + (", written by a person" if reading.person else ""))
    for each in reading.recipients:
        say(f"  {each.recipient}: {_verdict(each)}")
        if each.reply:
            say(f"    {each.reply[:200]}", style="faint")


def _verdict(each: Reported) -> str:
    words = [each.reason, each.permanence if each.permanence != "none" else "", each.status]
    words += ["dead address"] if each.hardbounce else []
    words += ["still trying"] if each.final is False else []
    return ", ".join(word for word in words if word)
