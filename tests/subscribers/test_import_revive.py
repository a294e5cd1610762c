"""An import that is asked to revive brings back who left, complained or is dead; it is recorded, and can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

import subscribers
from subscribers import Evidence, tables

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

HASH_KEY = b"k" * 32
LEFT = ("left", "complained", "dead")
NEVER = ("blocked", "erased", "moved", "pending")


def email(how: str) -> str:
    return f"{how}@example.org"


@pytest.fixture
def people(with_lists: Engine, clock: Any) -> Engine:
    """One for each way not to be mailed."""
    common = {"hash_key": HASH_KEY, "basis": "mail", "list_key": "main"}
    with with_lists.begin() as connection:
        ids = {
            how: subscribers.add(connection, email=email(how), now=clock(), **common).id
            for how in (*LEFT, "erased", "moved")
        }
        subscribers.unsubscribe(connection, ids["left"], "main", clock(), "page")
        subscribers.complain(connection, ids["complained"], "main", clock(), "fbl")
        subscribers.lose(connection, ids["dead"], clock(), "5.1.1")
        subscribers.erase(connection, ids["erased"], clock())
        subscribers.move(
            connection, ids["moved"], "elsewhere@example.org", now=clock(), hash_key=HASH_KEY, how="cli"
        )
        subscribers.block(connection, email("blocked"), hash_key=HASH_KEY, now=clock())
        subscribers.sign_up(
            connection, email=email("pending"), list_keys=["main"], now=clock(), hash_key=HASH_KEY,
            form=subscribers.Form("v1", "yes, mail me"),
        )  # fmt: skip
    return with_lists


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("email,name\n" + "".join(f"{email(how)},N {how}\n" for how in (*LEFT, *NEVER, "new")))
    return path


def bring(engine: Engine, file: Path, clock: Any, **more: Any) -> subscribers.ImportResult:
    common = {"list_key": "main", "basis": "they wrote to us", "hash_key": HASH_KEY}
    return subscribers.import_file(
        engine.begin, file, rejects=file.parent / "rejects", now=clock(), **common | more
    )


def readers(engine: Engine, clock: Any) -> set[str]:
    with engine.connect() as connection:
        audience = subscribers.audience(subscribers.list_ids(connection)["main"], clock.now)
        return {row.email for row in connection.execute(audience)}


def standing(engine: Engine) -> list[Any]:
    """All that decides whether somebody is mailed."""
    held = tables.suppressions.c
    columns = (held.hash, held.scope, held.scope_key, held.reason)
    with engine.connect() as connection:
        in_force = connection.execute(
            select(*columns).where(held.lifted_at.is_(None)).order_by(held.id)
        ).all()
        places = tables.addresses.c
        return [in_force, connection.execute(select(places.email, places.state).order_by(places.id)).all()]


def test_revives_whom_it_may(people, file, clock):
    """Who left, complained or is dead comes back with a consent that says so; blocked, erased and moved never do."""
    before = readers(people, clock)
    result = bring(people, file, clock, revive=True)
    assert (result.revived, result.added) == (3, 1)
    assert result.refused == {"suppressed": 3, "not confirmed": 1}
    assert readers(people, clock) - before == {email(how) for how in (*LEFT, "new")}
    with people.connect() as connection:
        for how, what in {"left": "unsubscribed", "complained": "complaint", "dead": "dead"}.items():
            person = subscribers.find(connection, email(how))
            last = subscribers.consents_of(connection, person.id)[-1]
            assert (last.kind, last.basis, last.import_id) == ("added", "they wrote to us", result.id)
            assert what in last.evidence["revived"]


def test_only_when_asked(people, file, clock):
    """Without the wish nobody comes back; a dry run names them, and changes nothing."""
    held = standing(people)
    told: list[str] = []
    foretold = bring(people, file, clock, revive=True, reviving=told.append, dry_run=True)
    assert (foretold.revived, set(told)) == (3, {email(how) for how in LEFT})
    assert standing(people) == held
    assert bring(people, file, clock).revived == 0
    assert {email(how) for how in LEFT}.isdisjoint(readers(people, clock))


def test_not_who_left_there(people, tmp_path, clock):
    """A row that says somebody left, bounced or is paused revives nobody."""
    path = tmp_path / "people.csv"
    path.write_text("email,status\n" + "".join(
        f"{email(how)},{status}\n" for how, status in zip(LEFT, ("unsubscribed", "bounced", "paused"), strict=True)
    ))  # fmt: skip
    assert bring(people, path, clock, revive=True).revived == 0


def test_again_revives_nobody(people, file, clock):
    """Who left after being brought back stays away, though the same command is given again."""
    bring(people, file, clock, revive=True)
    with people.begin() as connection:
        left = subscribers.find(connection, email("left"))
        subscribers.unsubscribe(connection, left.id, None, clock(), "page")
    again = bring(people, file, clock, revive=True)
    assert (again.revived, again.refused["left"]) == (0, 1)
    assert email("left") not in readers(people, clock)


def test_taken_back(people, file, clock):
    """Undone, they have left again, and what forbade mail to them forbids it again; who acted since is left alone."""
    mailed, held = readers(people, clock), standing(people)
    result = bring(people, file, clock, revive=True)
    undone = subscribers.undo_import(people.begin, result.id, clock())
    assert (undone.unsubscribed, undone.removed) == (3, 1)
    assert readers(people, clock) == mailed
    assert standing(people) == held
    assert bring(people, file, clock).revived == 0


def test_who_acted_since_is_left_alone(people, file, clock):
    """Whoever was brought back and paused since is not put off the list by taking the import back."""
    result = bring(people, file, clock, revive=True)
    with people.begin() as connection:
        left = subscribers.find(connection, email("left"))
        subscribers.pause(connection, left.id, "main", clock(), "page")
    assert subscribers.undo_import(people.begin, result.id, clock()).unsubscribed == 2
    with people.connect() as connection:
        assert subscribers.find(connection, email("left")).subscription("main").state == "paused"


@pytest.mark.parametrize("revived", [True, False], ids=["by a file", "by their own word"])
def test_a_complaint_about_one_list_outlives_the_return_to_another(with_lists, tmp_path, clock, revived):
    """Who complained of `beta` in another tool, and comes to `gamma` of the same brand, still gets no `beta`."""
    engine, who = with_lists, email("both")
    with engine.begin() as connection:
        subscribers.ensure_lists(connection, ["gamma"], clock(), brands={"gamma": "acme"})
        person = subscribers.add(
            connection, email=who, list_key="beta", now=clock(), hash_key=HASH_KEY, basis="mail"
        )
    path = tmp_path / "complained.csv"
    path.write_text(f"email,status\n{who},complained\n")
    bring(engine, path, clock, list_key="beta")
    if revived:
        path.write_text(f"email\n{who}\n")
        assert bring(engine, path, clock, list_key="gamma", revive=True).revived == 1
    else:
        with engine.begin() as connection:
            asked = subscribers.sign_up(
                connection, email=who, list_keys=["gamma"], now=clock(), hash_key=HASH_KEY,
                form=subscribers.Form("v1", "yes, mail me"),
            )  # fmt: skip
            assert subscribers.confirm(connection, person.id, asked.id, clock(), Evidence()).confirmed == (
                "gamma",
            )
    with engine.begin() as connection:
        ids = subscribers.list_ids(connection)
        reached = {
            key
            for key in ("beta", "gamma")
            if connection.execute(subscribers.audience(ids[key], clock())).all()
        }
        assert reached == {"gamma"}
        subscribers.add(
            connection, email=who, list_key="beta", now=clock(), hash_key=HASH_KEY, basis="mail", revive=True
        )
        assert connection.execute(subscribers.audience(ids["beta"], clock())).all()


def test_who_moved_away_from_a_dead_mailbox_is_not_revived_there(people, tmp_path, clock):
    """That it was dead before does not hide that its owner reads elsewhere: they would get everything twice."""
    with people.begin() as connection:
        dead = subscribers.find(connection, email("dead"))
        subscribers.move(connection, dead.id, "alive@example.org", now=clock(), hash_key=HASH_KEY, how="cli")
    path = tmp_path / "people.csv"
    path.write_text(f"email\n{email('dead')}\n")
    result = bring(people, path, clock, revive=True)
    assert (result.revived, result.refused["suppressed"]) == (0, 1)
    assert email("dead") not in readers(people, clock)
