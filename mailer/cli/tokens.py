"""mailer tokens: who may use the operators' interface, and for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from mailer.tokens import Token

app = typer.Typer(add_completion=False, help="Make, show and revoke tokens of the API.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the token is called in lists and events.")]


@app.command(epilog="Example: mailer tokens new crm --scope subscribers:write --days 365")
def new(
    name: Name,
    scope: Annotated[
        list[str] | None,
        typer.Option(metavar="SCOPE", help="What it may do, such as audit:read; may be given several times."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(help="How long it counts; else until it is revoked.", min=1, max=3650)
    ] = None,
) -> None:
    """Make a token and show it, once: the database keeps a hash.

    Scopes: subscribers:read, subscribers:write, subscribers:erase, lists:read, mailings:read, mailings:write,
    audit:read, suppressions:read, suppressions:write; `read` is all that reads, `all` is all. Without --scope it reads.
    """
    from datetime import timedelta  # noqa: PLC0415

    from mailer import events, tokens  # noqa: PLC0415 - with the database
    from mailer.cli.output import emit, note, say  # noqa: PLC0415
    from mailer.cli.people import now  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.database import writing  # noqa: PLC0415

    place, moment = workplace(), now()
    scopes = tokens.scopes_of(scope or ["read"])
    end = moment + timedelta(days=days) if days else None
    with writing(place.engine) as connection:
        text, made = tokens.new(connection, name, scopes, moment, expires_at=end)
        events.record(connection, "token.made", name, moment, events.person(), scopes=[*scopes])
    emit({"token": text, **_plain(made, moment)})
    say(text)
    note(f"{name} may: {', '.join(scopes)}. Keep it now: it is not shown again.")


@app.command("list", epilog="Example: mailer tokens list --json")
def list_them() -> None:
    """Show what tokens there are, what each may do, and when each was last used."""
    from mailer import tokens  # noqa: PLC0415
    from mailer.cli.output import emit, table  # noqa: PLC0415
    from mailer.cli.people import looking, now  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415

    moment = now()
    with looking(workplace()) as connection:
        found = tokens.every(connection)
    for one in found:
        emit(_plain(one, moment))
    table([_row(one, moment) for one in found])


@app.command(epilog="Example: mailer tokens revoke crm")
def revoke(name: Name) -> None:
    """Let a token count no more, at once and for good."""
    from mailer import events, tokens  # noqa: PLC0415
    from mailer.cli.output import emit, say  # noqa: PLC0415
    from mailer.cli.people import now  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.database import writing  # noqa: PLC0415

    place, moment = workplace(), now()
    with writing(place.engine) as connection:
        counted = tokens.revoke(connection, name, moment)
        if counted:
            events.record(connection, "token.revoked", name, moment, events.person())
    emit({"name": name, "revoked": counted})
    say(f"{name} counts no more" if counted else f"{name} was revoked before")


def _plain(token: Token, now: datetime) -> dict[str, object]:
    return {
        "name": token.name,
        "prefix": token.prefix,
        "scopes": [*token.scopes],
        "counts": token.counts(now),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "used_at": token.used_at,
        "revoked_at": token.revoked_at,
    }


def _row(token: Token, now: datetime) -> list[object]:
    from mailer.cli.people import day  # noqa: PLC0415

    end = f"until {day(token.expires_at)}" if token.expires_at else ""
    if not token.counts(now):
        end = f"revoked {day(token.revoked_at)}" if token.revoked_at else f"expired {day(token.expires_at)}"
    used = f"used {day(token.used_at)}" if token.used_at else "never used"
    return [token.name, f"{token.prefix}…", used, end, " ".join(token.scopes)]
