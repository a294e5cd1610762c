"""TLS when a session is opened: whom it believes, and what it does without."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

from mailer.smtp.connect import Stage
from mailer.smtp.replies import Cause
from tests.loopback.certificate import make_certificate
from tests.loopback.script import EXTENSIONS, PLAIN, Do, Rule, Script
from tests.loopback.server import running
from tests.smtp.conversing import LOOPS
from tests.smtp.opening import offers, refusal, trusting

if TYPE_CHECKING:
    from pathlib import Path


TLS_TROUBLE = [
    ("refused", Script(tls="starttls", rules=(Rule("starttls", "454 4.7.0 not now"),)), Cause.RELAY_DOWN, 454),
    ("refused for good", Script(tls="starttls", rules=(Rule("starttls", "502 no"),)), Cause.RELAY_REFUSES_US, 502),
    ("dropped", Script(tls="starttls", rules=(Rule("starttls", do=Do.DROP),)), Cause.RELAY_DOWN, None),
    ("unanswered", Script(tls="starttls", rules=(Rule("starttls", do=Do.STALL),)), Cause.RELAY_DOWN, None),
    ("nonsense", Script(tls="starttls", rules=(Rule("starttls", "sure"),)), Cause.RELAY_DOWN, None),
    ("no handshake", Script(tls="starttls", tls_breaks=True), Cause.RELAY_REFUSES_US, None),
    ("injected", Script(tls="starttls", injected="250 Ok"), Cause.RELAY_REFUSES_US, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("script", "cause", "code"), [one[1:] for one in TLS_TROUBLE], ids=[one[0] for one in TLS_TROUBLE]
)
@pytest.mark.parametrize("loop", LOOPS)
def test_tls_fails(loop: str, script: Script, cause: Cause, code: int | None):
    """S19: nothing goes on without the TLS that was asked for; text put in before it ends the connection."""
    with running(script) as server:
        refused = refusal(trusting(server), loop)
        assert server.accepted == []
    assert (refused.stage, refused.cause) == (Stage.TLS, cause)
    assert (refused.reply and refused.reply.code) == code


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_certificate_that_nobody_knows_is_refused(tls: str, loop: str, tmp_path: Path):
    """And one for another name as well; `verify=no` is a decision of the operator's."""
    other, _ = make_certificate(tmp_path)
    with running(Script(tls=tls)) as server:
        for options in (f"tls={tls}", f"tls={tls}&ca={other}"):
            refused = refusal(server.url(options), loop)
            assert (refused.stage, refused.cause) == (Stage.TLS, Cause.RELAY_REFUSES_US)
            assert "certificate" in refused.why.lower()
        offers(server.url(f"tls={tls}&verify=no"), loop)


def test_a_certificate_for_another_host_is_refused():
    """The name in the URL is what it must be for."""
    with running(Script(tls="implicit")) as server:
        url = trusting(server).replace("127.0.0.1", "127.0.0.2")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.2", server.port), 1):
            pytest.fail("the server listens on 127.0.0.1 alone")
        assert refusal(url).stage is Stage.CONNECT
    with running(Script(tls="implicit"), name="mail.example.org") as server:
        refused = refusal(trusting(server))
    assert refused.stage is Stage.TLS
    assert "certificate" in refused.why.lower()


def test_tls_that_must_be_and_is_not_offered():
    """A stripped offer is no way around tls=starttls."""
    with running() as server:
        refused = refusal(server.url("tls=starttls"))
    assert (refused.stage, refused.needs_operator) == (Stage.TLS, True)


def test_tls_if_offered():
    """It is taken where it is there, whatever the certificate, and done without where it is not."""
    with running(Script(tls="starttls")) as server:
        assert offers(server.url("tls=if-offered"))
    with running() as server:
        assert offers(server.url("tls=if-offered"))


def test_tls_to_a_server_that_speaks_none():
    """smtps:// to a plain port."""
    with running() as server:
        refused = refusal(server.url("tls=implicit&verify=no&timeout_greeting=1"))
    assert refused.stage is Stage.TLS


@pytest.mark.parametrize(
    ("before", "after", "pipelines"),
    [(EXTENSIONS, PLAIN, False), (PLAIN, EXTENSIONS, True), ((), EXTENSIONS, True)],
)
def test_what_was_offered_before_tls_is_forgotten(
    before: tuple[str, ...], after: tuple[str, ...], pipelines: bool
):
    """S19, P01: only the last EHLO counts."""
    with running(Script(tls="starttls", extensions=before, extensions_after_tls=after)) as server:
        session = offers(trusting(server))
        assert session.offered.pipelining is pipelines
        assert session.offered.dsn is pipelines
