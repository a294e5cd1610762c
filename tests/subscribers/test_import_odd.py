"""What stopped an import, or its undoing, halfway and for ever."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import select

import subscribers
from subscribers import tables
from subscribers.profile import clean_attributes
from tests.subscribers.files import everybody


def test_a_person_who_asked_to_move_stays(load, engine, clock, hash_key):
    """Whoever has asked for another address since an import is not removed with it, and all others are."""
    result = load("email\nann@example.org\nbob@example.org\ncem@example.org\n")
    with engine.begin() as connection:
        bob = subscribers.find(connection, "bob@example.org")
        subscribers.request_move(connection, bob.id, "new@example.org", now=clock(), hash_key=hash_key)
    undone = subscribers.undo_import(engine.begin, result.id, clock())
    assert (undone.removed, undone.kept) == (2, 1)
    assert everybody(engine, clock) == {"bob@example.org"}


def test_evidence_with_nul(load, engine, person):
    """A NUL in the proof of an old opt-in stops nothing, and the rest of the proof is kept."""
    result = load("email,consent\nann@example.org,form\0A\nbob@example.org,form B\n")
    assert (result.added, result.rejected) == (2, 0)
    with engine.connect() as connection:
        (consent,) = subscribers.consents_of(connection, person("ann@example.org").id)
    assert consent.evidence == {"consent-basis": "form A"}


@pytest.mark.parametrize("text", ["C:\\u0000", "\\\\u0000", "a\0b", "\\\0", "\\\\\0u0000", '"\0'])
def test_attributes_with_nul(text):
    """NUL goes, and nothing else: six letters that merely look like its escape stay."""
    assert clean_attributes({text: text}) == {text.replace("\0", ""): text.replace("\0", "")}


def test_a_file_whose_name_is_no_text(load, tmp_path, engine):
    """A name that some old system wrote in its own encoding is noted down as well as may be."""
    path = tmp_path / os.fsdecode(b"f\xfcr.csv")
    path.write_text("email\nann@example.org\nbad\n")
    assert (load(path).added, load(path).unchanged) == (1, 1)
    with engine.connect() as connection:
        assert set(connection.scalars(select(tables.imports.c.file))) == {"f\\udcfcr.csv"}
