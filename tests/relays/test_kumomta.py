"""The policy of docs/relays.md for KumoMTA, run by Lua with a stub in KumoMTA's place; and KumoMTA's own words.

KumoMTA itself is not in Debian and is not run here: what it makes of the policy is its own affair.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mailer.smtp.relay import Kind
from mailer.smtp.replies import Cause, classify
from mailer.smtp.wire import read_reply
from tests.commandline import ROOT
from tests.conftest import found, without

POLICY = ROOT / "examples" / "relays" / "kumomta" / "init.lua"
HARNESS = Path(__file__).parent / "harness.lua"


@pytest.fixture(scope="module")
def policy() -> dict[str, Any]:
    """What the policy does when KumoMTA loads it and events happen."""
    program = found("lua") or without("lua")
    ran = subprocess.run([program, HARNESS, POLICY], capture_output=True, text=True, check=False, timeout=30)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def calls(policy: dict[str, Any], name: str) -> list[Any]:
    return [call["params"] for call in policy["calls"] if call["name"] == name]


@pytest.mark.lua
def test_the_policy_parses():
    """Lua's compiler finds no fault."""
    compiler = shutil.which("luac5.4") or shutil.which("luac") or without("luac")
    assert subprocess.run([compiler, "-p", POLICY], check=False, timeout=30).returncode == 0


@pytest.mark.lua
def test_every_handler_is_there(policy: dict[str, Any]):
    """One handler for each event that the page names, and no event twice."""
    assert sorted(policy["handlers"]) == [
        "get_egress_path_config",
        "get_listener_domain",
        "get_queue_config",
        "init",
        "log_disposition_reports",
        "smtp_server_auth_plain",
        "smtp_server_message_received",
    ]


@pytest.mark.lua
def test_it_takes_mail_from_this_machine_and_keeps_it(policy: dict[str, Any]):
    """On the loopback alone, on the disk before its 250, for as long a connection as mailer likes."""
    (listener,) = calls(policy, "start_esmtp_listener")
    assert listener["listen"] == "127.0.0.1:25"
    assert listener["relay_hosts"] == ["127.0.0.1", "::1"]
    assert listener["deferred_spool"] is False
    assert listener["max_messages_per_connection"] >= 1_000_000
    assert sorted(spool["name"] for spool in calls(policy, "define_spool")) == ["data", "meta"]


@pytest.mark.lua
def test_nothing_is_rewritten(policy: dict[str, Any]):
    """No handler touches a message (the stub would fall), and KumoMTA's own header is off; Received stays."""
    (listener,) = calls(policy, "start_esmtp_listener")
    assert listener["trace_headers"] == {"received_header": True, "supplemental_header": False}


@pytest.mark.lua
def test_who_may_send(policy: dict[str, Any]):
    """Beside relay_hosts only who has shown a password; nobody has one until one is written down."""
    results = policy["results"]
    assert results["stranger"] == "null"
    assert results["known"] == {"kind": "listener_domain", "params": {"relay_to": True}}
    assert (results["login_without_password"], results["login_of_nobody"]) == (False, False)


@pytest.mark.lua
def test_how_long_it_tries(policy: dict[str, Any]):
    """Three days a newsletter; a report one day, to mailer's listener."""
    results = policy["results"]
    assert results["queue"]["params"]["max_age"] == "3 days"
    assert results["queue_returns"]["params"]["max_age"] == "1 day"
    mx = results["queue_returns"]["params"]["protocol"]["smtp"]["mx_list"]
    assert mx == [{"name": "mailer", "addr": "127.0.0.1"}]


@pytest.mark.lua
def test_far_domains_have_their_limits(policy: dict[str, Any]):
    """Twenty connections, unless a domain is named; the listener is spoken to by LMTP, and may be on this machine."""
    results = policy["results"]
    assert results["path"]["params"]["connection_limit"] == 20
    assert results["path"]["params"]["max_deliveries_per_connection"] == 100
    assert results["path_gentle"]["params"]["connection_limit"] == 2
    slow = results["path_slow"]["params"]
    assert (slow["connection_limit"], slow["max_message_rate"]) == (1, "1/s")
    listener = results["path_returns"]["params"]
    assert (listener["smtp_port"], listener["use_lmtp"], listener["enable_tls"]) == (8024, True, "Disabled")
    assert not listener["prohibited_hosts"]
    assert "prohibited_hosts" not in results["path"]["params"]


@pytest.mark.lua
def test_a_bounce_becomes_a_report_to_the_return_path(policy: dict[str, Any]):
    """Of bounces and expired mails; none about a report; one that cannot be stored is logged and stops nothing."""
    (hook,) = calls(policy, "configure_log_disposition_hook")
    assert hook["name"] == "reports"
    wanted = {"Any": {"enable": False}, "Bounce": {"enable": True}, "Expiration": {"enable": True}}
    assert hook["per_record"] == wanted
    reports = calls(policy, "generate_rfc3464_message")
    assert len(reports) == 3
    assert (reports[0]["enable_bounce"], reports[0]["enable_expiration"]) == (True, True)
    assert reports[0]["include_original_message"] == "HeadersOnly"
    assert policy["injected"] == ["bounces+abc@returns.example.org", "full@returns.example.org"]
    assert len(calls(policy, "log_error")) == 1


@pytest.mark.parametrize(
    ("line", "at", "cause"),
    [
        ("421 4.3.2 out.example.org shutting down", "mail", Cause.RELAY_DOWN),
        ("421 4.3.2 out.example.org idle too long", "mail", Cause.RELAY_DOWN),
        ("451 4.5.3 out.example.org too many recipients on this connection", "rcpt", Cause.RELAY_BUSY),
        ("550 5.7.1 relaying not permitted for 192.0.2.7:50144", "rcpt", Cause.RELAY_REFUSES_US),
        ("535 5.7.8 AUTH invalid", "auth", Cause.RELAY_REFUSES_US),
        ("552 5.3.4 message too big", "final", Cause.REFUSED),
    ],
)
def test_what_kumomta_says_of_itself_is_held_against_no_reader(line: str, at: str, cause: Cause):
    """Its own troubles are the relay's; only what is wrong with the message is the message's."""
    reply = read_reply(int(line[:3]), line.encode() + b"\r\n")
    assert classify(Kind.SMTP, reply, at) is cause
