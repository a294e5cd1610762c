"""`mailer dkim new`: keys for the newsletter, and records to copy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mailer.cli import run
from mailer.message.dkim import load_signers

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def newsletter(tmp_path: Path) -> Path:
    assert run(["init", str(tmp_path), "--yes"]) == 0
    return tmp_path


def test_new_makes_both_keys_and_prints_their_records(newsletter: Path, capsys: pytest.CaptureFixture[str]):
    """The records go to stdout, one a line, for a zone file; the keys sign; a second time is refused."""
    capsys.readouterr()
    command = ["-C", str(newsletter), "dkim", "new", "--domain", "kiln.example", "--selector", "s1"]
    assert run(command) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith('s1._domainkey.kiln.example. IN TXT ( "v=DKIM1; k=rsa; p=')
    assert second.startswith('s1-ed._domainkey.kiln.example. IN TXT ( "v=DKIM1; k=ed25519; p=')
    signers = load_signers(newsletter / ".mailer" / "dkim")
    assert [(one.algorithm, one.selector) for one in signers] == [
        ("rsa-sha256", "s1"),
        ("ed25519-sha256", "s1-ed"),
    ]
    assert run(command) == 2
    assert "there already" in capsys.readouterr().err


def test_json_gives_one_record_a_line(newsletter: Path, capsys: pytest.CaptureFixture[str]):
    """A script publishes name, type and value; the default selector is this month; no private key is shown."""
    capsys.readouterr()
    assert run(["-C", str(newsletter), "dkim", "new", "--domain", "kiln.example", "--json"]) == 0
    out = capsys.readouterr().out
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["type"] for record in records] == ["TXT", "TXT"]
    assert all(record["name"].startswith("m20") for record in records)
    assert "PRIVATE" not in out


@pytest.mark.parametrize("domain", ["", "localhost", "a b.example", "x;y.example"])
def test_a_domain_that_is_none_makes_nothing(newsletter: Path, domain: str):
    """Exit 2, and no file."""
    assert run(["-C", str(newsletter), "dkim", "new", "--domain", domain]) == 2
    assert not (newsletter / ".mailer" / "dkim").exists()
