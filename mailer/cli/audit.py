"""mailer audit: the sums that must balance, and each reader's row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailer.cli.workplace import Workplace
    from mailer.delivery.ledger.sums import Delivery
    from mailer.delivery.mailing import Mailing
    from mailer.delivery.states import DeliveryState

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: mailer audit 72 --recipients --state uncertain")
def audit(
    issue: options.Issue = None,
    issue_named: options.IssueNamed = None,
    list_named: options.ListNamed = None,
    recipients: Annotated[bool, typer.Option("--recipients", help="Show each reader's row.")] = False,
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="STATE", help="Only readers in this state.", show_default=False),
    ] = None,
) -> None:
    """Prove who received an issue."""
    from mailer.cli.workplace import workplace  # noqa: PLC0415 - SQLAlchemy is loaded when it is needed
    from mailer.database import reading  # noqa: PLC0415
    from mailer.delivery import steering  # noqa: PLC0415

    place = workplace()
    with reading(place.engine) as connection:
        found = steering.find(connection, options.one_issue(issue, issue_named), list_named)
        if recipients or state:
            _rows(connection, place, found, _state(state))
            return
    _sums(place, found)


def _state(text: str | None) -> DeliveryState | None:
    from mailer.delivery.states import DeliveryState  # noqa: PLC0415
    from mailer.errors import Problem, UserError  # noqa: PLC0415

    if text is None:
        return None
    if text in {"waiting", *DeliveryState}:
        return DeliveryState.PLANNED if text == "waiting" else DeliveryState(text)
    known = ", ".join(DeliveryState)
    raise UserError(Problem(f"there is no state {text!r}; the states are: {known}", key="state"))


def _sums(place: Workplace, found: Mailing) -> None:
    """Say the sums, and end with 1 if they do not balance."""
    from mailer.cli.output import emit, say  # noqa: PLC0415
    from mailer.cli.telling import summary  # noqa: PLC0415
    from mailer.database import reading  # noqa: PLC0415
    from mailer.delivery import forecast  # noqa: PLC0415
    from mailer.delivery.ledger.sums import counts, number_of_rows  # noqa: PLC0415

    with reading(place.engine) as connection:
        sums, rows = counts(connection, found.id), number_of_rows(connection, found.id)
    balanced = rows == sum(sums.states.values())
    emit({**summary(found, sums), "balanced": balanced})
    say(
        f"{found.name}: {found.subject}  ({found.state}{': ' + found.reason if found.reason else ''})",
        style="strong",
    )
    say(forecast.balance(sums))
    for reason, count in sums.skipped.items():
        say(f"  skipped, {reason}: {count:,}")
    say("balanced" if balanced else f"NOT BALANCED: {rows:,} rows", style="good" if balanced else "error")
    if not balanced:
        raise typer.Exit(1)


def _rows(connection: Any, place: Workplace, found: Mailing, state: DeliveryState | None) -> None:
    from mailer.cli.output import emit, say, wants_json  # noqa: PLC0415
    from mailer.delivery.ledger import recipients  # noqa: PLC0415
    from mailer.feedback.taking import came_back  # noqa: PLC0415

    identify, back = _message_ids(place, found), came_back(connection, found.id)
    for row in recipients(connection, found.id, state):
        if wants_json():
            came = back.get(row.subscriber_id, [])
            emit({**_object(row, identify(row.subscriber_id)), "came_back": came})
        else:
            reason = f" ({row.reason})" if row.reason else ""
            at = f"{row.at:%Y-%m-%d %H:%M:%S}" if row.at else "-"
            say(
                f"{row.address}  {row.state}{reason}  {at}  tries {row.attempts}  {row.relay_id}  {row.reply}".rstrip()
            )
            for each in back.get(row.subscriber_id, []):
                say(f"  {_came(each)}")


def _came(each: dict[str, Any]) -> str:
    """Say one thing that came back of a delivery."""
    words = [
        f"{each['at']:%Y-%m-%d %H:%M:%S}",
        each["kind"],
        each["reason"],
        each["status"],
        f"({each['effect']})",
    ]
    return "  ".join(word for word in [*words, each["reply"]] if word)


def _object(row: Delivery, message_id: str) -> dict[str, object]:
    return {
        "email": row.address,
        "state": "waiting" if row.state == "planned" else row.state,
        "reason": row.reason,
        "reply": row.reply,
        "relay_id": row.relay_id,
        "attempts": row.attempts,
        "at": row.at,
        "message_id": message_id,
    }


def _message_ids(place: Workplace, found: Mailing) -> Callable[[int], str]:
    """Give the Message-ID of a reader: it follows from the mailing, its key and the reader, and is stored nowhere.

    Empty, where the key that made them is no longer in the secret's ring.
    """
    from mailer.message.identity import message_id  # noqa: PLC0415
    from mailer.message.sender import sender_for  # noqa: PLC0415

    if found.key_id is not None and found.key_id not in place.keys:
        return lambda _subscriber_id: ""
    keys, domain = (
        place.keys.led_by(found.key_id),
        sender_for(place.settings.for_list(found.list_key)).message_domain,
    )
    return lambda subscriber_id: message_id(keys, found.id, subscriber_id, domain)
