from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

from mailer.smtp.connect import open_session
from mailer.smtp.folder import FolderSession
from mailer.smtp.relay import Kind, parse_relay
from mailer.smtp.replies import relay_id
from tests.smtp.conversing import BODY, deliver, run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from mailer.smtp.model import Exchange


def written(folder: Path, *recipients: str) -> list[Exchange]:
    async def work() -> list[Exchange]:
        session = await open_session(parse_relay(f"folder://{folder}"), hostname="client.example.org")
        assert isinstance(session, FolderSession)
        return await deliver(session, *recipients)

    return run(work())


def test_each_message_is_a_file_of_its_own_octets(tmp_path: Path):
    """The very octets of DATA, so that DKIM still verifies; the reply names the file, in the order of sending."""
    done = written(tmp_path / "new" / "out", "a@example.net", "b@example.net")
    names = [relay_id(Kind.FOLDER, one.final) for one in done if one.final]
    assert names == sorted(file.name for file in (tmp_path / "new" / "out").iterdir())
    assert [(tmp_path / "new" / "out" / name).read_bytes() for name in names] == [BODY, BODY]


def test_many_sessions_share_a_folder(tmp_path: Path):
    """No file is ever written over."""

    async def work() -> None:
        relay = parse_relay(f"folder://{tmp_path}")
        sessions = [await open_session(relay, hostname="x") for _ in range(10)]
        await asyncio.gather(*(deliver(one, *["a@example.net"] * 20) for one in sessions))

    run(work())
    assert len(list(tmp_path.glob("*.eml"))) == 200
    assert len(list(tmp_path.iterdir())) == 200


def test_a_folder_that_cannot_be_is_a_451(tmp_path: Path):
    """A file stands where the folder should be: it is left alone, and the message stays with its sender."""
    (tmp_path / "out").write_text("in the way")
    done = written(tmp_path / "out", "a@example.net")
    assert done[-1].final is not None
    assert (done[-1].final.code, done[-1].final.enhanced) == (451, "4.3.0")
    assert (tmp_path / "out").read_text() == "in the way"


def test_a_full_disk_is_a_452(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """And no part of a file stays behind."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.rename", full)
    done = written(tmp_path, "a@example.net")
    assert done[-1].final is not None
    assert str(done[-1].final) == "452 4.3.1 No space left on device"
    assert list(tmp_path.iterdir()) == []
