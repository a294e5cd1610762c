"""mailer run: the daemon."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(add_completion=False)

PARTS = ("delivery",)

Only = Annotated[
    str | None,
    typer.Option(
        "--only", metavar="PARTS", help="Only these parts, comma-separated: delivery.", show_default=False
    ),
]


@app.command(epilog="Example: mailer run --only delivery")
def run(only: Only = None) -> None:
    """Stay, and send what falls due: retries, held mailings, letters."""
    import logging  # noqa: PLC0415 - the engine is loaded when it is needed

    import uvloop  # noqa: PLC0415

    from mailer.cli.output import note  # noqa: PLC0415
    from mailer.cli.preparing import ground_of  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.errors import Problem, UserError  # noqa: PLC0415
    from mailer.run.daemon import Daemon  # noqa: PLC0415

    unknown = {part.strip() for part in (only or "").split(",")} - {"", *PARTS}
    if unknown:
        raise UserError(Problem(f"no part {min(unknown)!r}; the parts are: {', '.join(PARTS)}", key="only"))
    ground = ground_of(workplace())
    if not ground.relays:
        raise UserError(
            Problem("no relay: set [[relays]] in mailer.toml or MAILER_RELAY", "mailer.toml", key="relays")
        )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    note("mailer run: sends what falls due; Ctrl-C ends it.")

    async def stay() -> None:
        await Daemon(ground).run()

    uvloop.run(stay())
