"""The witness: which database may be sent from. The decision alone; test_custody.py has the same with real files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.database import writing
from mailer.delivery import mailing
from mailer.delivery.custody import Seen, Trust, Witness, decide, read_witness
from mailer.delivery.custody.sequences import highest_ids, raise_ids
from tests.delivery.conftest import NOON, edition

if TYPE_CHECKING:
    from pathlib import Path

OURS = str(uuid4())
KNOWN = Witness(OURS, 5, "mark", NOON.isoformat())
SEEN = Seen(OURS, KNOWN, 5, frozenset({1, 2, 3, 4, 5}))


@pytest.mark.parametrize(
    ("seen", "trust"),
    [
        pytest.param(Seen(OURS, None, 0), Trust.FRESH, id="nothing was ever sent"),
        pytest.param(SEEN, Trust.SAME, id="all is as it was"),
        pytest.param(replace(SEEN, epoch=7), Trust.SAME, id="a start was killed before it could testify"),
        pytest.param(replace(SEEN, journals=frozenset()), Trust.SAME, id="old journals were thrown away"),
        pytest.param(replace(SEEN, epoch=3), Trust.CATCH_UP, id="older, and the journals know the rest"),
        pytest.param(
            replace(SEEN, journals=frozenset({*range(1, 7)})), Trust.CATCH_UP, id="a power cut took the newest epoch"
        ),
        pytest.param(replace(SEEN, epoch=3, journals=frozenset({5})), Trust.GAP, id="older, a journal is missing"),
        pytest.param(replace(SEEN, epoch=3, unknown=1), Trust.GAP, id="older, a mailing is unknown"),
        pytest.param(replace(SEEN, epoch=0), Trust.CATCH_UP, id="restored from before the first send"),
        pytest.param(replace(SEEN, epoch=3, alive=frozenset({5})), Trust.IN_USE, id="the newer one is in use"),
        pytest.param(replace(SEEN, witness=None), Trust.STRANGER, id="copied here from another machine"),
        pytest.param(replace(SEEN, witness=None, epoch=0), Trust.STRANGER, id="made anew beside old journals"),
        pytest.param(replace(SEEN, newsletter="x"), Trust.STRANGER, id="the witness is another newsletter's"),
        pytest.param(replace(SEEN, forked=True), Trust.FORKED, id="it went its own way"),
        pytest.param(replace(SEEN, original=True), Trust.COPY, id="the original still stands elsewhere"),
    ],
)  # fmt: skip
def test_which_database_may_be_sent_from(seen: Seen, trust: Trust) -> None:
    """Each thing that can happen to a database has one name, and only three of them let a send go on."""
    assert decide(seen) is trust


epochs = st.integers(0, 9)


@given(epochs, epochs, st.frozensets(st.integers(1, 9)), st.integers(0, 2))
def test_an_older_database_never_passes_unseen(
    knows: int, testified: int, journals: frozenset[int], unknown: int
) -> None:
    """Whatever epoch only the witness or a journal knows: the database is not taken for the same."""
    seen = Seen(OURS, replace(KNOWN, epoch=testified), knows, journals, unknown=unknown)
    trust = decide(seen)
    assert (trust is Trust.SAME) == (knows >= max([testified, *journals]))
    assert trust is not Trust.CATCH_UP or not (unknown or set(range(knows + 1, testified + 1)) - journals)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"epoch": 3}', "\udcff", '{"epoch": "x", "ids": []}']
)
def test_a_witness_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    """A damaged file is no witness; it never ends a command with a traceback."""
    (tmp_path / "witness").write_bytes(text.encode(errors="surrogateescape"))
    assert read_witness(tmp_path / "witness") is None


def test_the_witness_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """What is written is read again, by its owner alone."""
    written = replace(KNOWN, ids={"workers": 5}, since=2, file="/srv/news/.mailer/mailer.db", inode=7)
    written.write(tmp_path / "witness")
    assert read_witness(tmp_path / "witness") == written
    assert (tmp_path / "witness").stat().st_mode & 0o777 == 0o600


def test_ids_are_never_handed_out_twice(engine) -> None:
    """A table that lost its newest rows goes on behind the ids that they had; nothing is ever lowered."""
    with writing(engine) as c:
        first = mailing.open_mailing(c, edition(), "main", NOON).id
        raise_ids(c, {"mailings": first + 40})
        raise_ids(c, {"mailings": 1, "subscribers": 0})
        second = mailing.open_mailing(c, edition(73, "another"), "main", NOON).id
        assert second > first + 40
        assert highest_ids(c)["mailings"] == second
