"""What two processes do to one person at one time, on PostgreSQL: the second sees what the first has done."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

import subscribers
from subscribers.exchange import run
from tests.subscribers.conftest import FORM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


@pytest.fixture
def engine(clean_postgres: Engine) -> Engine:
    """SQLite has one writer."""
    return clean_postgres


@pytest.fixture
def ann(engine: Engine, lists: dict[str, int], clock: Any, hash_key: bytes) -> int:
    """A reader, and her id."""
    with engine.begin() as connection:
        common = {"list_key": "main", "now": clock(), "hash_key": hash_key, "basis": "asked"}
        known = {"name": "Ann", "attributes": {"city": "Graz"}}
        return subscribers.add(connection, email="ann@example.org", **common, **known).id


@contextmanager
def beginning(engine: Engine, other: Callable[[], object]) -> Iterator[list[BaseException]]:
    """Let another process begin what has to wait for us; give what went wrong there."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            other()
        except BaseException as error:  # noqa: BLE001 - it is looked at by the test
            failures.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    with engine.connect() as watch:
        end = time.monotonic() + 30
        while thread.is_alive() and not watch.scalar(WAITING) and time.monotonic() < end:
            watch.rollback()
            time.sleep(0.005)
    yield failures
    thread.join(30)
    assert not thread.is_alive()


def meanwhile(
    engine: Engine, first: Callable[..., object], other: Callable[[], object]
) -> list[BaseException]:
    """Do the first thing, let the other wait for its end, and end it."""
    with engine.connect() as connection:
        first(connection)
        with beginning(engine, other) as failures:
            connection.commit()
    return failures


def test_who_is_erased_during_an_import_stays_erased(load, engine, ann, clock):
    """Neither name nor attributes come back, and the import says that mail to them is forbidden."""
    results = []
    content = "email,name,phone\nann@example.org,Ann Other,+43 1 234\n"
    failures = meanwhile(
        engine,
        lambda connection: subscribers.erase(connection, ann, clock()),
        lambda: results.append(load(content)),
    )
    assert failures == []
    assert results[0].refused == {"suppressed": 1}
    with engine.connect() as connection:
        person = subscribers.get(connection, ann)
        assert (person.email, person.name, person.attributes) == (None, "", {})
        assert connection.scalar(text("SELECT count(*) FROM import_changes")) == 0


def test_who_is_erased_while_an_import_is_taken_back_stays_erased(load, engine, ann, clock):
    """Nor does the undoing of an import bring back what it had replaced."""
    result = load("email,name\nann@example.org,Anna\n")
    failures = meanwhile(
        engine,
        lambda connection: subscribers.erase(connection, ann, clock()),
        lambda: subscribers.undo_import(engine.begin, result.id, clock()),
    )
    assert failures == []
    with engine.connect() as connection:
        assert subscribers.get(connection, ann).name == ""


@pytest.mark.parametrize("how", ["set", "add", "tag"])
def test_two_changes_of_one_person(engine, ann, clock, hash_key, how):
    """What two processes learn of a person at one time is kept of both."""

    def change(connection: Any, word: str) -> None:
        if how == "set":
            subscribers.set_profile(connection, ann, clock(), attributes={word: 1})
        elif how == "tag":
            subscribers.tag(connection, ann, clock(), add=[word])
        else:
            common = {"list_key": "main", "now": clock(), "hash_key": hash_key, "basis": "asked"}
            subscribers.add(connection, email="ann@example.org", attributes={word: 1}, **common)

    def other() -> None:
        with engine.begin() as connection:
            change(connection, "second")

    assert meanwhile(engine, lambda connection: change(connection, "first"), other) == []
    with engine.connect() as connection:
        person = subscribers.get(connection, ann)
    assert {"first", "second"} <= {*person.attributes, *person.tags}


def test_an_import_waits_for_who_changes_themselves(load, engine, ann, clock):
    """An import adds to what a reader says of themselves while it runs, and takes nothing of it away."""
    failures = meanwhile(
        engine,
        lambda connection: subscribers.set_profile(connection, ann, clock(), attributes={"likes": "tea"}),
        lambda: load("email,phone\nann@example.org,+43 1 234\n"),
    )
    assert failures == []
    with engine.connect() as connection:
        found = subscribers.get(connection, ann).attributes
    assert found == {"city": "Graz", "likes": "tea", "phone": "+43 1 234"}


def test_two_imports_of_the_same_people(load, engine, tmp_path, monkeypatch):
    """Two imports that name the same people in opposite order end both."""
    monkeypatch.setattr("subscribers.exchange.reading.BATCH", 20)
    monkeypatch.setattr(run, "SPAN", 60)  # seconds: one transaction holds them all
    people = [f"p{n}@example.org" for n in range(400)]
    load("email\n" + "\n".join(people) + "\n")
    ends = []

    def bring(name: str, order: list[str]) -> None:
        ends.append(load(f"email,{name}\n" + "".join(f"{each},x\n" for each in order), name=f"{name}.csv"))

    threads = [
        threading.Thread(target=bring, args=("one", people)),
        threading.Thread(target=bring, args=("two", people[::-1])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(each.updated for each in ends) == [400, 400]


@pytest.mark.parametrize("known", [False, True])
def test_two_sign_ups_of_one_address(engine, lists, clock, hash_key, known):
    """Two processes that hear of a new address, or of a known one, at the same time make one request of it."""
    email = "new@example.org"

    def ask(connection: Any) -> subscribers.SignUp:
        common = {"list_keys": ["main"], "now": clock(), "hash_key": hash_key, "form": FORM}
        return subscribers.sign_up(connection, email=email, **common)

    def other() -> None:
        with engine.begin() as connection:
            requests.append(ask(connection))

    if known:
        with engine.begin() as connection:
            common = {"list_key": "beta", "now": clock(), "hash_key": hash_key, "basis": "asked"}
            subscribers.add(connection, email=email, **common)
    requests: list[subscribers.SignUp] = []
    assert meanwhile(engine, lambda connection: requests.append(ask(connection)), other) == []
    assert requests[0].id is not None
    assert requests[1].id == requests[0].id
    with engine.connect() as connection:
        (person,) = subscribers.people(connection)
    assert person.id == requests[0].subscriber_id == requests[1].subscriber_id


def test_an_address_that_is_added_twice(engine, lists, clock, hash_key):
    """Two commands that add one address end both, and what both tell of it is kept."""

    def add(connection: Any, word: str) -> None:
        common = {"list_key": "main", "now": clock(), "hash_key": hash_key, "basis": "asked"}
        subscribers.add(connection, email="new@example.org", attributes={word: 1}, **common)

    def other() -> None:
        with engine.begin() as connection:
            add(connection, "second")

    assert meanwhile(engine, lambda connection: add(connection, "first"), other) == []
    with engine.connect() as connection:
        (person,) = subscribers.people(connection)
    assert person.attributes == {"first": 1, "second": 1}
