"""Half a character, as JSON lets one say it: no text, and no reason to fall over or to lose what stands beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from mailer.database import reading
from mailer.hooks.tables import reports
from tests.web.hooks import senders
from tests.web.hooks.senders import Sent

if TYPE_CHECKING:
    from tests.web.hooks.conftest import Office

HALF = "\ud83d"


@pytest.mark.parametrize(
    "odd",
    [
        senders.sendgrid_event(reason=f"550 {HALF}", response=f"550 5.1.1 {HALF}"),
        senders.sendgrid_event(sg_event_id=HALF),
        senders.sendgrid_event(email=f"{HALF}@x.example"),
        senders.sendgrid_event(event="brand-new", note=HALF),
    ],
    ids=["reason", "id", "address", "unknown"],
)
def test_an_odd_event_does_not_lose_its_batch(office: Office, odd: dict[str, Any]):
    """What stands beside it is taken."""
    good = senders.sendgrid_event(email="bob@reader.example", sg_event_id="another")
    assert office.post("sendgrid", senders.sendgrid([odd, good], office.clock())).status_code == 200
    assert office.notices[-1].recipient == "bob@reader.example"
    assert all(HALF not in f"{one.recipient}{one.reply}{one.key}" for one in office.notices)


def test_what_nobody_understands_is_kept_with_a_mark_for_it(office: Office):
    """As a ? in its place."""
    event = senders.sendgrid_event(event="brand-new", note=f"a{HALF}b")
    office.post("sendgrid", senders.sendgrid([event], office.clock()))
    with reading(office.ground.database) as connection:
        assert '"a?b"' in (connection.scalar(select(reports.c.kept)) or "")


def test_a_recipient_of_ses_is_text(office: Office):
    """Also where it stands without a name, as in what is kept of a mail."""
    event = senders.ses_bounce()
    event["bounce"]["bouncedRecipients"] = [f"{HALF}ann@reader.example"]
    assert office.post("ses", senders.sns(event, office.clock())).status_code == 200
    assert [one.recipient for one in office.notices] == ["ann@reader.example"]


def test_who_signed_nothing_is_refused_and_no_more(office: Office):
    """A stranger's post makes no error of ours."""
    signature = {"timestamp": HALF, "token": "x", "signature": "y"}
    body = json.dumps({"signature": signature, "event-data": {}}).encode()
    assert office.post("mailgun", Sent(body)).status_code == 406
