"""mailer run: the daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mailer.delivery.ground import Ground

app = typer.Typer(add_completion=False)

Only = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="PARTS",
        help="Only these parts, comma-separated: web, delivery, schedule, feedback, upkeep.",
        show_default=False,
    ),
]
Host = Annotated[
    str | None, typer.Option("--host", metavar="H", help="Serve the pages there.", show_default="127.0.0.1")
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port", metavar="P", help="Serve the pages on this port.", show_default="8025", min=0, max=65535
    ),
]


@app.command(epilog="Example: mailer run --only web,delivery --port 8025")
def run(only: Only = None, host: Host = None, port: Port = None) -> None:
    """Stay: serve the pages, send what falls due, keep the schedules and the house.

    With --json each line of the log is an object; no line holds an address or a token.
    """
    import uvloop  # noqa: PLC0415 - the parts are loaded when they are needed

    from mailer.cli.output import json_wanted, note  # noqa: PLC0415
    from mailer.cli.preparing import ground_of  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.logs import configure_logging  # noqa: PLC0415
    from mailer.run import daemon  # noqa: PLC0415
    from mailer.run.parts import Options  # noqa: PLC0415

    names = _chosen(only)
    ground = ground_of(workplace())
    _require_relay(ground, names)
    configure_logging(json=json_wanted.get())
    note(f"mailer run: {', '.join(names)}; Ctrl-C ends it.")
    uvloop.run(daemon.run(ground, names, Options(host, port, json=json_wanted.get())))


def _chosen(only: str | None) -> list[str]:
    from mailer.errors import Problem, UserError  # noqa: PLC0415
    from mailer.run.parts import PARTS  # noqa: PLC0415

    asked = [part.strip() for part in (only or ",".join(PARTS)).split(",") if part.strip()]
    unknown = [part for part in asked if part not in PARTS]
    if unknown or not asked:
        said = f"no part {unknown[0]!r}" if unknown else "no part is named"
        raise UserError(Problem(f"{said}; the parts are: {', '.join(PARTS)}", key="only"))
    return [part for part in PARTS if part in asked]


def _require_relay(ground: Ground, names: list[str]) -> None:
    from mailer.errors import Problem, UserError  # noqa: PLC0415

    if "delivery" in names and not ground.relays:
        said = "no relay: set [[relays]] in mailer.toml or MAILER_RELAY"
        raise UserError(Problem(said, "mailer.toml", key="relays"))
