from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.smtp.causes import ROWS
from mailer.smtp.model import Reply
from mailer.smtp.relay import Kind
from mailer.smtp.replies import Cause, classify, relay_id
from mailer.smtp.wire import read_reply

SES, POSTFIX, SMTP, DIRECT, FOLDER = Kind.SES, Kind.POSTFIX, Kind.SMTP, Kind.DIRECT, Kind.FOLDER


def said(line: str) -> Reply:
    """Read a reply as it comes over the wire."""
    return read_reply(int(line[:3]), line.encode() + b"\r\n")


@pytest.mark.parametrize(
    ("kind", "line", "at", "cause"),
    [
        # The relay speaks of itself.
        (SES, "454 Throttling failure: Maximum sending rate exceeded.", "final", Cause.RELAY_BUSY),
        (SES, "454 4.7.0 Throttling failure: Daily message quota exceeded.", "final", Cause.RELAY_QUOTA),
        (SES, "421 Too many concurrent SMTP connections", "greeting", Cause.RELAY_BUSY),
        (
            SES,
            "421 4.4.2 Connection closed. Maximum message count per session reached",
            "mail",
            Cause.RELAY_BUSY,
        ),
        (SES, "451 Temporary service failure", "final", Cause.RELAY_BUSY),
        (
            SES,
            "554 Message rejected: Email address is not verified. The following…",
            "final",
            Cause.RELAY_REFUSES_US,
        ),
        (SES, "535 Authentication Credentials Invalid", "auth", Cause.RELAY_REFUSES_US),
        (
            SES,
            "554 Access denied: User is not authorized to perform ses:SendRawEmail",
            "final",
            Cause.RELAY_REFUSES_US,
        ),
        (POSTFIX, "452 4.3.1 Insufficient system storage", "mail", Cause.RELAY_BUSY),
        (POSTFIX, "451 4.3.0 Error: queue file write error", "final", Cause.RELAY_BUSY),
        (POSTFIX, "450 4.7.1 Error: too much mail from 192.0.2.1", "mail", Cause.RELAY_BUSY),
        (POSTFIX, "452 4.5.3 Error: too many recipients", "rcpt", Cause.RELAY_BUSY),
        (
            POSTFIX,
            "421 4.7.0 mx.example Error: too many connections from 192.0.2.1",
            "greeting",
            Cause.RELAY_BUSY,
        ),
        (POSTFIX, "421 4.3.2 All server ports are busy", "greeting", Cause.RELAY_DOWN),
        (POSTFIX, "451 4.3.5 Server configuration error", "rcpt", Cause.RELAY_REFUSES_US),
        (POSTFIX, "554 5.7.1 <a@b.example>: Relay access denied", "rcpt", Cause.RELAY_REFUSES_US),
        (
            POSTFIX,
            "554 5.7.1 <a@b.example>: Sender address rejected: not owned",
            "rcpt",
            Cause.RELAY_REFUSES_US,
        ),
        (SMTP, "550 5.7.1 Unable to relay", "rcpt", Cause.RELAY_REFUSES_US),
        (SMTP, "530 5.7.0 Authentication required", "mail", Cause.RELAY_REFUSES_US),
        (SMTP, "535 5.7.8 Error: authentication failed", "auth", Cause.RELAY_REFUSES_US),
        (SMTP, "454 4.7.0 Temporary authentication failure", "auth", Cause.RELAY_DOWN),
        (SMTP, "550 5.4.5 Daily user sending limit exceeded.", "final", Cause.RELAY_QUOTA),
        (SMTP, "452 4.4.5 Messages per second limit exceeded", "mail", Cause.RELAY_BUSY),
        (SMTP, "451 4.3.0 Try again later", "mail", Cause.RELAY_BUSY),
        (SMTP, "452 4.3.1 Insufficient system storage", "final", Cause.RELAY_BUSY),
        (SMTP, "550 5.7.1 Sender not allowed", "mail", Cause.RELAY_REFUSES_US),
        (SMTP, "421 4.3.2 Service shutting down", "greeting", Cause.RELAY_DOWN),
        (SMTP, "421 4.3.2 Service shutting down", "final", Cause.RELAY_BUSY),
        (SMTP, "421 bye", "", Cause.RELAY_DOWN),
        (SMTP, "554 no SMTP service here", "greeting", Cause.RELAY_REFUSES_US),
        (SMTP, "502 what?", "hello", Cause.RELAY_REFUSES_US),
        (SMTP, "454 4.7.0 TLS not available due to local problem", "tls", Cause.RELAY_DOWN),
        (FOLDER, "452 4.3.1 No space left on device", "final", Cause.RELAY_DOWN),
        # The far host speaks, or a relay speaks for it: one domain is slowed.
        (SMTP, "450 4.7.1 too many messages for this domain", "rcpt", Cause.FAR_BUSY),
        (SMTP, "421 4.7.28 unusual rate of mail", "rcpt", Cause.FAR_BUSY),
        (SMTP, "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", "final", Cause.FAR_BUSY),
        (SMTP, "450 4.2.1 The user is receiving mail at a rate that prevents…", "rcpt", Cause.FAR_BUSY),
        (DIRECT, "421 4.3.2 try later", "greeting", Cause.FAR_BUSY),
        (DIRECT, "421 too busy", "mail", Cause.FAR_BUSY),
        # One reader.
        (SMTP, "451 4.7.1 Greylisted, please come back in 5 minutes", "rcpt", Cause.DEFERRED),
        (SMTP, "452 4.2.2 Mailbox full", "rcpt", Cause.DEFERRED),
        (POSTFIX, "450 4.1.1 <a@b.example>: unverified address", "rcpt", Cause.DEFERRED),
        (SMTP, "451 4.3.0 corporate gateway is thinking", "final", Cause.DEFERRED),
        (SMTP, "550 5.1.1 No such user", "rcpt", Cause.REFUSED),
        (SMTP, "554 5.7.1 This message looks like spam", "final", Cause.REFUSED),
        (SES, "554 Transaction failed: Invalid domain name", "final", Cause.REFUSED),
        (DIRECT, "550 5.7.26 Unauthenticated mail", "mail", Cause.REFUSED),
        # What this program says itself.
        (SMTP, "553 5.6.7 the address needs SMTPUTF8", "mail", Cause.REFUSED),
        (SMTP, "553 5.1.3 SMTP cannot carry this address", "rcpt", Cause.REFUSED),
        (SMTP, "553 5.1.7 SMTP cannot carry this address", "mail", Cause.RELAY_REFUSES_US),
        (SMTP, "552 5.3.4 60 octets are more than the server's 50", "mail", Cause.RELAY_REFUSES_US),
    ],
)
def test_a_reply_is_put_down_to_whoever_spoke(kind: Kind, line: str, at: str, cause: Cause):
    """The relay's own trouble never counts against a reader or a domain, and the other way round (S12, S13)."""
    assert classify(kind, said(line), at) is cause


def test_an_answer_without_a_command_is_the_answer_to_a_body():
    """The engine passes "" for the reply to a body."""
    reply = said("450 4.7.1 too many")
    assert classify(SMTP, reply, "") is classify(SMTP, reply, "final") is Cause.FAR_BUSY


def test_every_row_of_the_table_names_its_source():
    """No row is there by hearsay."""
    assert all(len(row.source) > 8 for row in ROWS)


def test_no_row_of_the_table_is_shadowed():
    """A row that another one always anticipates would be dead text: each is the first for some reply."""
    bare = {row for row in ROWS if row.text.pattern == ""}
    for row in ROWS:
        above = ROWS[: ROWS.index(row)]
        hidden = [
            other
            for other in above
            if other in bare
            and set(row.kinds) <= set(other.kinds)
            and (not other.at or (row.at and set(row.at) <= set(other.at)))
            and set(row.codes) <= set(other.codes)
        ]
        assert not hidden, (row, hidden)


@given(
    kind=st.sampled_from(list(Kind)),
    code=st.integers(200, 599),
    text=st.text(max_size=300),
    at=st.sampled_from(
        ["", "final", "mail", "rcpt", "data", "rset", "greeting", "hello", "tls", "auth", "dot"]
    ),
)
def test_every_reply_has_a_cause(kind: Kind, code: int, text: str, at: str):
    """Whatever a server says, wherever it says it, the engine gets an answer and no exception."""
    reply = read_reply(code, f"{code} {text}\r\n".encode("utf-8", "surrogatepass"))
    assert classify(kind, reply, at) in Cause
    assert len(relay_id(kind, reply)) <= 200


def test_no_temporary_answer_of_a_reader_is_final():
    """S12: a 4yz never refuses a reader."""
    for kind in Kind:
        for code in range(400, 500):
            assert classify(kind, Reply(code, "", "whatever"), "rcpt") is not Cause.REFUSED


@pytest.mark.parametrize(
    ("kind", "line", "name"),
    [
        (POSTFIX, "250 2.0.0 Ok: queued as 4F1A2B3C4D", "4F1A2B3C4D"),
        (SMTP, "250 2.0.0 Ok: queued as 4Xy9Zk0Lq2z1", "4Xy9Zk0Lq2z1"),
        (
            SES,
            "250 Ok 0100018c2f3e4d5a-6b7c8d9e-0f1a-2b3c-4d5e-6f7a8b9c0d1e-000000",
            "0100018c2f3e4d5a-6b7c8d9e-0f1a-2b3c-4d5e-6f7a8b9c0d1e-000000",
        ),
        (SMTP, "250 OK id=1rABCD-000123-4E", "1rABCD-000123-4E"),
        (SMTP, "250 OK ids=8a5475ccbbc611eda12250ebf67f93bd", "8a5475ccbbc611eda12250ebf67f93bd"),
        (
            SMTP,
            "250 2.0.0 OK  1700000000 d9-20020a170902aa8900b001c3a1234567si12 - gsmtp",
            "d9-20020a170902aa8900b001c3a1234567si12",
        ),
        (
            SMTP,
            "250 2.6.0 <abc123@example.org> [InternalId=42, Hostname=x] Queued mail for delivery",
            "abc123@example.org",
        ),
        (SMTP, "250 2.0.0 3AB1CD45678901 Message accepted for delivery", "3AB1CD45678901"),
        (SMTP, "250 Ok: 7d3f9a-10-2b", "7d3f9a-10-2b"),
        (SMTP, "250 2.0.0 Ok", ""),
        (SMTP, "250 Great success", ""),
        (FOLDER, "250 2.0.0 00000000001-ab.eml", "00000000001-ab.eml"),
    ],
)
def test_the_relays_own_name_for_a_message_is_kept(kind: Kind, line: str, name: str):
    """It is what the relay's operator asks for when a message has to be found."""
    assert relay_id(kind, said(line)) == name
