"""docs/how-it-works.md against the code: rooms, modules, and the states with their moves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from mailer.delivery.states import MAILING_MOVES, MOVES, DeliveryState, MailingState
from mailer.hooks.tables import DISPATCH_MOVES, DispatchState
from mailer.schedule.states import DUE_MOVES, DueState
from subscribers.status import (
    ADDRESS_MOVES,
    PERSON_MOVES,
    SUBSCRIPTION_MOVES,
    AddressState,
    PersonState,
    SubscriptionState,
)
from tests.docs.pages import ROOT, blocks, names, read, rows, sections

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum

MAP = read("how-it-works.md")
DRAWN = {
    match[1]: block
    for block in blocks(MAP, "mermaid")
    if (match := re.search(r"%% (\w+)", block)) is not None
}
TABLES: dict[type[StrEnum], Mapping[Any, frozenset[Any]]] = {
    DeliveryState: MOVES,
    MailingState: MAILING_MOVES,
    DispatchState: DISPATCH_MOVES,
    DueState: DUE_MOVES,
    PersonState: PERSON_MOVES,
    AddressState: ADDRESS_MOVES,
    SubscriptionState: SUBSCRIPTION_MOVES,
}


def _arrows(block: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^\s*(\S+) --> ([^\s:]+)", block, re.MULTILINE))


@pytest.mark.parametrize("states", TABLES, ids=lambda states: states.__name__)
def test_states(states: type[StrEnum]):
    """Every allowed move is an arrow of the drawing, and every arrow is an allowed move."""
    moves = {(state.value, target.value) for state, targets in TABLES[states].items() for target in targets}
    drawn = _arrows(DRAWN[states.__name__])
    assert {arrow for arrow in drawn if "[*]" not in arrow} == moves


@pytest.mark.parametrize("states", TABLES, ids=lambda states: states.__name__)
def test_ends(states: type[StrEnum]):
    """What has no way out, and nothing else, leads to the end; something leads in."""
    drawn = _arrows(DRAWN[states.__name__])
    final = {state.value for state, targets in TABLES[states].items() if not targets}
    assert {state for state, target in drawn if target == "[*]"} == final
    assert any(state == "[*]" for state, _ in drawn)


def test_rooms():
    """Every room is in the table, and every line of it is a room."""
    told = {names(row[0])[0] for row in rows(sections(MAP)["The rooms"])}
    rooms = {
        f"mailer/{folder.name}/"
        for folder in (ROOT / "mailer").iterdir()
        if (folder / "__init__.py").exists()
    }
    assert told == rooms | {"subscribers/"}


def test_modules():
    """The modules that stand beside the rooms are named."""
    alone = {f"mailer/{file.name}" for file in (ROOT / "mailer").glob("[a-z]*.py")}
    assert alone <= set(re.findall(r"`([^`\n]+)`", MAP))


def test_the_path_of_a_message():
    """Each file that a message's path names, by its name alone, is in the room where the path is just then."""
    lost = []
    for step in re.findall(r"^\d+\. .*?(?=^\d+\. |\Z)", _section("One message"), re.MULTILINE | re.DOTALL):
        folder = ROOT
        for name in re.findall(r"`([\w./]+\.py|[\w/]+/)`", step):
            if name.startswith(("mailer/", "subscribers/")):
                folder = (ROOT / name).parent
                found = (ROOT / name).exists()
            else:
                found = (folder / name).exists()
            lost += [] if found else [name]
    assert not lost


def _section(start: str) -> str:
    return next(text for title, text in sections(MAP).items() if title.startswith(start))
