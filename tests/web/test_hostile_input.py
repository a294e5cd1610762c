from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from mailer.keys import Purpose
from mailer.web import guards
from mailer.web.guards import Guards
from mailer.web.tables import requests
from tests.web.conftest import visit

if TYPE_CHECKING:
    from tests.web.conftest import House

EVIL = (
    "ada@example.org\r\nBcc: all@example.org",
    "ada@example.org\0",
    "'; DROP TABLE subscribers; --@example.org",
    "{{ 7*7 }}@example.org",
    "${7*7}{% for x in y %}",
    "<script>alert(1)</script>@example.org",
    '"><img src=x onerror=alert(1)>',
    "\u202eada@example.org",
    "\ud800",
    "ada@" + "x" * 5000 + ".org",
    "%00%0d%0a",
    "../../../../etc/passwd",
    "ada@example.org" * 500,
)
PAGES = (
    "/",
    "/subscribe",
    "/subscribe/main",
    "/manage",
    "/issues/",
    "/issues/feed.atom",
    "/healthz",
    "/robots.txt",
)


def post_paths(house: House, reader: int) -> list[str]:
    """Give every page that takes a form, with tokens that are good."""
    leave, settings_ = (
        f"/{path}/{house.token(purpose, reader)}"
        for path, purpose in (("unsubscribe", Purpose.UNSUBSCRIBE), ("preferences", Purpose.PREFERENCES))
    )
    return [
        "/subscribe",
        "/manage",
        *(f"{leave}/{each}" for each in ("back", "pause", "others", "reason")),
        settings_,
        *(f"{settings_}/{each}" for each in ("pause", "resume", "address", "data", "erase")),
    ]


@pytest.mark.parametrize("kind", ["urlencoded", "multipart", "json"])
def test_evil_words_break_nothing(house: House, kind: str):
    """CRLF, NUL, SQL, template syntax, markup, lone surrogates: no 5xx, nothing runs, nothing reaches a mail."""
    reader = house.reader("reader@example.org", "main", "extra").id

    async def story() -> None:
        async with visit(house, "198.51.100.1") as browser:
            for path in post_paths(house, reader):
                for evil in EVIL:
                    fields = ("email", "name", "list", "language", "reason", "months", "form", "altcha")
                    given_ = {each: evil.encode("utf-8", "surrogatepass") for each in fields} | {"save": b"1"}
                    sent: dict[str, Any] = {"data": given_}
                    if kind == "multipart":
                        sent = {"files": {name: (None, value) for name, value in given_.items()}}
                    if kind == "json":
                        sent = {
                            "json": {
                                "email": evil.replace("\ud800", "?"),
                                "lists": ["main", evil[:20].replace("\ud800", "?")],
                            }
                        }
                    target = "/api/v1/subscribe" if kind == "json" else path
                    said = await browser.client.post(target, **sent)
                    assert said.status_code < 500, (path, evil)
                    assert "<script>alert" not in said.text
                    assert "<img src=x" not in said.text
                    assert "49@" not in said.text
                    assert all("\r" not in value and "\n" not in value for value in said.headers.values())
            await browser.worked_off()

    asyncio.run(story())
    for letter in house.letters():
        assert "Bcc" not in letter
        assert "@example.org" in str(letter["To"])
    person = house.person(reader)
    assert person.email == "reader@example.org"


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\xfd",
        b"email=%ff%fe&list=%c3%28",
        b"&" * 60_000,
        b"a=" + b"b" * 60_000,
        b"=&=&=" * 1000,
        b"{" * 60_000,
    ],
    ids=["bytes", "utf-8", "ands", "long", "nameless", "braces"],
)
@pytest.mark.parametrize(
    "media",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/json",
        "text/x",
    ],
)
def test_bodies_that_are_no_forms(house: House, body: bytes, media: str):
    """Any octets as any kind of body: an answer below 500, and nothing is asked for."""

    async def story() -> None:
        async with visit(house) as browser:
            for path in ("/subscribe", "/manage", "/api/v1/subscribe"):
                said = await browser.client.post(path, content=body, headers={"Content-Type": media})
                assert 400 <= said.status_code < 500, (path, said.status_code)

    asyncio.run(story())
    assert house.rows(select(requests)) == []


def test_deep_json_is_refused(house: House):
    """Brackets within brackets are no reason to fall over."""

    async def story() -> None:
        async with visit(house) as browser:
            for body in (b'{"email":' + b"[" * 30_000, b"[" * 60_000 + b"]" * 3):
                said = await browser.client.post(
                    "/api/v1/subscribe", content=body, headers={"Content-Type": "application/json"}
                )
                assert 400 <= said.status_code < 500

    asyncio.run(story())


@pytest.mark.parametrize("announced", [True, False])
def test_ten_megabytes_are_refused(house: House, announced: bool):
    """A large body is not read to its end, whether its length is announced or not."""
    sent = 0

    async def chunks() -> Any:
        nonlocal sent
        for _ in range(160):
            sent += 65_536
            yield b"x" * 65_536

    async def story() -> None:
        async with visit(house) as browser:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            if announced:
                headers["Content-Length"] = str(160 * 65_536)
            said = await browser.client.post("/subscribe", content=chunks(), headers=headers)
            assert said.status_code == 413
            assert said.headers["connection"] == "close"

    asyncio.run(story())
    assert sent <= 3 * 65_536


def test_a_slow_body_is_not_waited_for(house: House, monkeypatch: pytest.MonkeyPatch):
    """A body has its time; then 408, and no page has begun to act on it."""
    monkeypatch.setattr(guards, "SECONDS", 0.05)
    answers: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"e", "more_body": True}

    async def send(message: Any) -> None:
        answers.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/subscribe", "headers": [], "client": ("192.0.2.1", 1),
        "query_string": b"", "app": house.app,
    }  # fmt: skip
    asyncio.run(Guards(house.app)(scope, receive, send))
    assert answers[0]["status"] == 408


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60), st.dictionaries(st.text(max_size=20), st.text(max_size=200), max_size=5))
def test_any_text_as_query_and_form(house: House, text: str, form: dict[str, str]):
    """Whatever stands in a query, a path or a form, the pages answer and do not fall over."""
    from urllib.parse import quote

    clean = {
        name.encode("utf-8", "replace"): value.encode("utf-8", "replace") for name, value in form.items()
    }
    asked = quote(text.encode("utf-8", "replace"), safe="")

    async def story() -> None:
        async with visit(house) as browser:
            for path in (
                f"/subscribe?list={asked}",
                f"/issues/?before={asked}&list={asked}",
                f"/issues/{asked}",
            ):
                assert (await browser.get(path)).status_code < 500
            for path in (f"/unsubscribe/{asked}", f"/confirm/{asked}", "/subscribe", f"/schedule/{asked}"):
                said = await browser.client.post(path, data=clean)
                assert said.status_code < 500

    asyncio.run(story())


def test_every_answer_is_strict(house: House):
    """A policy that runs nothing, no cookie, no referrer, no sniffing; what may hold a token is stored nowhere."""
    reader = house.reader().id

    async def story() -> None:
        async with visit(house) as browser:
            own = [f"/unsubscribe/{house.token(Purpose.UNSUBSCRIBE, reader)}", "/unsubscribe/x", "/nothing"]
            for path in (*PAGES, *own):
                said = await browser.get(path)
                policy = said.headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "script-src" not in policy
                assert "set-cookie" not in said.headers
                assert said.headers["referrer-policy"] == "no-referrer"
                assert said.headers["x-content-type-options"] == "nosniff"
                assert "<script" not in said.text
            assert (await browser.get(own[0])).headers["cache-control"] == "no-store"

    asyncio.run(story())


def test_no_address_and_no_token_is_logged(house: House, caplog: pytest.LogCaptureFixture):
    """A line a request, with the route's name; what falls over is told by its place, not by its words."""
    reader = house.reader().id
    token = house.token(Purpose.UNSUBSCRIBE, reader)

    async def story() -> None:
        async with visit(house) as browser:
            await browser.get(f"/unsubscribe/{token}")
            await browser.post("/subscribe", {"email": "ada@example.org", "list": "main"})

            address = "ADA@EXAMPLE.ORG".lower()  # the line of code, which is logged, must not hold it

            async def broken(*_: Any, **__: Any) -> None:
                raise RuntimeError(address)

            house.site.intake.take = broken
            said = await browser.post("/manage", {"email": "ada@example.org"})
            assert said.status_code == 500
            assert "ada" not in said.text

    with caplog.at_level(logging.INFO):
        asyncio.run(story())
    ours = "\n".join(each.getMessage() for each in caplog.records if each.name.startswith("mailer"))
    assert "GET /unsubscribe/{token} 200" in ours
    assert "RuntimeError" in ours
    assert token not in ours
    assert "ada@" not in ours
