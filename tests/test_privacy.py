"""What is held about a person, what erasing takes away, and what goes by itself."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

import subscribers
from mailer import events, privacy
from mailer.database import writing
from mailer.delivery.tables import letters
from mailer.letters import joining, moving
from subscribers import Evidence
from tests.letters.conftest import SETTINGS, Post, grounded

ADDRESS = "bob@reader.example"


@pytest.fixture
def post(engine, tmp_path) -> Post:
    return Post(
        grounded(tmp_path, engine, SETTINGS.replace("operator", 'forget_after = "24 months"\noperator', 1))
    )


@pytest.fixture
def reader(post):
    """Somebody who signed up, confirmed and moved."""
    asked = post.request("old@reader.example", name="Bob", agent="Browser/1", network="192.0.2.9")
    post.do(joining.accept, asked.subscriber_id, asked.id, evidence=Evidence("192.0.2.9", "Browser/1"))
    move = post.do(moving.ask, asked.subscriber_id, ADDRESS)
    post.do(moving.finish, asked.subscriber_id, move.id, evidence=Evidence())
    return asked.subscriber_id


def everything(post) -> str:
    """Give every cell of every table."""
    with writing(post.ground.database) as connection:
        from sqlalchemy import MetaData

        found = MetaData()
        found.reflect(connection)
        return repr([connection.execute(select(table)).all() for table in found.sorted_tables])


def test_all_that_is_held_is_shown(post, reader):
    """One object of plain values, with the words that were shown and the letters that were written."""
    with writing(post.ground.database) as connection:
        held = privacy.held(connection, reader)
    assert json.loads(json.dumps(held, default=str))["email"] == ADDRESS
    assert held["forms"][0]["text"] == "Get the news. Leave with one click."
    assert [each["purpose"] for each in held["letters"]] == ["confirmation", "move", "moved"]
    assert held["moves"][0]["old_email"] == "old@reader.example"
    assert [each["kind"] for each in held["events"]] == [
        "reader.signed-up",
        "reader.confirmed",
        "reader.moved",
    ]
    assert held["consents"][1]["evidence"]["letter"] == held["letters"][0]["message_id"]


def test_erasing_leaves_no_trace_in_any_table(post, reader):
    """Not of the address, nor of the one before it; the hash that suppresses it stays, and an event."""
    assert "old@reader.example" in everything(post)
    with writing(post.ground.database) as connection:
        known = privacy.erase(connection, reader, now=post.later(), actor="ops")
    assert set(known) == {ADDRESS, "old@reader.example"}
    left = everything(post)
    for trace in (ADDRESS, "old@reader.example", "Bob", "Browser/1", "192.0.2.0/24"):
        assert trace not in left
    with writing(post.ground.database) as connection:
        assert privacy.erase(connection, reader, now=post.later(), actor="ops") == ()
        key = post.ground.keys.suppression
        hash_ = subscribers.address_hash(ADDRESS, key)
        assert subscribers.list_suppressions(connection, hash_=hash_)
        assert events.about(connection, str(reader))[-1].kind == "reader.erased"
        assert privacy.held(connection, reader)["email"] is None


def test_an_address_that_nobody_has_is_erased_too(post):
    """Letters to it and what is noted of it go, and no import brings it in."""
    post.request(ADDRESS)
    with writing(post.ground.database) as connection:
        person = subscribers.find(connection, ADDRESS)
        connection.execute(letters.update().values(subscriber_id=None))
        subscribers.erase(connection, person.id, post.later())
        key = post.ground.keys.suppression
        subscribers.block(connection, ADDRESS, hash_key=key, now=post.later(), evidence=f"{ADDRESS} called")
        privacy.erase_stranger(connection, ADDRESS, now=post.later(), hash_key=key, actor="ops")
    assert ADDRESS not in everything(post)


def test_who_never_confirmed_goes_by_itself(post):
    """And the letters to them with them."""
    for number in range(3):
        post.request(f"r{number}@reader.example")
    assert privacy.upkeep(post.ground, post.now)["expired"] == 0
    assert privacy.upkeep(post.ground, post.now + timedelta(days=15))["expired"] == 3
    left = everything(post)
    assert "reader.example" not in left


def test_who_left_long_ago_is_forgotten(post, reader):
    """After `forget_after`, counted from the last list they left; who came back is not."""
    other = post.request("ann@reader.example")
    post.do(joining.accept, other.subscriber_id, other.id, evidence=Evidence())
    with writing(post.ground.database) as connection:
        for each in (reader, other.subscriber_id):
            subscribers.unsubscribe(connection, each, None, post.later(), "page")
    later = post.now + timedelta(days=731)
    assert privacy.upkeep(post.ground, post.now + timedelta(days=700))["forgotten"] == 0
    post.now = later - timedelta(days=3)
    again = post.request("ann@reader.example")
    post.do(joining.accept, again.subscriber_id, again.id, evidence=Evidence())
    assert privacy.upkeep(post.ground, later)["forgotten"] == 1
    with writing(post.ground.database) as connection:
        assert subscribers.find(connection, ADDRESS) is None
        assert subscribers.find(connection, "ann@reader.example").id == again.subscriber_id
    assert ADDRESS not in everything(post)


def test_rows_that_an_import_refused_are_swept(post, tmp_path, reader):
    """In every file, in any spelling; old files go by themselves."""
    folder = tmp_path / ".mailer" / "rejects"
    folder.mkdir(parents=True)
    file = folder / "import-1.csv"
    file.write_text(f"line,reason,email\n2,bad,BOB@Reader.example\n3,bad,{ADDRESS}x\n")
    assert privacy.sweep(post.ground.settings.state, post.ground.database, [ADDRESS]) == 1
    assert "BOB" not in file.read_text()
    assert f"{ADDRESS}x" in file.read_text()
    assert privacy.upkeep(post.ground, post.now)["rejects"] == 0


def test_counts_stay(post, reader):
    """Whoever is erased still is one of those who left."""
    with writing(post.ground.database) as connection:
        privacy.erase(connection, reader, now=post.later(), actor="ops")
        list_id = subscribers.list_ids(connection)["main"]
        assert subscribers.audience_counts(connection, list_id, post.now).unsubscribed == 1
        assert connection.scalar(select(func.count()).select_from(letters)) == 3
