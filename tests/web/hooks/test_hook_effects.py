"""A provider's report, all the way: what proves itself changes the reader, what does not changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI

from mailer import events
from mailer.database import reading, writing
from mailer.delivery import ledger, mailing
from mailer.delivery.model import Settlement
from mailer.delivery.states import DeliveryState, MailingState
from mailer.feedback.model import Evidence
from mailer.keys import Purpose
from mailer.web.hooks import router
from mailer.web.hooks.reception import Reception
from subscribers import add, audience, ensure_lists, get
from tests.delivery.conftest import edition
from tests.web.hooks import senders
from tests.web.hooks.standing import KEYS, Web

if TYPE_CHECKING:
    from tests.web.hooks.conftest import Office


@pytest.fixture
def mailed(office: Office) -> tuple[Web, int, int]:
    """A reader who was mailed, and an office with the real policy behind it."""
    ground, now = office.ground, office.clock()
    with writing(ground.database) as connection:
        ann = add(
            connection, email=senders.READER, list_key="main", now=now, hash_key=KEYS.suppression, basis="t"
        )
        opened = mailing.open_mailing(connection, edition(), "main", now)
        mailing.freeze(connection, opened.id, edition(), None, now, committed=True)
        found = mailing.get(connection, opened.id)
        readers = audience(ensure_lists(connection, ["main"], now)["main"], now)
        ledger.plan(connection, readers, mailing_id=found.id, edition_id=found.edition_id or 0, due_at=now)
        claims = ledger.claim(connection, found.id, 1, now, 10)
        ledger.fence(connection, 1, claims, now)
        ledger.settle(
            connection,
            1,
            [Settlement(claims[0], DeliveryState.ACCEPTED, now, reply="250 ok", relay_id="4Fq1")],
        )
    app = FastAPI()
    app.include_router(router)
    app.state.ground = ground
    app.state.reception = Reception(ground, office.fetch)
    return Web(app), ann.id, found.id


def post(web: Web, office: Office, event: Any, key: str = "m1") -> Any:
    sent = senders.generic(event, office.clock(), key=key)
    answer = web.post("/hooks/relay", content=sent.body, headers=sent.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def state(office: Office, subscriber: int) -> tuple[str, list[str]]:
    with reading(office.ground.database) as connection:
        told = [one.kind for one in events.about(connection, str(subscriber))]
        return str(get(connection, subscriber).address_state), told


def test_a_complaint_that_proves_itself_stops_the_mail(office: Office, mailed: tuple[Web, int, int]):
    """With the token of our own return path: the reader leaves, and an event tells of it, once (C08)."""
    web, ann, number = mailed
    token = KEYS.mail_token(Purpose.RETURN_PATH, ann, number)
    event = senders.generic_event("complaint", sender=f"bounces+{token}@slackwater.example", message_id="")
    post(web, office, event)
    post(web, office, event, key="m2")
    assert state(office, ann) == ("complained", ["reader.complained"])


def test_a_relays_id_and_the_address_it_went_to_prove_a_report(office: Office, mailed: tuple[Web, int, int]):
    """A provider that returns nothing of ours but what it called the message."""
    web, ann, _ = mailed
    post(web, office, senders.generic_event("complaint", sender="", message_id="", relay_id="4Fq1"))
    assert state(office, ann)[0] == "complained"


def test_a_report_that_proves_nothing_changes_nothing(office: Office, mailed: tuple[Web, int, int]):
    """Signed as it may be: who merely names an address cannot silence its reader (D19)."""
    web, ann, _ = mailed
    event = senders.generic_event(
        "complaint", sender="", message_id="<other@elsewhere.example>", relay_id="x"
    )
    assert post(web, office, event)["unknown"] == 0
    assert state(office, ann) == ("reachable", [])


def test_evidence_is_bounded():
    """What a provider says at length is cut before it is kept."""
    from mailer.web.hooks.reading import evidence

    found = evidence("ses", token="t" * 9999, relay_id="r" * 9999, message_id="m" * 9999)
    assert max(len(one) for one in (found.token, found.relay_id, found.message_id)) <= 400
    assert replace(found, token="") != Evidence()


def test_a_providers_complaints_pause_the_mailing(office: Office, mailed: tuple[Web, int, int]):
    """What hooks hear trips the wire of a mailing that runs, as what mailboxes hear does."""
    web, _, number = mailed
    wire = replace(office.ground.settings.tripwire, after=1)
    object.__setattr__(office.ground.settings, "tripwire", wire)
    post(web, office, senders.generic_event("complaint", sender="", message_id="", relay_id="4Fq1"))
    with reading(office.ground.database) as connection:
        found = mailing.get(connection, number)
    assert found.state is MailingState.PAUSED
    assert found.reason.startswith("tripwire: 1 of 1 complained")
