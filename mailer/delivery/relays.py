"""Which relays carry a list's mail: the settings' words, understood by smtp/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mailer.errors import Problem, UserError
from mailer.smtp.relay import Relay, parse_relay

STREAM: Final = "bulk"  # what relays.streams may name; the other is letters

if TYPE_CHECKING:
    from mailer.settings import ListSettings, Settings

_OPTIONS = (
    "password",
    "kind",
    "connections",
    "per_second",
    "per_hour",
    "per_day",
    "per_connection",
    "weight",
)


def relays_of(settings: Settings, one: ListSettings) -> list[Relay]:
    """Give the relay that the list names, else all; raises UserError for one that does not exist or makes no sense."""
    chosen = [relay for relay in settings.relays if one.relay in {None, relay.name}]
    if one.relay is not None and not chosen:
        known = ", ".join(relay.name for relay in settings.relays)
        message = f"there is no relay {one.relay!r}; the relays are: {known}"
        raise UserError(Problem(message, "mailer.toml", key=f"lists.{one.key}.relay"))
    parsed = [parse_relay(relay.url, relay.name, relay.options) for relay in chosen]
    return [relay for relay in parsed if relay.serves(STREAM)]
