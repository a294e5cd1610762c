"""mailer tokens and mailer hooks: what an operator sees of the interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.database import open_engine, writing
from mailer.hooks.tables import receivers, reports
from tests.hooks.receivers import receiving
from tests.web.hooks.senders import WHSEC
from tests.web.hooks.standing import NOON

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commandline import Cli


def test_a_token_is_shown_once(newsletter: Path, cli: Cli):
    """`new` prints it to stdout, ready for a pipe; `list` knows its first characters alone."""
    made = cli("tokens", "new", "crm", "--scope", "audit:read", "--days", 30)
    assert made.code == 0, made.err
    token = made.out.strip()
    assert token.startswith("mlr_")
    assert "not shown again" in made.err
    listed = cli("tokens", "list")
    assert token not in listed.out
    assert token[:12] in listed.out
    assert "never used" in listed.out
    (row,) = cli("tokens", "list", "--json").lines
    assert (row["name"], row["scopes"], row["counts"]) == ("crm", ["audit:read"], True)
    assert cli("tokens", "revoke", "crm").code == 0
    assert "was revoked before" in cli("tokens", "revoke", "crm").out
    assert "revoked" in cli("tokens", "list").out


def test_a_wrong_scope_and_a_name_that_is_taken_are_said(newsletter: Path, cli: Cli):
    """Nothing was done: exit 2, with what there is."""
    wrong = cli("tokens", "new", "crm", "--scope", "everything")
    assert (wrong.code, "the scopes are: read, all, subscribers:read" in wrong.err) == (2, True)
    assert cli("tokens", "new", "crm").code == 0
    assert cli("tokens", "new", "crm").code == 2
    assert cli("tokens", "revoke", "other").code == 2


def with_receiver(newsletter: Path, url: str) -> None:
    (newsletter / ".mailer" / "crm.hook").write_text(WHSEC)
    toml = newsletter / "mailer.toml"
    hook = f'\n[[webhooks]]\nname = "crm"\nurl = "{url}"\nsecret_file = ".mailer/crm.hook"\n'
    toml.write_text(toml.read_text() + hook)


def test_a_receiver_is_tried(newsletter: Path, cli: Cli):
    """`hooks test` sends one signed message and says what came of it."""
    with receiving() as receiver:
        with_receiver(newsletter, receiver.url)
        good = cli("hooks", "test", "crm")
        assert good.code == 0, good.err
        assert "crm (127.0.0.1) says 200" in good.out
        assert receiver.told[0]["type"] == "webhook.test"
        receiver.always = 500
        bad = cli("hooks", "test", "crm", "--json")
        assert (bad.code, bad.json["taken"], bad.json["answer"]) == (1, False, "500")
    assert cli("hooks", "test", "crm").code == 1
    assert "the receivers are: crm" in cli("hooks", "test", "cmr").err


def test_a_receiver_that_ended_is_resumed(newsletter: Path, cli: Cli):
    """The list says why it is told nothing more; `resume` tells it again."""
    with_receiver(newsletter, "http://127.0.0.1:9/")
    assert cli("hooks", "resume", "crm").code == 2
    engine = open_engine(f"sqlite:///{newsletter / '.mailer' / 'mailer.db'}")
    with writing(engine) as connection:
        row = {"name": "crm", "read_upto": 0, "ended_at": NOON, "ended_why": "it said 410: gone"}
        connection.execute(receivers.insert().values(**row))
    engine.dispose()
    assert "told nothing more since 2026-07-14 12:00: it said 410: gone" in cli("hooks", "list").out
    assert cli("hooks", "resume", "crm", "--from-now").code == 0
    (row,) = cli("hooks", "list", "--json").lines
    assert (row["ended_at"], row["waiting"]) == (None, 0)


def test_what_nobody_understood_is_shown(newsletter: Path, cli: Cli):
    """One line an event; control characters of strangers do not steer the terminal."""
    engine = open_engine(f"sqlite:///{newsletter / '.mailer' / 'mailer.db'}")
    with writing(engine) as connection:
        row = {"hook": "ses", "key": "k", "digest": b"d", "at": NOON, "notices": 0, "unknown": 1}
        connection.execute(reports.insert().values(**row, kept='[{"event": "new\\u001b[2J"}]'))
    engine.dispose()
    shown = cli("hooks", "unknown")
    assert "ses" in shown.out
    assert "\x1b" not in shown.out
    (event,) = cli("hooks", "unknown", "--json").lines
    assert event["event"] == {"event": "new\x1b[2J"}
