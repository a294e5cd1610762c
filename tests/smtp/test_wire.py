from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.smtp.model import Envelope
from mailer.smtp.verdict import Next, judge
from mailer.smtp.wire import Capabilities, envelope_commands, read_reply, unfit, usual_group, xtext

ALL = Capabilities(pipelining=True, size=50_000_000, dsn=True, smtputf8=True)
NONE = Capabilities()


def decoded(text: str) -> str:
    """Read xtext back."""
    return re.sub(r"\+([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), text)


def test_a_command_says_what_the_server_can_hear():
    """SIZE, RET, ENVID, NOTIFY and ORCPT where they are offered (N02, N03, N05, S17)."""
    one = Envelope("bounces+x=1@example.org", "read+er@example.net", 40_000, envid="72.1+a=b")
    assert envelope_commands(one, ALL) == (
        b"MAIL FROM:<bounces+x=1@example.org> SIZE=40000 RET=HDRS ENVID=72.1+2Ba+3Db\r\n",
        b"RCPT TO:<read+er@example.net> NOTIFY=FAILURE ORCPT=rfc822;read+2Ber@example.net\r\n",
    )


def test_a_command_says_nothing_else():
    """N01, I01: no extension is used that was not offered."""
    one = Envelope("a@example.org", "b@example.net", 40_000, envid="72.1")
    assert envelope_commands(one, NONE) == (b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<b@example.net>\r\n")


def test_a_reader_with_an_idn_domain_needs_no_extension():
    """I03, I05: the domain goes as A-label, also to servers without SMTPUTF8."""
    one = Envelope("a@example.org", "leser@bücher.example", 10)
    assert unfit(one, NONE) is None
    assert envelope_commands(one, NONE)[1] == b"RCPT TO:<leser@xn--bcher-kva.example>\r\n"
    assert b"SMTPUTF8" not in b"".join(envelope_commands(one, ALL))


def test_a_reader_with_a_local_part_beyond_ascii_needs_smtputf8():
    """I01, I02: used where offered, else the reader is refused with 5.6.7 and not mangled."""
    one = Envelope("a@example.org", "用户@例え.jp", 10)
    mail, rcpt = envelope_commands(one, ALL)
    assert mail == b"MAIL FROM:<a@example.org> SIZE=10 RET=HDRS BODY=8BITMIME SMTPUTF8\r\n"
    assert rcpt.startswith(
        "RCPT TO:<用户@xn--r8jz45g.jp> NOTIFY=FAILURE ORCPT=utf-8;\\x{7528}\\x{6237}@".encode()
    )
    refused = unfit(one, NONE)
    assert refused is not None
    assert (refused[0], refused[1].code, refused[1].enhanced) == ("rcpt", 553, "5.6.7")


def test_a_message_with_utf8_headers_needs_smtputf8():
    """I02: the message decides, whatever the addresses."""
    one = Envelope("a@example.org", "b@example.net", 10, smtputf8=True)
    refused = unfit(one, NONE)
    assert refused is not None
    assert (refused[0], refused[1].enhanced) == ("mail", "5.6.7")
    assert b"SMTPUTF8" in envelope_commands(one, ALL)[0]


def test_a_message_that_is_too_big_is_not_sent():
    """S17: the announced limit is kept; a limit of 0 is none (RFC 1870, section 4)."""
    one = Envelope("a@example.org", "b@example.net", 1001)
    refused = unfit(one, Capabilities.read({"size": "1000"}))
    assert refused is not None
    assert (refused[0], refused[1].code, refused[1].enhanced) == ("mail", 552, "5.3.4")
    for extensions in ({"size": "1001"}, {"size": "0"}, {"size": ""}, {"size": "lots"}, {}):
        assert unfit(one, Capabilities.read(extensions)) is None


@pytest.mark.parametrize("envid", ["", "x" * 101, "a\r\nb", "ä", "+" * 40])
def test_an_envid_that_cannot_be_said_is_left_out(envid: str):
    """N04: at most 100 characters once encoded, of printable ASCII; it helps and is not needed."""
    mail, _ = envelope_commands(Envelope("a@example.org", "b@example.net", 1, envid=envid), ALL)
    assert b"ENVID" not in mail


ADDRESS = st.one_of(
    st.emails(),
    st.text(max_size=80),
    st.builds("{}@{}".format, st.text(min_size=1, max_size=70), st.text(min_size=1, max_size=70)),
)


@given(
    sender=ADDRESS,
    recipient=ADDRESS,
    envid=st.text(max_size=120),
    smtputf8=st.booleans(),
    offered=st.builds(
        Capabilities, st.booleans(), st.one_of(st.none(), st.integers(0, 10)), st.booleans(), st.booleans()
    ),
)
def test_whatever_is_said_is_one_line_of_bounded_length(
    sender: str,
    recipient: str,
    envid: str,
    smtputf8: bool,
    offered: Capabilities,
):
    """S04, N06: an envelope is refused, or gives two commands that are each one line with one path."""
    one = Envelope(sender, recipient, 5, envid=envid, smtputf8=smtputf8)
    refused = unfit(one, offered)
    if refused:
        assert refused[0] in {"mail", "rcpt"}
        assert 500 <= refused[1].code < 600
        return
    for command, verb in zip(envelope_commands(one, offered), (b"MAIL FROM:<", b"RCPT TO:<"), strict=True):
        assert command.startswith(verb)
        assert command.endswith(b"\r\n")
        assert not re.search(rb"[\x00-\x1f\x7f]", command[:-2])
        assert len(command) <= (1036 if offered.dsn else 512)
        assert command.count(b">") == command.count(b"<") == 1 or b'"' in command
        assert offered.smtputf8 or command.isascii()


USUAL = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{0,65}@[a-z0-9.-]{0,9}[é>]?", fullmatch=True)


@given(
    sender=USUAL,
    recipient=USUAL,
    size=st.integers(0, 20),
    envid=st.from_regex(r"[a-z0-9]{0,101}[+é]?", fullmatch=True),
    smtputf8=st.booleans(),
    offered=st.builds(
        Capabilities, st.booleans(), st.one_of(st.none(), st.integers(0, 20)), st.booleans(), st.booleans()
    ),
)
def test_the_short_way_says_what_the_long_way_says(
    sender: str, recipient: str, size: int, envid: str, smtputf8: bool, offered: Capabilities
):
    """Where a group is written in one step, the envelope is fit and every octet is the same."""
    one = Envelope(sender, recipient, size, envid=envid, smtputf8=smtputf8)
    group = usual_group(one, offered)
    if group is not None:
        assert unfit(one, offered) is None
        assert group == b"%b%bDATA\r\n" % envelope_commands(one, offered)


def test_the_short_way_is_taken_by_nearly_all():
    """A return path with a token, an ordinary address, a token for the delivery, whatever the server offers."""
    one = Envelope("bounces+3f0a@example.org", "jane.doe@example.net", 40_000, envid="3f0a")
    assert usual_group(one, ALL) is not None
    assert usual_group(one, NONE) is not None


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
def test_xtext_can_be_read_back(text: str):
    """RFC 3461, section 4: `+` and `=` and nothing printable else is encoded."""
    encoded = xtext(text)
    assert decoded(encoded) == text
    assert "=" not in encoded


@pytest.mark.parametrize(
    ("raw", "enhanced", "text"),
    [
        (b"250 Ok\r\n", "", "Ok"),
        (b"250 2.0.0 Ok: queued as 4F1\r\n", "2.0.0", "Ok: queued as 4F1"),
        (b"250\r\n", "", ""),
        (b"250\n", "", ""),
        (
            b"550-5.1.1 The account\r\n550-5.1.1 does not exist.\r\n550 5.1.1 - gsmtp\r\n",
            "5.1.1",
            "The account does not exist. - gsmtp",
        ),
        (b"550-no code here\n550 5.7.1 but here\n", "5.7.1", "no code here but here"),
        (b"421 4.7.0\r\n", "4.7.0", ""),
        (b"450 4.2.1then no space\r\n", "", "4.2.1then no space"),
        (b"550 bell\x07 esc\x1b[31m \xff\xfe nul\x00\r\n", "", "bell  esc [31m �� nul"),
        (b"550 " + b"x" * 2000 + b"\r\n", "", "x" * 500),
    ],
)
def test_a_reply_becomes_words_for_people(raw: bytes, enhanced: str, text: str):
    """S06: all lines count, the enhanced code of each is taken off, nothing unprintable is left."""
    reply = read_reply(int(raw[:3]), raw)
    assert (reply.code, reply.enhanced, reply.text) == (int(raw[:3]), enhanced, text)


@given(
    st.from_regex(
        rb"[2-5][0-9]{2} ?([245]\.[0-9]{1,4}\.[0-9]{1,3})? {0,2}[ -~]{0,9}( {1,500}x)?", fullmatch=True
    )
)
def test_one_line_is_read_as_many_are(line: bytes):
    """The short way for a reply of one line finds what the long way finds in it."""
    assert read_reply(250, line + b"\r\n") == read_reply(250, line + b"\n")


@given(st.integers(200, 599), st.binary(max_size=3000))
def test_any_octets_become_a_reply(code: int, raw: bytes):
    """Printable, at most 500 characters, never an exception."""
    reply = read_reply(code, raw)
    assert len(reply.text) <= 500
    assert reply.text.isprintable()
    assert reply.code == code


def test_the_verdict_over_every_combination_of_answers():
    """P03, P04: a body goes only where all three agree, and a lone dot only where nobody was taken."""
    for mail, rcpt, data in itertools.product(
        (250, 354, 450, 550), (250, 251, 354, 450, 550), (250, 354, 451, 554)
    ):
        refused, then = judge(mail, rcpt, data)
        taken = mail < 300 and rcpt < 300 and data == 354
        assert (then is Next.BODY) is taken
        if then is Next.DOT:
            assert rcpt >= 400
            assert data == 354
        if then is Next.NOTHING:
            assert mail >= 400
            assert rcpt >= 400
        if 354 in (mail, rcpt) or data == 250:
            assert then is Next.DROP
            assert refused is None
        elif not taken:
            assert refused is not None
            assert (mail, rcpt, data)[refused] >= 400
            assert all(code < 400 for code in (mail, rcpt, data)[:refused])
