from __future__ import annotations

import asyncio
import base64
import json
import re
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from mailer.database import reading
from mailer.web.forms import embedded
from mailer.web.tables import requests
from subscribers import consents_of
from tests.web.conftest import link_in, visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.web.conftest import House

JSON = {"email": "ada@example.org", "lists": ["main"]}


def test_the_evidence_holds_the_words_that_were_shown(house: House):
    """What somebody agreed to stands in their evidence, word for word, and from which network, not which address."""

    async def story() -> None:
        async with visit(house) as browser:
            page = (await browser.get("/subscribe/wochenblatt")).text
            shown = re.search(r'<p class="muted">(Ich möchte .*?)</p>', page)
            form = re.search(r'name="form" value="([^"]+)"', page)
            assert shown is not None
            assert form is not None
            await browser.post(
                "/subscribe", {"email": "ada@example.org", "list": "wochenblatt", "form": form[1]}
            )
            await browser.worked_off()
            await browser.post(link_in(house.letters()[0], "confirm"))
            with reading(house.ground.database) as connection:
                (line,) = [each for each in consents_of(connection, 1) if each.kind == "confirmed"]
            assert form[1] in json.dumps(dict(line.evidence or {}))
            assert line.network == "203.0.113.0/24"
        texts = [row[0] for row in house.rows(select(_forms().c.text))]
        assert unescape(shown[1]) in texts

    asyncio.run(story())


def _forms() -> object:
    from subscribers import metadata

    return metadata.tables["forms"]


def test_a_form_on_another_site_signs_up(house: House):
    """The form that `mailer lists form` prints posts what the page takes, and says so of itself."""
    one = house.ground.settings.lists["wochenblatt"]
    html = "\n".join(embedded(one))
    assert "Wochenblatt abonnieren" in html
    given = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html))

    async def story() -> None:
        async with visit(house) as browser:
            said = await browser.post("/subscribe", {**given, "website": "", "email": "ada@example.org"})
            assert said.status_code == 200
            await browser.worked_off()

    asyncio.run(story())
    assert len(house.letters()) == 1
    assert given["form"] == "embedded-1.de.one"


@pytest.mark.parametrize(
    ("email", "marked"),
    [("", "main"), ("nobody", "main"), ("a@b@c", "main"), ("ada@example.org", None)],
)
def test_what_is_wrong_is_told_at_the_field(house: House, email: str, marked: str | None):
    """A mistyped address comes back to be mended, with the words for a screen reader, and nothing is asked for."""

    async def story() -> None:
        async with visit(house) as browser:
            data = {"email": email, **({"list": marked} if marked else {})}
            said = await browser.post("/subscribe", data)
            assert said.status_code == 422
            assert 'role="alert"' in said.text

    asyncio.run(story())
    assert house.rows(select(requests)) == []


def test_machines_fall_into_the_trap(house: House):
    """A form whose hidden field is filled in is thanked and dropped."""

    async def story() -> None:
        async with visit(house) as browser:
            data = {"email": "ada@example.org", "list": "main", "website": "https://spam.example"}
            assert (await browser.post("/subscribe", data)).status_code == 200
            await browser.worked_off()

    asyncio.run(story())
    assert house.letters() == []


def test_the_answer_is_the_same_for_everybody(house: House):
    """New, pending, active, left and suppressed: the same status, the same page, the same headers."""
    from mailer.database import writing
    from subscribers import block, unsubscribe
    from tests.web.conftest import KEYS

    house.reader("active@example.org")
    gone = house.reader("left@example.org")
    with writing(house.ground.database) as connection:
        unsubscribe(connection, gone.id, "main", house.clock(), "test")
        block(
            connection, "blocked@example.org", now=house.clock(), hash_key=KEYS.suppression, evidence="test"
        )

    async def story() -> None:
        async with visit(house) as browser:
            answers = set()
            for name in ("new", "active", "left", "blocked", "new"):
                email = f"{name}@example.org"
                for path, data in (
                    ("/subscribe", {"email": email, "list": "main"}),
                    ("/manage", {"email": email}),
                ):
                    said = await browser.post(path, data)
                    plain = re.sub(r'nonce="[^"]*"', "", said.text)
                    headers = {k: re.sub("nonce-[^']*", "", v) for k, v in said.headers.items()}
                    answers.add((path, said.status_code, plain, str(sorted(headers.items()))))
            assert len(answers) == 2
            await browser.worked_off()

    asyncio.run(story())


def test_sign_up_as_json(make_house: Callable[..., House]):
    """POST /api/v1/subscribe: 202 for every address, problem+json for what is wrong, CORS for named sites alone."""
    house = make_house('\n[web]\norigins = ["https://www.example.org"]\n')

    async def story() -> None:
        async with visit(house) as browser:
            path = "/api/v1/subscribe"
            said = await browser.client.post(path, json=JSON, headers={"Origin": "https://www.example.org"})
            assert (said.status_code, said.headers["access-control-allow-origin"]) == (
                202,
                "https://www.example.org",
            )
            again = await browser.client.post(path, json=JSON, headers={"Origin": "https://evil.example"})
            assert again.json() == said.json()
            assert "access-control-allow-origin" not in again.headers
            asked = await browser.client.options(path, headers={"Origin": "https://www.example.org"})
            assert asked.headers["access-control-allow-methods"] == "POST"
            for wrong in (
                {**JSON, "email": "nobody"},
                {**JSON, "lists": ["none"]},
                {**JSON, "lists": []},
                {**JSON, "more": 1},
                {"lists": ["main"]},
            ):
                refused = await browser.client.post(path, json=wrong)
                assert refused.status_code == 422, wrong
                assert "access-control-allow-origin" not in refused.headers
                assert refused.headers["content-type"] == "application/problem+json"
                assert "nobody" not in refused.text
            await browser.worked_off()

    asyncio.run(story())
    assert len(house.letters()) == 1


def test_proof_of_work(make_house: Callable[..., House]):
    """Where it is asked for, a solved sum counts once; without one a network has a tenth of its budget."""
    from altcha import solve_challenge_v1

    house = make_house("\n[web]\nproof_of_work = true\nnetwork_per_hour = 20\n")
    house.clock.now = datetime.now(UTC)  # the library looks at the real clock

    async def story() -> None:
        import base64

        async with visit(house) as browser:
            page = await browser.get("/subscribe/main")
            assert "proof.js" in page.text
            assert "script-src 'self'" in page.headers["content-security-policy"]
            assert (await browser.get("/proof.js")).status_code == 200
            asked = (await browser.get("/proof")).json()
            solved = solve_challenge_v1(
                asked["challenge"], asked["salt"], asked["algorithm"], asked["maxNumber"]
            )
            assert solved is not None
            told = {each: asked[each] for each in ("algorithm", "challenge", "salt", "signature")}
            payload = base64.b64encode(json.dumps({**told, "number": solved.number}).encode()).decode()
            from mailer.web.proof import proven

            assert await proven(house.site, payload)
            assert not await proven(house.site, payload)
            for wrong in ("", "e30=", "MTA=", "!!!!", base64.b64encode(b"[" * 2000).decode()):
                assert not await proven(house.site, wrong)
            codes = [
                (
                    await browser.post("/subscribe", {"email": f"x{each}@example.org", "list": "main"})
                ).status_code
                for each in range(3)
            ]
            assert codes == [200, 200, 429]

    asyncio.run(story())


def test_a_named_site_may_read_why_it_is_refused(
    make_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
):
    """Every answer to a sign-up tells the browser so once, also that there are too many, or that we fell over."""
    house = make_house('\n[web]\norigins = ["https://www.example.org"]\nnetwork_per_hour = 1\n')
    path, from_there = "/api/v1/subscribe", {"Origin": "https://www.example.org"}

    async def story() -> None:
        async with visit(house) as browser:
            answers = [
                await browser.client.post(path, json=body, headers=from_there)
                for body in (JSON, JSON, {**JSON, "email": "nobody"}, {"lists": 3})
            ]
            answers.append(await browser.client.post(path, content=b"x", headers=from_there))
            monkeypatch.setattr("mailer.web.signing.is_address", None)
            answers.append(await browser.client.post(path, json=JSON, headers=from_there))
            assert [one.status_code for one in answers] == [202, 429, 422, 422, 415, 500]
            for one in answers:
                assert one.headers.get_list("access-control-allow-origin") == ["https://www.example.org"]
                assert one.headers.get_list("cross-origin-resource-policy") == ["cross-origin"]
                assert one.headers["vary"] == "Origin"
            monkeypatch.undo()
            elsewhere = await browser.client.get("/api/v1/lists", headers=from_there)
            assert "access-control-allow-origin" not in elsewhere.headers

    asyncio.run(story())


@pytest.mark.parametrize("word", ["algorithm", "challenge", "salt", "signature"])
def test_a_proof_that_is_no_text_is_none(make_house: Callable[..., House], word: str):
    """Half a character in a solution is a wrong solution, and no error of ours."""
    from mailer.web.proof import proven

    house = make_house("\n[web]\nproof_of_work = true\n")
    made = {
        "algorithm": "SHA-256",
        "challenge": "a",
        "salt": "a",
        "signature": "b",
        "number": 1,
        word: "\ud800",
    }
    payload = base64.b64encode(json.dumps(made).encode()).decode()

    async def story() -> None:
        async with visit(house) as browser:
            assert not await proven(house.site, payload)
            said = await browser.post("/subscribe/main", {"email": "ada@example.org", "altcha": payload})
            assert said.status_code == 200

    asyncio.run(story())
