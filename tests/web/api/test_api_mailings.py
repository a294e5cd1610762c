"""/mailings and /lists over HTTP: what there is, how it goes, and the wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailer import events
from mailer.database import reading, writing
from mailer.delivery import ledger, mailing
from mailer.delivery.model import Settlement
from mailer.delivery.states import DeliveryState
from subscribers import audience, list_ids

if TYPE_CHECKING:
    from tests.web.api.conftest import Office


@pytest.fixture
def running(office: Office) -> str:
    """A mailing to three readers, of whom one has it."""
    from tests.delivery.conftest import edition

    ids = [office.add(f"p{number}@reader.example")["id"] for number in range(3)]
    now = office.clock()
    with writing(office.ground.database) as connection:
        opened = mailing.open_mailing(connection, edition(), "main", now)
        mailing.freeze(connection, opened.id, edition(), "3f2a1c4", now, committed=True)
        found = mailing.get(connection, opened.id)
        everyone = audience(list_ids(connection)["main"], now)
        ledger.plan(connection, everyone, mailing_id=found.id, edition_id=found.edition_id or 0, due_at=now)
        assert ledger.counts(connection, found.id).planned == len(ids)
        claims = ledger.claim(connection, found.id, 1, now, 1)
        ledger.fence(connection, 1, claims, now)
        ledger.settle(connection, 1, [Settlement(claims[0], DeliveryState.ACCEPTED, now, reply="250 ok")])
    return found.name


def test_a_mailing_is_shown(office: Office, running: str):
    """By its name, and in the list, with its state."""
    one = office.get(f"/mailings/{running}").json()
    assert (one["name"], one["state"], one["list"]) == (running, "running", "main")
    assert office.get("/mailings?state=running").json()["items"] == [one]
    assert office.get("/mailings?state=finished").json()["items"] == []


def test_the_sums_balance(office: Office, running: str):
    """The audit is that of `mailer audit`."""
    sums = office.get(f"/mailings/{running}/audit").json()
    assert (sums["planned"], sums["accepted"], sums["waiting"], sums["balanced"]) == (3, 1, 2, True)


def test_each_readers_row_comes_in_pages(office: Office, running: str):
    """A page goes on behind the last reader; one state may be asked for."""
    first = office.get(f"/mailings/{running}/recipients?limit=2").json()
    rest = office.get(f"/mailings/{running}/recipients?limit=2&cursor={first['next']}").json()
    emails = [row["email"] for row in (*first["items"], *rest["items"])]
    assert emails == [f"p{number}@reader.example" for number in range(3)]
    accepted = office.get(f"/mailings/{running}/recipients?state=accepted").json()["items"]
    assert [(row["email"], row["reply"]) for row in accepted] == [("p0@reader.example", "250 ok")]
    assert len(office.get(f"/mailings/{running}/recipients?state=waiting").json()["items"]) == 2


def test_a_mailing_is_paused_and_goes_on(office: Office, running: str):
    """Asked twice it is the same; the event names the token."""
    for _ in range(2):
        assert office.post(f"/mailings/{running}/pause", None).json()["state"] == "paused"
    for _ in range(2):
        assert office.post(f"/mailings/{running}/resume", None).json()["state"] == "running"
    with reading(office.ground.database) as connection:
        told = [(one.kind, one.actor) for one in events.about(connection, running)]
    assert told == [("mailing.paused", "api:all"), ("mailing.resumed", "api:all")]


def test_a_mailing_is_cancelled_by_its_name_alone(office: Office, running: str):
    """It cannot be taken up again, so the name must be repeated; then nothing moves it."""
    assert office.post(f"/mailings/{running}/cancel", {"confirm": "yes"}).json()["code"] == "not-confirmed"
    headers = {"Idempotency-Key": "end"}
    for _ in range(2):
        answer = office.post(f"/mailings/{running}/cancel", {"confirm": running}, headers=headers)
        assert answer.json()["state"] == "cancelled", answer.text
    assert answer.headers["idempotency-replayed"] == "true"
    assert office.get(f"/mailings/{running}/audit").json()["skipped"]["cancelled"] == 2
    for verb in ("pause", "resume"):
        refused = office.post(f"/mailings/{running}/{verb}", None)
        assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")


def test_what_was_resumed_under_a_key_is_answered_the_same(office: Office, running: str):
    """A program that asks again under its key hears what it heard, also when the mailing has ended meanwhile."""
    headers = {"Idempotency-Key": "on"}
    office.post(f"/mailings/{running}/pause", None)
    first = office.post(f"/mailings/{running}/resume", None, headers=headers)
    office.post(f"/mailings/{running}/cancel", {"confirm": running})
    again = office.post(f"/mailings/{running}/resume", None, headers=headers)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotency-replayed"] == "true"


def test_lists_are_shown_with_their_people(office: Office):
    """The settings' lists; one is counted when it is asked for."""
    office.add("ann@reader.example")
    assert [one["key"] for one in office.get("/lists").json()["items"]] == ["main", "weekly"]
    assert office.get("/lists/weekly").json()["name"] == "The Weekly"
    assert office.get("/lists/main").json()["counts"]["readers"] == 1


def test_what_is_suppressed_is_listed_by_hash_and_found_by_address(office: Office):
    """No address is kept, so none is listed."""
    office.post("/suppressions", {"email": "eve@reader.example", "list": "main", "why": "asked"})
    (one,) = office.get("/suppressions").json()["items"]
    assert (one["scope"], one["scope_key"], one["reason"]) == ("list", "main", "manual")
    assert office.post("/suppressions/find", {"email": "Eve@reader.example"}).json()["items"] == [one]
    assert "eve" not in office.get("/suppressions").text
    assert office.post("/suppressions", {"email": "eve@reader.example", "list": "none"}).status_code == 422
    assert office.post("/suppressions/find", {"email": "nonsense@"}).status_code == 422


def test_segments_are_shown_with_their_readers(office: Office):
    """As they are written; one is counted for a list, and one that is wrong says where."""
    office.add("ann@reader.example", tags=["beta"])
    office.add("bob@reader.example")
    assert office.get("/segments").json() == {"items": [], "next": None}
    toml = office.ground.settings.folder / "segments.toml"
    toml.write_text('beta = \'tag "beta"\'\nbad = "tag"\n')
    assert [one["name"] for one in office.get("/segments").json()["items"]] == ["beta", "bad"]
    found = office.get("/segments/beta?list=main").json()
    assert (found["readers"], found["list"]) == (1, "main")
    bad = office.get("/segments/bad?list=main")
    assert (bad.status_code, bad.json()["code"]) == (409, "bad-segment")
    assert office.get("/segments/none?list=main").json()["code"] == "unknown-segment"
    assert office.get("/segments/beta?list=none").json()["code"] == "unknown-list"
    assert office.get("/segments/beta").status_code == 422
