"""The form in which old deliveries are kept: nothing is lost in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.delivery.erasure import codes
from mailer.delivery.ledger import packing
from mailer.delivery.ledger.packing import BLOCK, Packed, Row, mark_of, pack, unpack, without
from mailer.delivery.states import MOVES, DeliveryState, Skip
from mailer.delivery.tables import deliveries, packed_deliveries

numbers = st.integers(0, 2**31 - 1)
words = st.text(max_size=60)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - it adds one


@st.composite
def blocks(draw: st.DrawFn) -> tuple[int, list[Row]]:
    """Give a block's number and its deliveries, with whatever a server may say."""
    block = draw(st.integers(0, 2**31 // BLOCK - 2))
    ids = sorted(draw(st.sets(st.integers(0, BLOCK - 1), min_size=1, max_size=12)))
    return block, [draw(rows(block * BLOCK + one)) for one in ids]


@st.composite
def rows(draw: st.DrawFn, subscriber_id: int) -> Row:
    """Give one delivery that is final."""
    relay_id = draw(words)
    address = draw(st.sampled_from(["", "ann@one.example", "Ärne@zwei.example"]) | words)
    return Row(
        subscriber_id,
        *(draw(numbers) for _ in range(3)),
        address,
        draw(st.sampled_from([address.rpartition("@")[2], ""]) | words),
        draw(moments),
        draw(st.sampled_from(packing.FINAL)).value,
        draw(st.sampled_from(["", "other", *Skip])),
        draw(numbers),
        draw(numbers),
        draw(st.sampled_from([f"250 ok {relay_id}", relay_id, "\0", f"\0{relay_id}"]) | words),
        relay_id,
        draw(moments | st.none()),
    )


@given(blocks())
def test_what_is_unpacked_is_what_was_packed(case: tuple[int, list[Row]]) -> None:
    """Every column of every delivery comes back, whatever stands in it; the marks say who is in the block."""
    block, given_rows = case
    packed = pack(given_rows)
    assert unpack(block, packed) == given_rows
    there = {block * BLOCK + place for place, mark in enumerate(packed.marks) if mark != packing.NOBODY}
    assert there == {row.subscriber_id for row in given_rows}
    assert len(packed.marks) == BLOCK <= packed_deliveries.c.marks.type.length


@given(blocks(), st.data())
def test_an_erasure_changes_one_persons_words_alone(case: tuple[int, list[Row]], data: st.DataObject) -> None:
    """Their address, its domain and the words of the reply go; the codes, and all that others have, stay."""
    block, given_rows = case
    packed, gone = pack(given_rows), data.draw(st.sampled_from(given_rows)).subscriber_id
    left = unpack(block, Packed(packed.marks, packed.facts, without(packed, gone, codes)))
    for row, now in zip(given_rows, left, strict=True):
        bare = row._replace(address="", domain="", reply=codes(row.reply))
        assert now == (bare if row.subscriber_id == gone else row)


def test_a_packed_row_has_every_column() -> None:
    """A column that is added to the ledger is added to the packed form, or this fails."""
    assert ["mailing_id", *Row._fields] == [column.name for column in deliveries.c]


def test_only_what_moves_no_more_can_be_packed() -> None:
    """Each state that nothing leaves has a mark of its own, each reason to skip one too; no other state has any."""
    assert {state for state in DeliveryState if not MOVES[state]} == set(packing.MARKS)
    marks = [*packing.MARKS.values(), *packing.REASONS.values()]
    assert len({*marks, packing.NOBODY}) == len(marks) + 1
    assert set(packing.REASONS) == set(Skip)
    assert all(packing.letters_of(state) == "" for state in DeliveryState if MOVES[state])


def row_of(number: int) -> Row:
    """Give a delivery as a mailing has a million of them."""
    at = datetime(2026, 7, 14, 9, 0, tzinfo=UTC) + number * timedelta(microseconds=413)
    name, relay_id = f"reader{number}@d{number % 50}.example.net", f"4fX{number * 7919 % 99991:05}Q"
    reply = f"250 2.0.0 Ok: queued as {relay_id}"
    return Row(
        number,
        3,
        1,
        number + 17,
        name,
        name.rpartition("@")[2],
        at,
        "accepted",
        "",
        4,
        1,
        reply,
        relay_id,
        at,
    )


def test_what_every_row_repeats_takes_next_to_no_room() -> None:
    """A delivery of the common kind takes a fifth of its text at most."""
    some = [row_of(number) for number in range(BLOCK)]
    packed = pack(some)
    text = sum(len("".join(map(str, row))) for row in some)
    assert len(packed.facts) + len(packed.words) + BLOCK < text / 5


@pytest.mark.parametrize("state", packing.FINAL)
def test_a_mark_names_the_state_and_the_known_reason(state: DeliveryState) -> None:
    """A reason that this program does not know is skipped without one, as it is counted."""
    counter = count(1)
    for reason in ("", *Skip, "of another time"):
        row = row_of(next(counter))._replace(state=state.value, reason=reason)
        known = state is DeliveryState.SKIPPED and reason in set(Skip)
        assert mark_of(row) == (packing.REASONS[Skip(reason)] if known else packing.MARKS[state])
        assert mark_of(row) in packing.letters_of(state)
