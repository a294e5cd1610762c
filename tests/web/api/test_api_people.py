"""/subscribers over HTTP: people are found, added, changed and forgotten, and nobody is revived unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mailer import events
from mailer.database import reading
from subscribers.profile import TOO_DEEP

if TYPE_CHECKING:
    from tests.web.api.conftest import Office

ANN = {"email": "ann@reader.example", "list": "main", "basis": "asked by telephone"}


def told(office: Office, subscriber: int) -> list[tuple[str, str]]:
    with reading(office.ground.database) as connection:
        return [(one.kind, one.actor) for one in events.about(connection, str(subscriber))]


def test_somebody_is_added_once(office: Office):
    """201 for somebody new, 200 for somebody known, who is brought up to date; an event tells of the first."""
    answer = office.post(
        "/subscribers", {**ANN, "name": "Ann", "tags": ["beta"], "attributes": {"city": "Ulm"}}
    )
    assert answer.status_code == 201, answer.text
    person = answer.json()
    assert (person["email"], person["name"], person["tags"]) == ("ann@reader.example", "Ann", ["beta"])
    assert person["subscriptions"][0]["state"] == "active"
    again = office.post("/subscribers", {**ANN, "language": "de"})
    assert (again.status_code, again.json()["language"], again.json()["id"]) == (200, "de", person["id"])
    assert office.get(f"/subscribers/{person['id']}").json() == again.json()
    assert told(office, person["id"]) == [("reader.added", "api:all")]


def test_who_left_is_not_revived_without_the_flag(office: Office):
    """Left, complained or dead: 409, unless `revive` says so, and then that is recorded."""
    ann = office.add("ann@reader.example")
    assert office.post(f"/subscribers/{ann['id']}/unsubscribe", {}).json()["lists"] == ["main"]
    refused = office.post("/subscribers", ANN)
    assert (refused.status_code, refused.json()["code"]) == (409, "will-not-revive")
    assert refused.headers["content-type"] == "application/problem+json"
    assert (
        office.post("/subscribers", {**ANN, "revive": True}).json()["subscriptions"][0]["state"] == "active"
    )


def test_a_block_by_hand_is_not_even_undone_by_revive(office: Office):
    """Only lifting ends it, with the flag of its own."""
    assert office.post("/suppressions", {"email": ANN["email"], "why": "asked to be"}).status_code == 201
    assert office.post("/subscribers", {**ANN, "revive": True}).status_code == 409
    lift = {"email": ANN["email"], "why": "asked again"}
    assert office.post("/suppressions/lift", lift).json() == {"lifted": 0}
    assert office.post("/suppressions/lift", {**lift, "manual": True}).json() == {"lifted": 1}
    assert office.post("/subscribers", ANN).status_code == 201


def _nested(levels: int) -> dict[str, Any]:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    attributes: dict[str, Any] = value
    return attributes


def test_attributes_nest_as_deep_as_an_import_lets_them(office: Office):
    """Twenty objects within each other are taken, one more is refused, and so are very many."""
    path = f"/subscribers/{office.add('ann@reader.example')['id']}"
    assert office.ask("PATCH", path, {"attributes": _nested(20)}).status_code == 200
    for levels in (21, 300):
        answer = office.ask("PATCH", path, {"attributes": _nested(levels)})
        assert (answer.status_code, answer.json()["detail"]) == (422, TOO_DEEP)
        answer = office.post("/subscribers", {**ANN, "attributes": _nested(levels)})
        assert (answer.status_code, answer.json()["detail"]) == (422, TOO_DEEP)
    very = office.ask("PATCH", path, {"attributes": _nested(900)})
    assert very.status_code in {400, 422}, "as deep as the JSON reader follows, or deeper"
    assert office.get(path).json()["attributes"] == _nested(20)


def test_leaving_twice_changes_nothing_the_second_time(office: Office):
    """Asked again the lists are none, and no second event tells of it."""
    ann = office.add("ann@reader.example")
    path = f"/subscribers/{ann['id']}/unsubscribe"
    assert office.post(path, {"list": "main"}).json() == {"id": ann["id"], "lists": ["main"]}
    assert office.post(path, {"list": "main"}).json() == {"id": ann["id"], "lists": []}
    assert [kind for kind, _ in told(office, ann["id"])] == ["reader.added", "reader.unsubscribed"]


def test_pause_and_resume(office: Office):
    """Until a time that lies ahead, or until they resume."""
    ann = office.add("ann@reader.example")
    until = (office.clock().replace(microsecond=0)).isoformat()
    assert office.post(f"/subscribers/{ann['id']}/pause", {"until": until}).status_code == 422
    assert (
        office.post(f"/subscribers/{ann['id']}/pause", {"until": "9999-12-31T23:59:59-12:00"}).status_code
        == 422
    )
    assert office.post(f"/subscribers/{ann['id']}/pause", {}).json()["lists"] == ["main"]
    assert office.get("/subscribers?state=paused").json()["items"][0]["id"] == ann["id"]
    assert office.post(f"/subscribers/{ann['id']}/resume", {}).json()["lists"] == ["main"]


def test_profile_and_tags_are_changed(office: Office):
    """What is left out stays."""
    ann = office.add("ann@reader.example", name="Ann")
    path = f"/subscribers/{ann['id']}"
    changed = office.ask("PATCH", path, {"language": "pt-br", "time_zone": "Europe/Berlin"}).json()
    assert (changed["name"], changed["language"], changed["time_zone"]) == ("Ann", "pt-BR", "Europe/Berlin")
    office.ask("PATCH", path, {"attributes": {"city": "Ulm", "plan": "x"}})
    gone = office.ask("PATCH", path, {"attributes": {"plan": None}}).json()
    assert gone["attributes"] == {"city": "Ulm"}
    assert office.ask("PATCH", path, {"time_zone": "Europe/Atlantis"}).status_code == 422
    assert office.ask("PATCH", path, {"time_zone": ""}).json()["time_zone"] is None
    assert office.post(f"{path}/tags", {"add": ["a", "b"]}).json()["tags"] == ["a", "b"]
    assert office.post(f"{path}/tags", {"remove": ["a"]}).json()["tags"] == ["b"]


def test_an_address_moves_and_is_found_in_a_body(office: Office):
    """No address stands in a URL; one that somebody else has is refused."""
    ann, bob = office.add("ann@reader.example"), office.add("bob@reader.example")
    moved = office.post(f"/subscribers/{ann['id']}/move", {"email": "anna@reader.example"})
    assert moved.json()["email"] == "anna@reader.example"
    taken = office.post(f"/subscribers/{bob['id']}/move", {"email": "anna@reader.example"})
    assert (taken.status_code, taken.json()["code"]) == (409, "address-taken")
    assert office.post("/subscribers/find", {"email": "ANNA@Reader.example"}).json()["id"] == ann["id"]
    assert office.post("/subscribers/find", {"email": "ann@reader.example"}).status_code == 404


def test_somebody_is_forgotten_everywhere(office: Office):
    """Erased, they are unknown; what was answered before, under a key, is forgotten with them."""
    ann = office.post("/subscribers", ANN, headers={"Idempotency-Key": "k1"}).json()
    assert office.ask("DELETE", f"/subscribers/{ann['id']}").json() == {"id": ann["id"], "erased": True}
    assert office.get(f"/subscribers/{ann['id']}").status_code == 404
    assert office.ask("DELETE", f"/subscribers/{ann['id']}").status_code == 404
    again = office.post("/subscribers", ANN, headers={"Idempotency-Key": "k1"})
    assert (again.status_code, again.json()["code"]) == (409, "will-not-revive")


def test_people_come_in_pages(office: Office):
    """A cursor goes on behind the last one, whoever came or left in between; nobody comes twice."""
    ids = [office.add(f"p{number}@reader.example")["id"] for number in range(7)]
    seen, path = [], "/subscribers?limit=3"
    while True:
        page = office.get(path).json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        office.ask("DELETE", f"/subscribers/{seen[0]}") if len(seen) == 3 else None
        path = f"/subscribers?limit=3&cursor={page['next']}"
    assert seen == ids
    assert office.get("/subscribers?tag=none").json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    "cursor", ["x", "AAAA", "bWFpbGluZzox", "c3Vic2NyaWJlcjo5OTk5OTk5OTk5OTk5", "c3Vic2NyaWJlcjotMQ"]
)
def test_a_cursor_of_something_else_is_refused(office: Office, cursor: str):
    """Invented ones, those of another list, and numbers that are no ids."""
    answer = office.get(f"/subscribers?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-cursor")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"email": "no address"}, 422),
        ({"email": "a@b@c"}, 422),
        ({"email": "a@\x00"}, 422),
        ({"list": "none"}, 404),
        ({"list": "a\x00b"}, 422),
        ({"basis": ""}, 422),
        ({"more": 1}, 422),
        ({"tags": ["\x00"]}, 422),
        ({"attributes": {"a": "x" * 20_000}}, 422),
        ({"name": "x\r\ny"}, 422),
        ({"revive": "perhaps"}, 422),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(office: Office, change: dict[str, Any], status: int):
    """Every refusal is problem+json, and none repeats what was sent."""
    answer = office.post("/subscribers", {**ANN, **change})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert "no address" not in answer.text
