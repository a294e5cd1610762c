"""mailer hooks: who is told what happens, and what providers said that nobody understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mailer.hooks.patience import Answer
    from mailer.hooks.queue import Overview
    from mailer.settings.hooks import WebhookSettings

app = typer.Typer(
    add_completion=False,
    help="Show, try and resume receivers of hooks; show unknown reports.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The receiver's name in mailer.toml.")]


@app.command("list", epilog="Example: mailer hooks list")
def list_them() -> None:
    """Show each receiver: what waits, what it took, since when it fails. `mailer run` tells them."""
    from mailer.cli.output import emit, table  # noqa: PLC0415
    from mailer.cli.people import looking  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.hooks.queue import overview  # noqa: PLC0415

    with looking(workplace()) as connection:
        found = overview(connection)
    for one in found:
        emit(one)
    table([_row(one) for one in found])


def _row(one: Overview) -> list[object]:
    from mailer.cli.people import day  # noqa: PLC0415

    how = f"answered {day(one.answered_at)}" if one.answered_at else "no answer yet"
    if one.failing_since:
        how = f"fails since {day(one.failing_since)}"
    if one.ended_at:
        how = f"told nothing more since {day(one.ended_at)}: {one.ended_why}"
    return [
        one.name,
        f"waiting {one.waiting:,}",
        f"delivered {one.delivered:,}",
        f"abandoned {one.abandoned:,}",
        how,
    ]


@app.command(epilog="Example: mailer hooks test crm")
def test(name: Name) -> None:
    """Send a receiver a message of the type webhook.test, now, and show what it answers."""
    import asyncio  # noqa: PLC0415

    from mailer.cli.output import emit, say  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415

    place = workplace()
    receiver = _receiver(place.settings.webhooks, name)
    answer = asyncio.run(_try(receiver, str(place.settings.id)))
    emit({"name": name, "host": receiver.host, "answer": str(answer), "taken": answer.good})
    say(f"{name} ({receiver.host}) says {answer}", style="good" if answer.good else "error")
    if not answer.good:
        raise typer.Exit(1)


def _receiver(receivers: tuple[WebhookSettings, ...], name: str) -> WebhookSettings:
    from mailer.errors import Problem, UserError  # noqa: PLC0415

    found = next((one for one in receivers if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in receivers) or "none"
        said = f"there is no receiver named {name!r}; the receivers are: {known}"
        raise UserError(Problem(said, "mailer.toml", key="webhooks"))
    return found


async def _try(receiver: WebhookSettings, newsletter: str) -> Answer:
    from uuid import uuid4  # noqa: PLC0415

    from mailer.cli.people import now  # noqa: PLC0415
    from mailer.hooks.post import client, headers_of, post, signers  # noqa: PLC0415
    from mailer.hooks.words import written  # noqa: PLC0415

    moment = now()
    body = written("webhook.test", moment.isoformat(timespec="seconds"), {"newsletter": newsletter})
    headers = headers_of(signers(receiver), f"msg_test_{uuid4().hex[:12]}", body, moment)
    async with client() as browser:
        return await post(browser, receiver.url, headers, body, moment)


@app.command(epilog="Example: mailer hooks resume crm --from-now")
def resume(
    name: Name,
    from_now: Annotated[bool, typer.Option("--from-now", help="Leave out what it missed.")] = False,
) -> None:
    """Tell a receiver again what happens: first what waits and what it missed."""
    from mailer import events  # noqa: PLC0415
    from mailer.cli.output import emit, say  # noqa: PLC0415
    from mailer.cli.people import now  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.database import writing  # noqa: PLC0415
    from mailer.errors import Problem, UserError  # noqa: PLC0415
    from mailer.hooks import outbox, queue  # noqa: PLC0415

    place = workplace()
    with writing(place.engine) as connection:
        upto = outbox.horizon(connection) if from_now else None
        if not queue.resume(connection, name, now(), events.person(), upto=upto):
            said = f"no receiver named {name!r} is known yet; `mailer run` makes those of mailer.toml known"
            raise UserError(Problem(said, key="name"))
    emit({"name": name, "resumed": True})
    say(f"{name} is told again what happens" + (" from now on" if from_now else ", and what it missed"))


@app.command(epilog="Example: mailer hooks unknown --json")
def unknown() -> None:
    """Show the events of providers that nobody understood; they are kept for a month."""
    import json  # noqa: PLC0415

    from mailer.cli.output import emit, say  # noqa: PLC0415
    from mailer.cli.people import day, looking  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.hooks import incoming  # noqa: PLC0415

    with looking(workplace()) as connection:
        for hook, at, event in incoming.unknown(connection):
            emit({"hook": hook, "at": at, "event": event})
            say(f"{day(at)}  {hook}  {json.dumps(event, ensure_ascii=False)}")
