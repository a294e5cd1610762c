"""A quotation that goes over many lines: nobody whom a note names becomes a reader, and nobody else is lost."""

from __future__ import annotations

import pytest

from tests.subscribers.files import everybody, read_csv

QUOTED = ["On Monday Bob wrote:", *["> line"] * 110, "bob@example.org", "eve@example.org, says Bob", "bye"]


@pytest.fixture
def note() -> str:
    """A mail of more than a hundred lines, as a support tool keeps it; it names two people who never asked."""
    return "\n".join(QUOTED)


def test_a_long_note(load, engine, clock, note):
    """A cell of more than a hundred lines costs its record, which goes to the rejects whole; the next one is read."""
    result = load(f'email,notes\nann@example.org,"{note}"\ncem@example.org,ok\n')
    assert (result.added, result.rejected) == (1, 1)
    assert everybody(engine, clock) == {"cem@example.org"}
    rejected = read_csv(result.rejects)[1]
    assert rejected[0] == "2"
    assert "more than 100 lines" in rejected[1]
    assert "eve@example.org, says Bob" in rejected[3]


def test_a_long_note_before_other_cells(load, engine, clock, note):
    """The same holds where cells follow the note."""
    result = load(f'email,notes,name\nann@example.org,"{note}",Ann\ncem@example.org,ok,Cem\n')
    assert (result.added, result.rejected) == (1, 1)
    assert everybody(engine, clock) == {"cem@example.org"}


def test_a_long_note_that_is_never_closed(load, engine, clock, note):
    """Where its end cannot be told, lines that have not the table's cells are taken for words of it."""
    result = load(f'email,name,notes\nann@example.org,Ann,"{note}\ncem@example.org,C,ok\n')
    assert everybody(engine, clock) == {"cem@example.org"}
    assert (result.added, result.rejected) == (1, 1 + len(QUOTED) - 1)
    assert "may be words of a cell" in result.rejects.read_text()


def test_an_open_quotation_before_closed_ones(load):
    """A mark that is never closed does not end at the first mark of a later cell, and takes nobody with it."""
    lines = [f'p{n}@example.org,"P, {n}",x\n' for n in range(300)]
    lines[7] = 'p7@example.org,"P,x\n'
    plain = [f"q{n}@example.org,Q,x\n" for n in range(150)]
    result = load("email,name,n\n" + "".join([*lines[:8], *plain, *lines[8:]]))
    assert (result.added, result.rejected) == (449, 1)
