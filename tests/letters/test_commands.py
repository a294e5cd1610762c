"""The commands about opt-in and rights, as the operator sees them."""

from __future__ import annotations

from datetime import UTC, datetime

import subscribers
from mailer.cli.workplace import Workplace, close_engines
from mailer.database import writing
from subscribers import Evidence

ANN = "ann@example.org"


def test_the_operator_can_ask_first(cli, newsletter):
    """The mailbox decides; asked again at once it is one letter, a reader hears that they read already."""
    ended = cli("subscribers", "add", ANN, "--ask", "--basis", "card on the pier", "--name", "Ann", "--json")
    assert ended.json == {"email": ANN, "outcome": "confirm", "lists": ["main"]}
    assert (
        "is asked by a letter" in cli("subscribers", "add", ANN, "--ask", "--basis", "card on the pier").out
    )
    shown = cli("subscribers", "show", ANN, "--json").json
    assert shown["subscriptions"][0]["state"] == "pending"
    assert [each["purpose"] for each in shown["letters"]] == ["confirmation"]
    assert cli("subscribers", "add", ANN, "--ask", "--revive").code == 2
    assert cli("suppressions", "add", "eve@example.org").code == 0
    assert cli("subscribers", "add", "eve@example.org", "--ask", "--json").json["outcome"] == "blocked"


def test_the_receipt_stands_on_its_own(cli, newsletter):
    """What was shown, word for word, when it was asked and answered, from where, and by which letter."""
    cli("subscribers", "add", ANN, "--ask", "--basis", "Get the news.\nLeave with one click.")
    place = Workplace(newsletter)
    with writing(place.engine) as connection:
        person = subscribers.find(connection, ANN)
        asked = subscribers.requests_of(connection, person.id)["signups"][0]
        evidence = Evidence("2001:db8:1:2::3", "Browser/3")
        subscribers.confirm(connection, person.id, asked["id"], datetime.now(UTC), evidence)
    close_engines()
    said = cli("subscribers", "show", ANN).out
    for words in (
        "main: confirmed: double opt-in, from 2001:db8:1::/56, with Browser/3",
        f"answered letter {asked['message_id']}",
        f"form by hand (SHA-256 {asked['form_hash']}):",
        "    Get the news.\n    Leave with one click.\n",
        "confirmation to ann@example.org: planned",
        "reader.signed-up by",
    ):
        assert words in said


def test_nobody_is_forgotten_by_a_slip(cli, newsletter):
    """It asks; what is no address is refused; an address that nobody has says so."""
    assert cli("subscribers", "erase", "ann", "--yes").code == 2
    refused = cli.process("subscribers", "erase", "who@example.org")
    assert refused.code == 3
    assert "Nobody has that address" in refused.out + refused.err
    assert cli("subscribers", "erase", "who@example.org", "--yes", "--json").json == {
        "id": None,
        "erased": True,
        "rejects": 0,
    }
    assert cli("subscribers", "erase", "who@@example.org", "--yes").code == 2


def test_a_welcome_letter_is_checked(cli, newsletter):
    """One that would not be sent is an error, named with its file; so is one that is not there."""
    settings = newsletter / "mailer.toml"
    settings.write_text(
        settings.read_text().replace("[lists.main]", '[lists.main]\nwelcome = "welcome.md"', 1)
    )
    found = [each for each in cli("check", "--json").lines if each["file"] == "welcome.md"]
    assert [each["level"] for each in found] == ["error"]
    (newsletter / "welcome.md").write_text("---\ntitle: Welcome\n---\n\nGood to have you.\n")
    found = [each for each in cli("check", "--json").lines if each["file"] == "welcome.md"]
    assert "error" not in {each["level"] for each in found}
