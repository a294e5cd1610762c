"""`mailer feedback parse`: what a mail is, without a newsletter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.feedback.systems import SYSTEMS, TOKEN
from tests.feedback.voices import mail

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commandline import Cli

ANN = "ann@reader.example"


def test_a_bounce_is_told(cli: Cli, tmp_path: Path):
    """One object a mail, in the order of the files: kind, recipients, evidence."""
    first, second = tmp_path / "a.eml", tmp_path / "b.eml"
    first.write_bytes(SYSTEMS["exim"](ANN, "550 5.1.1 no such user here"))
    second.write_bytes(mail("Re: Water", "Thank you."))
    told = cli("feedback", "parse", first, second, "--json")
    assert told.code == 0
    bounce, answer = told.lines
    (recipient,) = bounce["recipients"]
    assert recipient.pop("reply").endswith("550 5.1.1 no such user here")
    assert recipient == {
        "recipient": ANN,
        "reason": "userunknown",
        "permanence": "permanent",
        "final": True,
        "hardbounce": True,
        "status": "5.1.1",
    }
    assert (bounce["file"], bounce["kind"], bounce["evidence"]["token"]) == (str(first), "bounce", TOKEN)
    assert (answer["kind"], answer["recipients"], answer["evidence"]["person"]) == ("not-bounce", [], True)


def test_a_folder_is_read(cli: Cli, tmp_path: Path):
    """Every file below it, each system's report among them."""
    folder = tmp_path / "mails" / "cur"
    folder.mkdir(parents=True)
    for name, system in SYSTEMS.items():
        (folder / name).write_bytes(system(ANN, "552 5.2.2 mailbox full"))
    told = cli("feedback", "parse", tmp_path / "mails", "--json").lines
    assert [each["kind"] for each in told] == ["bounce"] * len(SYSTEMS)
    assert {each["recipients"][0]["reason"] for each in told} == {"mailboxfull"}


def test_it_is_said_in_words(cli: Cli, tmp_path: Path):
    """For people: the verdict, the words of the remote server, nothing that steers a terminal (D22)."""
    file = tmp_path / "a.eml"
    file.write_bytes(SYSTEMS["qmail"](ANN, "550 5.1.1 \x1b[31mno such user here"))
    said = cli("feedback", "parse", file).out
    assert f"  {ANN}: userunknown, permanent, 5.1.1, dead address" in said
    assert "\x1b" not in said


def test_an_empty_file_is_nobodys(cli: Cli, tmp_path: Path):
    """V06: a person has an address."""
    file = tmp_path / "empty.eml"
    file.write_bytes(b"")
    told = cli("feedback", "parse", file, "--json").json
    assert (told["kind"], told["evidence"]["person"]) == ("not-bounce", False)


def test_a_file_that_is_not_there_is_named(cli: Cli, tmp_path: Path):
    """Bad input has a clear end."""
    told = cli("feedback", "parse", tmp_path / "no.eml")
    assert told.code == 2
    assert "no.eml" in told.err
