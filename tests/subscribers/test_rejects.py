"""The file of rejects: mended it is imported as it is, and an erased person is gone from it."""

from __future__ import annotations

import csv
import os
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import subscribers
from subscribers.exchange import reading, run
from tests.subscribers.conftest import HASH_KEY, NOW

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine


def bring(engine: Engine, file: Path, **more: object) -> subscribers.ImportResult:
    common = {
        "list_key": "main",
        "basis": "form",
        "now": NOW,
        "hash_key": HASH_KEY,
        "rejects": file.parent / "r",
    }
    return subscribers.import_file(engine.begin, file, **common | more)


def cells(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


def test_of_an_archive(with_lists: Engine, tmp_path: Path) -> None:
    """Tables of other columns have their places in one file; mended, who had bounced there does not become a reader."""
    path = tmp_path / "audience.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "subscribed_members_export_1.csv",
            "Email Address,First Name,MEMBER_RATING,OPTIN_TIME\nann at example,Ann,1,\n",
        )
        archive.writestr(
            "cleaned_members_export_1.csv",
            "Email Address,MEMBER_RATING,OPTIN_TIME,CLEAN_CAMPAIGN_ID\nbob at x,1,,9\n",
        )
        archive.writestr("notes.csv", "what,when\nx,y\n")
    result = bring(with_lists, path)
    assert (result.added, result.rejected, result.left_out) == (0, 2, ("notes.csv",))
    header, bob, ann = cells(result.rejects)
    assert dict(zip(header, bob, strict=True))["Email Address"] == "bob at x"
    assert dict(zip(header, ann, strict=True)) | {"reason": ""} == {
        "line": "2", "reason": "", "file": "subscribed_members_export_1.csv", "Email Address": "ann at example",
        "First Name": "Ann", "MEMBER_RATING": "1", "OPTIN_TIME": "", "CLEAN_CAMPAIGN_ID": "",
    }  # fmt: skip
    mended = tmp_path / "mended.csv"
    mended.write_text(
        result.rejects.read_text().replace(" at example", "@example.org").replace(" at x", "@example.org")
    )
    again = bring(with_lists, mended)
    assert (again.added, again.refused) == (1, {"dead": 1})


def test_of_json(with_lists: Engine, tmp_path: Path) -> None:
    """A line of JSON stands there whole, and is read from there."""
    path = tmp_path / "people.jsonl"
    path.write_text('{"email": "ann", "deep": {"x": [1, 2]}}\n[1]\n')
    result = bring(with_lists, path)
    assert result.rejected == 2
    mended = tmp_path / "mended.csv"
    mended.write_text(result.rejects.read_text().replace('""ann""', '""ann@example.org""'))
    again = bring(with_lists, mended)
    assert (again.added, again.rejected) == (1, 1)
    with with_lists.connect() as connection:
        assert subscribers.find(connection, "ann@example.org").attributes == {"deep": {"x": [1, 2]}}


@pytest.mark.parametrize(
    "spelt",
    [
        "ann@example.org",
        "ANN@Example.ORG",
        " Ann@example.org ",
        "Ann A. <ann@example.org>",
        '"x\nann@example.org"',
    ],
)
def test_erased(with_lists: Engine, tmp_path: Path, spelt: str) -> None:
    """Whoever is erased is gone from every record they stand in, however spelt; nothing else moves by an octet."""
    path = tmp_path / "people.csv"
    path.write_text(
        f'email,name,status\nx1,"two\nlines",\n{spelt},Secret,quux\njoann@example.org,Jo,quux\nx2,y,z,too much\n'
    )
    result = bring(with_lists, path)
    before, size = cells(result.rejects), result.rejects.stat().st_size
    assert subscribers.erase_from_rejects(tmp_path / "r", "Ann@example.org") == 1
    text = result.rejects.read_text()
    assert "Secret" not in text
    assert " ann@" not in text.lower().replace("joann@", "")
    assert result.rejects.stat().st_size == size
    after = cells(result.rejects)
    assert [row for row in after if "joann" in str(row) or row[0] == "2"] == [
        row for row in before if "joann" in str(row) or row[0] == "2"
    ]
    assert [row[0] for row in after] == [row[0] for row in before]
    assert subscribers.erase_from_rejects(tmp_path / "r", "ann@example.org") == 0
    assert subscribers.erase_from_rejects(tmp_path / "nowhere", "ann@example.org") == 0


def test_erased_in_both_alphabets(with_lists: Engine, tmp_path: Path) -> None:
    """A domain in its own letters and in its A-labels is the same."""
    path = tmp_path / "people.csv"
    path.write_text("email,status\nann@bücher.example,quux\nann@xn--bcher-kva.example,quux\n")
    bring(with_lists, path)
    assert subscribers.erase_from_rejects(tmp_path / "r", "ann@bücher.example") == 2


def test_erased_while_it_stands_still(
    with_lists: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import that was stopped goes on after somebody was erased from its rejects."""
    monkeypatch.setattr(reading, "BATCH", 2)
    monkeypatch.setattr(run, "SPAN", 0)
    path = tmp_path / "people.csv"
    path.write_text("email,status\n" + "".join(f"p{n}@example.org,quux\n" for n in range(8)))

    def stop(done: int, _lines: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(with_lists, path, progress=stop)
    assert subscribers.erase_from_rejects(tmp_path / "r", "p1@example.org") == 1
    result = bring(with_lists, path)
    assert result.rejected == 8
    rows = cells(result.rejects)[1:]
    assert [row[3] for row in rows if len(row) > 3] == [f"p{n}@example.org" for n in range(8) if n != 1]


def test_forgotten(tmp_path: Path) -> None:
    """Old files of rejects are deleted, newer ones and all others stay."""
    for name in ("import-1.csv", "import-2.csv", "mine.csv"):
        (tmp_path / name).write_text("x")
    old = datetime.now(UTC) - timedelta(days=40)
    for name in ("import-1.csv", "mine.csv"):
        os.utime(tmp_path / name, (old.timestamp(), old.timestamp()))
    assert subscribers.forget_rejects(tmp_path, datetime.now(UTC) - timedelta(days=30)) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"import-2.csv", "mine.csv"}
