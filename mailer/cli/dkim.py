"""mailer dkim: keys that sign the mail, and the DNS records that prove them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from mailer.cli.output import emit, note, say

app = typer.Typer(
    add_completion=False, help="Make DKIM keys and the DNS records for them.", no_args_is_help=True
)


@app.callback()
def _dkim() -> None:
    """Make DKIM keys and the DNS records for them."""


@app.command(epilog="Example: mailer dkim new --domain example.org")
def new(
    domain: Annotated[
        str, typer.Option("--domain", metavar="DOMAIN", help="The domain behind the @ of From.")
    ],
    selector: Annotated[
        str | None,
        typer.Option(
            "--selector",
            metavar="S",
            help="The keys' name in DNS; else this month, m202607.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make an RSA and an Ed25519 key in .mailer/dkim and print the two TXT records to publish.

    From then on every mail is signed with both: publish the records before the next send. Keys that stood there
    before sign no more; leave their records in DNS for a week.
    """
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.message.dkim_keys import new_keys  # noqa: PLC0415 - cryptography costs 60 ms

    place = workplace()
    records = new_keys(place.settings.state / "dkim", domain, selector or f"m{datetime.now(UTC):%Y%m}")
    for record in records:
        emit({"name": record.name, "type": "TXT", "value": record.value, "file": record.file})
        note(f"key    {record.file}")
        say(record.zone_line)
    note("Publish both records, each one TXT record, before the next mail is sent.")
