"""What a file may cost is bounded: archives that unpack to worlds, giant fields, octets that are no text."""

from __future__ import annotations

import sys
import tracemalloc
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

import subscribers

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine


surveying = sys.modules["subscribers.exchange.survey"]  # the package's own `survey` is the function


def bring(engine: Engine, file: Path, clock: Any) -> subscribers.ImportResult:
    common = {"list_key": "main", "basis": "form", "now": clock(), "hash_key": b"k" * 32}
    return subscribers.import_file(engine.begin, file, rejects=file.parent / "rejects", **common)


def zipped(file: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in members.items():
            archive.writestr(f"{name}.csv", octets)
    return file


def test_an_archive_says_how_large_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive whose tables would unpack to more than the bound is refused before any is read."""
    monkeypatch.setattr(surveying, "MOST_OCTETS", 1 << 20)
    monkeypatch.setattr(surveying, "open_part", lambda *_: pytest.fail("it was read"))
    file = zipped(tmp_path / "bomb.zip", one=b"email\n" + bytes(600_000), two=b"email\n" + bytes(600_000))
    assert file.stat().st_size < 10_000
    with pytest.raises(subscribers.BadFile, match="would unpack to more than"):
        subscribers.survey(file)


def test_a_file_that_is_larger_is_not_read_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a file says of its size, reading ends at the bound."""
    monkeypatch.setattr(surveying, "MOST_OCTETS", 1 << 20)
    file = tmp_path / "people.csv"
    file.write_bytes(b"email\n" + b"a@example.org\n" * 200_000)
    with pytest.raises(subscribers.BadFile, match="larger than"):
        subscribers.survey(file)


def test_a_bomb_of_one_line(with_lists: Engine, clock: Any, tmp_path: Path) -> None:
    """A line of a forty million letters in a small archive is cut into pieces, and none is held whole."""
    file = zipped(
        tmp_path / "line.zip", people=b"email,name\n" + b"x" * 40_000_000 + b"\nann@example.org,Ann\n"
    )
    tracemalloc.start()
    try:
        result = bring(with_lists, file, clock)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (result.added, result.rejected > 0) == (1, True)
    assert peak < 25_000_000


def test_giant_fields(with_lists: Engine, clock: Any, tmp_path: Path) -> None:
    """A field beyond the bound costs its own record, a long name is cut, and attributes have their most."""
    file = tmp_path / "people.csv"
    file.write_text(
        "email,name,note\n"
        f"long@example.org,{'n' * 5_000},\n"
        f"much@example.org,M,{'x' * 20_000}\n"
        f'huge@example.org,"{"y" * 200_000}",\n'
        "ann@example.org,Ann,\n"
    )
    result = bring(with_lists, file, clock)
    assert result.added == 2
    with with_lists.connect() as connection:
        assert len(subscribers.find(connection, "long@example.org").name) == 200
        assert subscribers.find(connection, "ann@example.org") is not None
    assert "16,384 are the most" in result.rejects.read_text()


def test_nul_and_controls(with_lists: Engine, clock: Any, tmp_path: Path) -> None:
    """NUL, other controls and lone surrogates do not reach the database; an address with them is none."""
    files = {
        "people.csv": b"email,name,town\ncsv@example.org,A\0nn\x1b[2J,Gr\0az\nb\0ad@example.org,B,\n",
        "people.jsonl": b'{"email": "json@example.org", "name": "A\\u0000nn", "town": "Gr\\u0000az\\ud800"}\n',
    }
    for name, octets in files.items():
        (tmp_path / name).write_bytes(octets)
        bring(with_lists, tmp_path / name, clock)
    with with_lists.connect() as connection:
        for email in ("csv@example.org", "json@example.org"):
            person = subscribers.find(connection, email)
            assert person.name.isprintable()
            assert person.attributes["town"] == "Graz"
        assert len(subscribers.people(connection)) == 2


@pytest.mark.parametrize(("levels", "imported"), [(19, 1), (20, 0), (900, 0)])
def test_attributes_nest_twenty_levels_deep(
    engine: Engine, tmp_path: Path, clock: Any, levels: int, imported: int
):
    """One more is told as a row that is not taken, as any other mistake; so is what nests very deep."""
    file = tmp_path / "people.jsonl"
    attributes = '{"a": ' * levels + "1" + "}" * levels
    file.write_text(f'{{"email": "ann@example.org", "attributes": {{"deep": {attributes}}}}}\n')
    with engine.begin() as connection:
        subscribers.ensure_lists(connection, ["main"], clock())
    done = bring(engine, file, clock)
    assert (done.added, done.rejected) == (imported, 1 - imported)
