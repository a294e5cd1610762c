"""mailer feedback: what comes back, from mails of any kind; taken in by hand or by a mail server, and read again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mailer.cli.options import LARGEST_ID
from mailer.cli.output import emit, say, wants_json
from mailer.errors import Problem, TryLater, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailer.cli.workplace import Workplace
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


@app.command(epilog="Example: mailer feedback ingest -C /srv/news --to bounces+TOKEN@example.org < mail")
def ingest(
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="ADDRESS",
            help="The address that the mail came to; without it ORIGINAL_RECIPIENT or RECIPIENT says so.",
        ),
    ] = "",
    sender: Annotated[
        str | None,
        typer.Option(
            "--sender", metavar="ADDRESS", help="The envelope sender, empty for <>.", show_default=False
        ),
    ] = None,
) -> None:
    """Take in one mail from standard input: exit 0 once it is stored, 75 in any other case.

    It is called by mail servers, which send a mail back to its sender on any other code.
    """
    import os  # noqa: PLC0415 - with the rest, so that any failure to load ends with 75 as well

    from mailer.cli.preparing import ground_here  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.feedback.intake import hear_mail  # noqa: PLC0415

    raw = _piped()
    given = to or os.environ.get("ORIGINAL_RECIPIENT") or os.environ.get("RECIPIENT") or ""
    heard = hear_mail(ground_here(workplace()), raw, channel="pipe", to=given, sender=sender)
    emit(
        {
            "kind": heard.kind,
            "understood": heard.understood,
            "new": heard.taken.new,
            "changed": heard.taken.changed,
        }
    )


@app.command(epilog="Example: mailer feedback unknown --json")
def unknown(
    show: Annotated[
        int | None,
        typer.Option("--show", metavar="ID", help="Write this mail out.", max=LARGEST_ID, show_default=False),
    ] = None,
    done: Annotated[
        list[int] | None,
        typer.Option(
            "--done", metavar="ID", help="Note that it was looked at.", max=LARGEST_ID, show_default=False
        ),
    ] = None,
) -> None:
    """Show the mails that nobody understood, what people wrote, and reports that prove nothing."""
    from mailer.cli.people import day, looking  # noqa: PLC0415 - SQLAlchemy is loaded when it is needed
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.feedback.intake import keeping  # noqa: PLC0415

    place = workplace()
    if show is not None or done:
        _one(place, show, done or [])
        return
    number = 0
    with looking(place) as connection:
        for row in keeping.every(connection):
            number += 1
            emit({**row._asdict()})
            say(f"{row.id:>6}  {day(row.at)}  {row.channel}  {row.kind}  {row.sender}  {row.subject}")
        say(f"{number:,} kept" if number else "Nothing waits: everything that came back was understood.")


def _one(place: Workplace, show: int | None, done: list[int]) -> None:
    """Write one kept mail out as it came, or note that some were looked at."""
    from mailer.cli.people import changing, looking, now  # noqa: PLC0415
    from mailer.feedback.intake import keeping  # noqa: PLC0415

    if show is not None:
        with looking(place) as connection:
            raw = keeping.one(connection, show)
        if raw is None:
            raise UserError(Problem(f"no mail {show} is kept", key="show"))
        sys.stdout.flush()
        sys.stdout.buffer.write(raw)
        return
    with changing(place) as connection:
        gone = [number for number in done if keeping.solve(connection, number, now())]
    emit({"done": gone})
    say(f"{len(gone):,} of {len(done):,} noted")


@app.command(epilog="Example: mailer feedback replay")
def replay() -> None:
    """Read the mails that nobody understood again, after an upgrade brought better rules."""
    from mailer.cli.preparing import ground_here  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.feedback.replaying import replay as again  # noqa: PLC0415

    found = again(ground_here(workplace()))
    emit({"read": found.read, "solved": found.solved})
    many = ", ".join(f"{number:,} {kind}" for kind, number in sorted(found.solved.items()))
    say(f"{found.read:,} read again; understood now: {many or 'none'}")


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


def _piped() -> bytes:
    """Give the one mail that standard input holds."""
    raw = sys.stdin.buffer.read(_most())
    while sys.stdin.buffer.read(1 << 20):
        pass  # whoever writes must be able to end, or reports a broken pipe
    if not raw.strip():
        raise TryLater(Problem("standard input holds no mail"))
    return raw


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
