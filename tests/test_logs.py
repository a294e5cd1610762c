"""The log: no address and no token gets into it, and a line is a line."""

from __future__ import annotations

import io
import json
import logging
import secrets
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.keys import Purpose
from mailer.logs import Lines, Objects, configure_logging, masked
from tests.web.hooks.standing import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN = st.text("abcdefghijklmnopqrstuvwxyzäöüß0123456789.!#$%&*+/=?^_~-", min_size=1, max_size=30)
ADDRESSES = st.builds(
    lambda local, host, end: f"{local}@{host}.{end}",
    PLAIN,
    st.text("abcdefghijklmnopqrstuvwxyz0123456789-é", min_size=1, max_size=20),
    st.sampled_from(["example", "org", "co.uk", "xn--p1ai"]),
)
AROUND = st.sampled_from(
    ["", " ", "<", "to=<", "mailto:", '"', "(", "550 5.1.1 ", "reader ", "\n", "Empfänger: "]
)
AFTER = st.sampled_from(["", " ", ">", '"', ")", ": user unknown", ",", ";", "\n", ">... nobody"])


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger of the program whose lines we read."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging(stream=stream)
    yield logging.getLogger("mailer.test"), stream
    root.handlers[:] = before
    root.setLevel(level)


@given(AROUND, ADDRESSES, AFTER)
def test_no_address_is_left(before: str, address: str, after: str):
    """Bare, in brackets, in a server's words: neither side of the @ stays together with it, nor the local part."""
    text = masked(f"{before}{address}{after}")
    local, _, host = address.rpartition("@")
    assert address not in text
    assert f"@{host}" not in text
    assert len(local) < 4 or local not in text


@given(st.sampled_from(list(Purpose)), st.integers(0, 2**40), st.integers(0, 2**20))
def test_no_token_of_ours_is_left(purpose: Purpose, subscriber: int, other: int):
    """Tokens of links, return paths and Message-IDs, where they usually stand."""
    link, mail = KEYS.link_token(purpose, subscriber, other), KEYS.mail_token(purpose, subscriber, other)
    text = masked(
        f"GET /u/{link} 200, https://news.example/confirm/{link}?x=1, bounces+{mail}@x.example, <{mail}@x.example>, "
        f"token {mail}, /preferences/{link}"
    )
    assert link not in text
    assert mail not in text


@given(st.binary(min_size=32, max_size=32))
def test_no_secret_is_left(octets: bytes):
    """Bearer tokens, signing secrets, passwords of a database or a relay."""
    import base64

    secret = base64.urlsafe_b64encode(octets).decode().rstrip("=")
    text = masked(
        f"mlr_{secret} | Authorization: Bearer {secret} | whsec_{secret} | smtp://user:{secret}@relay.example:587 | "
        f"postgresql://mailer:{secret}@db.example/mailer | https://crm.example/hook?token={secret}"
    )
    assert secret not in text
    assert "relay.example:587" in text
    assert "db.example/mailer" in text


@pytest.mark.parametrize(
    "line",
    [
        "72.main: 39,969 accepted, 218 deferred",
        "gmail.com: 421 4.7.28 slow down; 4 connections",
        "webhook crm: event 4711: 503",
        "mailer.web.pages.unsubscribe:120 RuntimeError",
        "listening on http://127.0.0.1:8025",
        "newsletter 5b1c9c1e-62f4-4b8e-9d39-2f1f6f3d7c11 at 3f2a1c4",
        "POST /api/v1/subscribers/{subscriber_id}/unsubscribe 200 3.1 ms",
    ],
)
def test_what_is_no_secret_stays(line: str):
    """A log that says nothing helps nobody."""
    assert masked(line) == line


def test_a_traceback_is_masked_too(log):
    """An exception's words may quote an address."""
    logger, stream = log
    try:
        int("550 <ann@reader.example> unknown")
    except ValueError:
        logger.exception("to %s", "ann@reader.example")
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert "550 <***@***> unknown" in line
    assert "ann@" not in line


def test_a_line_is_one_line(log):
    """Whatever strangers send, they can neither forge a line nor steer the terminal of who reads it."""
    logger, stream = log
    logger.warning("said %s", "x\r\n2026-07-14 ERROR forged\x1b[2J\u2028y")
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


def test_objects_are_json(log):
    """With `json` a line is an object; what a record was given beside its words is masked as they are."""
    logger, _ = log
    stream = io.StringIO()
    configure_logging(json=True, stream=stream)
    logger.info("sent to %s", "a@b.example", extra={"mailing": "72.main", "count": 3, "who": "bo@b.example"})
    told = json.loads(stream.getvalue())
    assert (told["level"], told["room"], told["message"]) == ("info", "mailer.test", "sent to ***@***")
    assert (told["mailing"], told["count"], told["who"]) == ("72.main", 3, "***@***")


def test_configured_twice_a_line_comes_once(log):
    """The handler replaces its own."""
    logger, old = log
    stream = io.StringIO()
    configure_logging(stream=stream)
    logger.warning("once")
    assert (old.getvalue(), stream.getvalue().count("once")) == ("", 1)


def test_httpx_does_not_tell_where_it_goes(log):
    """Its line a request holds the whole URL, which may hold a receiver's secret."""
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)


def test_the_queue_of_batches_tells_only_what_went_wrong(log):
    """Two lines for every thousand readers would bury what the program itself has to say."""
    assert not logging.getLogger("procrastinate.worker").isEnabledFor(logging.INFO)


@given(st.text(max_size=300))
def test_any_words_become_a_line(words: str):
    """Nothing that can be logged makes the log fall over, in either form."""
    record = logging.LogRecord("mailer", logging.INFO, "x.py", 1, "%s", (words,), None)
    assert "\n" not in Lines().format(record)
    assert json.loads(Objects().format(record))["level"] == "info"


def test_masking_long_lines_takes_no_long_time():
    """A megabyte of what nearly is an address or a token is masked in passing; the limit guards against hanging."""
    for text in (
        "a" * 1_000_000,
        "a@" * 300_000,
        "aA1-" * 250_000,
        '"' * 100_000,
        secrets.token_hex(100_000),
    ):
        assert isinstance(masked(text), str)
