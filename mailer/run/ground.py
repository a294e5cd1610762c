"""The ground that a process sends from, laid out of the settings: relays, keys that sign, who hears of refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.delivery.ground import Ground
from mailer.delivery.relays import relays_of
from mailer.feedback.refusals import ear
from mailer.message.dkim import load_signers
from mailer.smtp.relay import parse_relay

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from mailer.keys import Keys
    from mailer.settings import ListSettings, Settings


def lay(settings: Settings, keys: Keys, database: Engine, one: ListSettings | None = None) -> Ground:
    """Give the ground to send for one list, or through every relay.

    Raises UserError for a relay or a signing key that makes no sense.
    """
    every = [parse_relay(relay.url, relay.name, relay.options) for relay in settings.relays]
    relays = every if one is None else relays_of(settings, one)
    return Ground(settings, keys, database, relays, load_signers(settings.state / "dkim"), heard=ear(keys))
