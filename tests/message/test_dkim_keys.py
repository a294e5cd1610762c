"""The keys that sign: private, the newest of each kind, and named where they are none."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from mailer.errors import UserError
from mailer.message.dkim import Signer, load_signers
from mailer.message.dkim_keys import new_keys

if TYPE_CHECKING:
    from pathlib import Path


def test_keys_are_private_and_never_overwritten(tmp_path: Path):
    """Mode 0600 in a folder of 0700; a second `new` with the same selector makes nothing."""
    folder = tmp_path / "state" / "dkim"
    records = new_keys(folder, "Bücher.Example", "m202607")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert [record.name.split(".", 1)[1] for record in records] == ["_domainkey.xn--bcher-kva.example"] * 2
    before = {file: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(UserError, match="there already"):
        new_keys(folder, "bücher.example", "m202607")
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


def test_records_fit_dns(tmp_path: Path):
    """K04, K05, K11: v= first, strings of at most 255 octets; 2048 bits of RSA; 32 octets of Ed25519."""
    wide, short = new_keys(tmp_path, "kiln.example", "s1")
    strings = re.findall('"([^"]*)"', wide.zone_line)
    assert len(strings) == 2
    assert max(map(len, strings)) <= 255
    assert "".join(strings) == wide.value
    assert wide.value.startswith("v=DKIM1; k=rsa; p=")
    assert re.fullmatch(r"v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=", short.value)
    assert short.name == "s1-ed._domainkey.kiln.example"


def test_the_newest_key_of_a_kind_signs(tmp_path: Path):
    """K14: after a rotation the new selector signs; the old file may stay."""
    for age, selector in ((200, "old"), (100, "new")):
        for record in new_keys(tmp_path, "kiln.example", selector):
            os.utime(record.file, (10_000 - age, 10_000 - age))
    assert [one.selector for one in load_signers(tmp_path)] == ["new", "new-ed"]
    assert load_signers(tmp_path, "elsewhere.example") == ()
    assert load_signers(tmp_path / "missing") == ()


@pytest.mark.parametrize(
    ("name", "text", "mode", "says"),
    [
        ("kiln.example.s1.rsa.pem", "nonsense", 0o600, "no private key"),
        ("kiln.example.s1.ed25519.pem", "nonsense", 0o600, "no private key"),
        ("kiln.example.s1.rsa.pem", "nonsense", 0o640, "chmod 600"),
        ("key.pem", "nonsense", 0o600, "DOMAIN.SELECTOR"),
        ("a b.s1.rsa.pem", "nonsense", 0o600, "no private key"),
    ],
)
def test_a_file_that_is_no_key_is_named(tmp_path: Path, name: str, text: str, mode: int, says: str):
    """The error names the file or the key and what to do."""
    (tmp_path / name).write_text(text)
    (tmp_path / name).chmod(mode)
    with pytest.raises(UserError, match=says):
        load_signers(tmp_path)


def test_a_key_of_the_wrong_kind_is_refused(tmp_path: Path):
    """Ed25519 in the place of RSA, and the other way round; and selectors that DNS cannot have."""
    wide, short = (record.file.read_bytes() for record in new_keys(tmp_path, "kiln.example", "s1"))
    with pytest.raises(UserError, match="no RSA key"):
        Signer.rsa("kiln.example", "s1", short)
    with pytest.raises(UserError, match="no Ed25519 key"):
        Signer.ed25519("kiln.example", "s1", wide)
    for domain, selector in (("kiln.example", "a;b"), ("", "s1"), ("a b", "s1"), ("kiln.example", "x\r\ny")):
        with pytest.raises(UserError):
            Signer.ed25519(domain, selector, short)
        with pytest.raises(UserError):
            new_keys(tmp_path, domain, selector)
    assert "PRIVATE" not in repr(Signer.rsa("kiln.example", "s1", wide))
