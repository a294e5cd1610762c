"""Mails in a Maildir: heard, moved and marked; none is deleted, and none holds up another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailer.feedback.intake import hearing
from mailer.feedback.intake.maildir import collect
from tests.feedback.house import House, housed
from tests.feedback.systems import SYSTEMS

if TYPE_CHECKING:
    from pathlib import Path

    from mailer.feedback.reading import Reading
    from tests.feedback.conftest import World

ANN, BO = "ann@reader.example", "bo@reader.example"
UNKNOWN = "550 5.1.1 no such user here"


@pytest.fixture
def house(world: World, tmp_path: Path) -> House:
    """A newsletter with two readers."""
    world.join(ANN, BO)
    return housed(world, tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty Maildir."""
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    return tmp_path / "Maildir"


def names(folder: Path) -> list[str]:
    """Give what lies in a folder."""
    return sorted(file.name for file in folder.iterdir())


def test_a_mail_is_moved_when_it_was_heard(house: House, folder: Path):
    """From new to cur: seen where it was understood, flagged where it was not; nothing is deleted or read twice."""
    sent = house.world.send()
    (folder / "new" / "1.a.host").write_bytes(house.returned(SYSTEMS["qmail"](ANN, UNKNOWN), ANN, sent))
    (folder / "new" / "2.b.host").write_bytes(SYSTEMS["qmail"](BO, UNKNOWN))
    (folder / "new" / "3.c.host").write_bytes(b"")
    assert collect(house.ground, folder) == 3
    assert names(folder / "cur") == ["1.a.host:2,S", "2.b.host:2,F", "3.c.host:2,F"]
    assert names(folder / "new") == []
    assert collect(house.ground, folder) == 0
    assert house.state(BO) == "reachable"


def test_a_mail_holds_up_no_other(house: House, folder: Path, monkeypatch: pytest.MonkeyPatch):
    """One that cannot be read stays, one that makes our rules fail is flagged, and those behind them are heard."""
    sent = house.world.send()
    (folder / "new" / "1.a.host").symlink_to("/proc/self/mem")  # not even root can read its first octet
    (folder / "new" / "2.b.host").write_bytes(b"Subject: poison\n\n")
    (folder / "new" / "3.c.host").write_bytes(house.returned(SYSTEMS["qmail"](ANN, UNKNOWN), ANN, sent))
    rules = hearing.read

    def failing(raw: bytes) -> Reading:
        if b"poison" in raw:
            raise RuntimeError("a rule of ours")
        return rules(raw)

    monkeypatch.setattr(hearing, "read", failing)
    assert collect(house.ground, folder) == 2
    assert names(folder / "cur") == ["2.b.host:2,F", "3.c.host:2,S"]
    assert names(folder / "new") == ["1.a.host"]
