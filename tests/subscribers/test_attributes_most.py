"""No person holds more attributes than may be read for every message, however they come together."""

from __future__ import annotations

import json

import pytest

import subscribers
from subscribers.profile import ATTRIBUTES_LENGTH


@pytest.mark.parametrize("revive", [False, True])
def test_more_attributes_than_a_person_may_hold(load, person, engine, clock, hash_key, revive):
    """What comes together with what is there is bounded, too: the record is refused, and the next one is read."""
    half = "x" * (ATTRIBUTES_LENGTH // 2)
    load(f"email,one\nann@example.org,{half}\n")
    if revive:
        ann = person("ann@example.org").id
        with engine.begin() as connection:
            subscribers.unsubscribe(connection, ann, None, clock(), "page")
    result = load(f"email,two\nann@example.org,{half}\nbob@example.org,2\n", revive=revive)
    assert (result.added, sum(result.refused.values()), result.revived) == (1, 1, 0)
    assert set(person("ann@example.org").attributes) == {"one"}
    twins = "".join(json.dumps({"email": "cem@example.org", key: half}) + "\n" for key in ("one", "two"))
    assert load(twins, "twins.jsonl").refused == {"too many attributes": 1}
    with (
        engine.begin() as connection,
        pytest.raises(subscribers.SubscribersError, match="16,384 are the most"),
    ):
        subscribers.add(
            connection, email="cem@example.org", list_key="main", now=clock(), hash_key=hash_key, basis="x",
            attributes={"three": half},
        )  # fmt: skip
