"""The turnstile: one at a time, the next one at once, and nobody waits for who does not move."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from mailer.delivery.turnstile import Turnstile

if TYPE_CHECKING:
    from pathlib import Path


def test_one_at_a_time(tmp_path: Path):
    """Four threads with a turnstile each: never two in their turn, and each has had all of its turns."""
    inside, most, turns = [0], [0], [0]

    def pass_through() -> None:
        mine = Turnstile(tmp_path, patience=60)
        for _ in range(200):
            with mine.turn() as turn:
                assert turn
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                turns[0] += 1
                inside[0] -= 1
        mine.close()

    threads = [threading.Thread(target=pass_through) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most[0], turns[0]) == (1, 800)


def test_who_does_not_move_is_waited_for_once(tmp_path: Path):
    """After its patience the one behind goes through without a turn, each time; in turns again once the first moves."""
    first, second = Turnstile(tmp_path), Turnstile(tmp_path, patience=0.05)
    with first.turn():
        for _ in range(3):
            with second.turn() as turn:
                assert not turn
    while True:  # the thread that waited hears of it in its own time
        with second.turn() as turn:
            if turn:
                break
    with first.turn() as turn:
        assert turn
    second.close()
    first.close()


def test_an_end_in_the_middle_frees_the_next(tmp_path: Path):
    """A turn that ends with an exception is over, as that of a process that dies is."""
    first, second = Turnstile(tmp_path), Turnstile(tmp_path, patience=60)
    with pytest.raises(ZeroDivisionError), first.turn():
        _ = 1 / 0
    with second.turn() as turn:
        assert turn
    first.close()
    second.close()


def test_who_wants_a_turn_at_once_or_not_at_all(tmp_path: Path):
    """While another has the turn there is none to be had at once; then there is, and it is over with the block."""
    first, second = Turnstile(tmp_path), Turnstile(tmp_path)
    with first.turn(), pytest.raises(BlockingIOError), second.at_once():
        pass
    with second.at_once(), pytest.raises(BlockingIOError), first.at_once():
        pass
    with first.at_once():
        pass
    second.close()
    first.close()
