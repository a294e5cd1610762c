"""mailer feedback ingest, unknown and replay, as a mail server and a person call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.feedback.systems import SYSTEMS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commandline import Cli

FORGED = SYSTEMS["postfix"]("ann@reader.example", "550 5.1.1 no such user").decode()


def test_a_mail_server_hears_0_or_75_and_nothing_else(newsletter: Path, cli: Cli, tmp_path: Path):
    """0 once it is stored; 75 for an empty mail, a wrong option, wrong settings and where no newsletter is."""
    ingest = ("feedback", "ingest")
    assert cli.process(*ingest, said=FORGED).code == 0
    assert cli.process(*ingest, said="").code == 75
    assert cli.process(*ingest, "--nonsense", said=FORGED).code == 75
    assert cli.process(*ingest, "--to", said=FORGED).code == 75
    assert cli.process(*ingest, said=FORGED, folder=tmp_path).code == 75
    assert cli.process("-C", "/nowhere", *ingest, said=FORGED).code == 75
    (newsletter / "mailer.toml").write_text("not = toml = at all")
    assert cli.process(*ingest, said=FORGED).code == 75


def test_what_is_kept_is_shown_and_noted(newsletter: Path, cli: Cli):
    """A forged report is listed, written out as it came, and noted as looked at; status counts it."""
    assert cli.process("feedback", "ingest", said=FORGED).code == 0
    listed = cli("feedback", "unknown", "--json").json
    assert (listed["kind"], listed["channel"]) == ("bounce", "pipe")
    shown = cli.process("feedback", "unknown", "--show", listed["id"])
    assert "Undelivered Mail Returned to Sender" in shown.out
    assert cli("status", "--json").json == {"kept": {"bounce": 1}}
    assert cli("feedback", "replay", "--json").json == {"read": 1, "solved": {}}
    assert cli("feedback", "unknown", "--done", listed["id"], "--json").json == {"done": [listed["id"]]}
    assert cli("feedback", "unknown", "--json").out == ""
    assert cli("feedback", "unknown", "--show", 999).code == 2
