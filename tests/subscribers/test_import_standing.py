"""A file says how somebody stood: in several columns, in words that nobody knows, and the strictest word counts."""

from __future__ import annotations

import json

import pytest

from tests.subscribers.files import everybody, read_csv


@pytest.mark.parametrize("said", [("unsubscribed", "active"), ("active", "unsubscribed")])
def test_two_columns_of_one_meaning(load, engine, clock, said):
    """Of two columns that tell how somebody stood the strictest counts, whichever comes last."""
    rows = [
        "email,status,subscription status",
        f"ann@example.org,{','.join(said)}",
        "bob@example.org,,active",
    ]
    result = load("\n".join(rows) + "\n")
    assert (result.added, result.refused) == (1, {"left": 1})
    assert everybody(engine, clock) == {"bob@example.org"}
    assert load("email\nann@example.org\n", name="later.csv").refused == {"left": 1}


@pytest.mark.parametrize("keys", [("status", "state"), ("state", "status")])
def test_two_keys_of_one_meaning(load, engine, clock, keys):
    """The same holds for two keys of a JSON object."""
    first, second = keys
    lines = [
        {"email": "ann@example.org", first: "unsubscribed", second: "active"},
        {"email": "bob@example.org", first: "active", second: "active"},
    ]
    result = load("\n".join(map(json.dumps, lines)) + "\n", "people.jsonl")
    assert (result.added, result.refused) == (1, {"left": 1})
    assert everybody(engine, clock) == {"bob@example.org"}


def test_words_of_subscribed(load, engine, clock):
    """A word that says neither yes nor no is no yes: its record goes to the rejects, and whoever left has left."""
    told = {"yes": "y", "1": "one", "On": "on", "active": "active", "nein": "nein", "2021-01-01": "day"}
    left = {"no": "n", "off": "off", "unsubscribed": "unsubscribed", "FALSE": "f"}
    rows = [f"{name}@example.org,{word}" for word, name in (told | left).items()]
    result = load("email,subscribed\n" + "\n".join(rows) + "\n")
    assert (result.added, result.refused, result.rejected) == (4, {"left": 4}, 2)
    assert everybody(engine, clock) == {f"{name}@example.org" for name in ("y", "one", "on", "active")}
    assert all("neither yes nor no" in row[1] for row in read_csv(result.rejects)[1:])
