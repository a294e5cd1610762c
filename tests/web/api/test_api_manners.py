"""The interface's manners: tokens, scopes, errors, idempotency keys, allowances."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from mailer import tokens
from mailer.database import reading, writing
from mailer.hooks.running import upkeep
from mailer.tokens import Scope
from mailer.web.api.callers import Allowances
from mailer.web.problems import ProblemError
from subscribers import people

if TYPE_CHECKING:
    from tests.web.api.conftest import Office

ANN = {"email": "ann@reader.example", "list": "main", "basis": "test"}


def test_without_a_token_nothing_is_told(office: Office):
    """401 with a challenge: missing, unknown, revoked and expired alike."""
    missing = office.web.get("/api/v1/subscribers")
    assert (missing.status_code, missing.json()["code"]) == (401, "no-token")
    assert missing.headers["www-authenticate"] == "Bearer"
    short = office.new_token("short", *Scope, expires_at=office.clock() + timedelta(minutes=1))
    gone = office.new_token("gone", *Scope)
    with writing(office.ground.database) as connection:
        tokens.revoke(connection, "gone", office.clock())
    office.clock.pass_by(minutes=2)
    answers = [office.get("/subscribers", token=text) for text in ("mlr_" + "A" * 43, "x", short, gone)]
    assert {(one.status_code, one.text) for one in answers} == {(401, answers[0].text)}
    basic = office.web.get("/api/v1/subscribers", headers={"Authorization": "Basic YTpi"})
    assert basic.status_code == 401


def test_a_token_may_do_what_its_scopes_say_and_nothing_else(office: Office):
    """Reading is not writing, one noun is not another, and writing is not erasing."""
    ann = office.add("ann@reader.example")
    paths: dict[Scope, tuple[str, str, Any]] = {
        Scope.SUBSCRIBERS_READ: ("GET", "/subscribers", None),
        Scope.SUBSCRIBERS_WRITE: ("POST", f"/subscribers/{ann['id']}/tags", {}),
        Scope.LISTS_READ: ("GET", "/lists", None),
        Scope.MAILINGS_READ: ("GET", "/mailings", None),
        Scope.MAILINGS_WRITE: ("POST", "/mailings/72.main/pause", None),
        Scope.AUDIT_READ: ("GET", "/mailings/72.main/audit", None),
        Scope.SUPPRESSIONS_READ: ("GET", "/suppressions", None),
        Scope.SUPPRESSIONS_WRITE: ("POST", "/suppressions/lift", {"email": "a@b.example", "why": "x"}),
        Scope.SUBSCRIBERS_ERASE: ("DELETE", f"/subscribers/{ann['id']}", None),
    }
    assert set(paths) == set(Scope)
    for scope, (method, path, body) in paths.items():
        lacking = office.new_token(f"all-but-{scope}".replace(":", "-"), *(set(Scope) - {scope}))
        answer = office.ask(method, path, body, token=lacking)
        assert (answer.status_code, answer.json()["code"]) == (403, "missing-scope")
        assert f'scope="{scope}"' in answer.headers["www-authenticate"]
    for scope, (method, path, body) in paths.items():
        only = office.new_token(f"only-{scope}".replace(":", "-"), scope)
        assert office.ask(method, path, body, token=only).status_code in {200, 404}


def test_the_last_use_of_a_token_is_known(office: Office):
    """An operator sees which tokens are still used."""
    office.get("/lists")
    with reading(office.ground.database) as connection:
        (token,) = tokens.every(connection)
    assert token.used_at == office.clock()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "unknown-path"),
        ("GET", "/subscribers/", 404, "unknown-path"),
        ("PUT", "/subscribers", 405, "method"),
        ("GET", "/subscribers/999", 404, "unknown-subscriber"),
        ("GET", "/subscribers/99999999999", 422, None),
        ("GET", "/lists/none", 404, "unknown-list"),
        ("GET", "/mailings/none", 404, "unknown-mailing"),
        ("GET", "/subscribers?limit=0", 422, None),
        ("GET", "/subscribers?stat=paused", 422, "unknown-parameter"),
        ("GET", "/mailings/72.main?state=paused", 422, "unknown-parameter"),
        ("GET", "/subscribers?limit=%205", 422, None),
        ("GET", "/subscribers/%0d5", 422, None),
        ("GET", "/subscribers/+5", 422, None),
        ("GET", "/suppressions?lifted=yes", 422, None),
        ("GET", "/subscribers?list=none", 404, "unknown-list"),
    ],
)
def test_every_error_is_a_problem(office: Office, method: str, path: str, status: int, code: str | None):
    """RFC 9457: type, title, status, and a word for programs."""
    answer = office.ask(method, path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["type"], told["status"], told.get("code")) == ("about:blank", status, code)
    assert told["title"]


def test_a_method_that_is_not_there_names_those_that_are(office: Office):
    """405 with Allow (RFC 9110, section 15.5.6)."""
    assert "GET" in office.ask("PUT", "/subscribers").headers["allow"]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"email=a%40b.example", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"{", "application/json", 422),
        (b"\xff\xfe", "application/json", 422),
        (b"[" * 50_000, "application/json", 400),
        (b"null", "application/json", 422),
        (b"x" * 1_100_000, "application/json", 413),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(office: Office, content: bytes, kind: str, status: int):
    """What is no JSON, does not say that it is, or is too large."""
    headers = {"Content-Type": kind} if kind else {}
    answer = office.ask("POST", "/subscribers", headers=headers, content=content)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), (
        answer.text
    )


def test_what_falls_over_is_told_as_our_fault_and_nothing_else(office: Office, monkeypatch):
    """500 without a word of what fell over."""

    def fall(*_: object, **__: object) -> None:
        raise RuntimeError("the secret is 1234")

    monkeypatch.setattr("mailer.web.api.mailings.audience_counts", fall)
    answer = office.get("/lists/main")
    assert (answer.status_code, answer.json()["code"]) == (500, "bug")
    assert "1234" not in answer.text


def test_a_key_makes_a_request_act_once(office: Office):
    """Sent again under its key, a request is answered as it was, with a mark; nothing happens twice."""
    headers = {"Idempotency-Key": "order-1"}
    first = office.post("/subscribers", ANN, headers=headers)
    again = office.post("/subscribers", ANN, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"


def test_a_key_belongs_to_one_request_and_one_token(office: Office):
    """Another body under the same key is refused; another token may use the same key."""
    headers = {"Idempotency-Key": "order-1"}
    office.post("/subscribers", ANN, headers=headers)
    other = office.post("/subscribers", {**ANN, "name": "Ann"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")
    assert office.post("/suppressions", {"email": ANN["email"]}, headers=headers).status_code == 422
    second = office.new_token("second", *Scope)
    assert office.post("/subscribers", ANN, headers=headers, token=second).status_code == 200


def test_what_failed_may_be_tried_again_under_its_key(office: Office):
    """A refusal changes nothing, so it is not remembered."""
    headers = {"Idempotency-Key": "order-1"}
    office.post("/suppressions", {"email": ANN["email"]})
    assert office.post("/subscribers", ANN, headers=headers).status_code == 409
    office.post("/suppressions/lift", {"email": ANN["email"], "why": "x", "manual": True})
    assert office.post("/subscribers", ANN, headers=headers).status_code == 201


def test_a_key_is_forgotten_after_a_day(office: Office):
    """The table does not grow, and a key may be used anew."""
    headers = {"Idempotency-Key": "order-1"}
    office.post("/subscribers", ANN, headers=headers)
    office.clock.pass_by(hours=24, seconds=1)
    assert office.post("/subscribers", ANN, headers=headers).status_code == 200
    office.clock.pass_by(hours=24, seconds=1)
    assert upkeep(office.ground) == 1
    with reading(office.ground.database) as connection:
        assert connection.execute(select(tokens.answers)).all() == []


@pytest.mark.parametrize("key", ["", "x" * 201, "ä".encode().decode("latin-1")])
def test_a_key_is_bounded(office: Office, key: str):
    """Printable ASCII, at most 200 characters."""
    raw = [(b"idempotency-key", key.encode("latin-1")), (b"authorization", f"Bearer {office.token}".encode())]
    answer = office.web.post("/api/v1/subscribers", headers=raw, json=ANN)
    assert answer.status_code == 422


def test_two_at_the_same_moment_act_once(office: Office):
    """Twelve requests under one key at once: one acts, the others get its answer."""
    headers = {"Idempotency-Key": "race"}
    got: list[tuple[int, str, bool]] = []

    def post() -> None:
        answer = office.post("/subscribers", {**ANN, "tags": ["x"]}, headers=headers)
        got.append((answer.status_code, answer.text, "idempotency-replayed" in answer.headers))

    threads = [threading.Thread(target=post) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [status for status, _, _ in got] == [201] * 12
    assert len({text for _, text, _ in got}) == 1
    assert sum(replayed for _, _, replayed in got) == 11
    with reading(office.ground.database) as connection:
        assert len(people(connection)) == 1


def test_a_token_has_an_allowance(office: Office):
    """So many a minute, then 429 with the time to wait; it fills again, and one token's does not touch another's."""
    now = [0.0]
    allowances = Allowances(lambda: now[0])
    for _ in range(60):
        allowances.spend(1, 60)
    with pytest.raises(ProblemError) as error:
        allowances.spend(1, 60)
    assert (error.value.status, error.value.headers["Retry-After"]) == (429, "1")
    allowances.spend(2, 60)
    now[0] += 1.01
    allowances.spend(1, 60)


def test_the_allowance_is_in_force(office: Office):
    """The setting's number is what a token gets."""
    app = next(route.app for route in office.web.app.routes if route.path == "/api/v1")
    app.state.allowances = Allowances(lambda: 0.0)
    object.__setattr__(office.ground.settings.api, "per_minute", 3)
    statuses = [office.get("/lists").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


def test_the_document_is_openapi_3_1_and_tells_of_every_route(office: Office):
    """Every operation names the scope's scheme, its problems and its answers."""
    document = office.web.get("/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": "/api/v1"}]
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert len(operations) >= 20
    for operation in operations:
        assert operation["security"] == [{"token": []}]
        for status, answer in operation["responses"].items():
            kind = "application/json" if int(status) < 300 else "application/problem+json"
            assert list(answer["content"]) == [kind], (status, json.dumps(answer))
