from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import UserError
from mailer.smtp.relay import Kind, Relay, Timeouts, Tls, is_loopback, parse_relay


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("smtp://mail.example.org", "mail.example.org", 25, Tls.IF_OFFERED),
        ("smtp://mail.example.org:587", "mail.example.org", 587, Tls.STARTTLS),
        ("smtp://mail.example.org:465", "mail.example.org", 465, Tls.IMPLICIT),
        ("smtps://mail.example.org", "mail.example.org", 465, Tls.IMPLICIT),
        ("smtps://mail.example.org:2465/", "mail.example.org", 2465, Tls.IMPLICIT),
        ("smtp://user:secret@mail.example.org", "mail.example.org", 587, Tls.STARTTLS),
        ("smtp://mail.example.org?tls=starttls", "mail.example.org", 587, Tls.STARTTLS),
        ("smtp://mail.example.org?tls=implicit", "mail.example.org", 465, Tls.IMPLICIT),
        ("smtp://mail.example.org?tls=OFF", "mail.example.org", 25, Tls.OFF),
        ("smtp://localhost:2525", "localhost", 2525, Tls.OFF),
        ("smtp://127.0.0.1", "127.0.0.1", 25, Tls.OFF),
        ("smtp://[::1]:2525", "::1", 2525, Tls.OFF),
        ("smtp://[2001:db8::25]", "2001:db8::25", 25, Tls.IF_OFFERED),
        ("SMTP://MAIL.example.org", "MAIL.example.org", 25, Tls.IF_OFFERED),
        ("smtp://bücher.example", "xn--bcher-kva.example", 25, Tls.IF_OFFERED),
        ("smtp://postfix_relay:25", "postfix_relay", 25, Tls.IF_OFFERED),
        ("  smtp://mail.example.org\n", "mail.example.org", 25, Tls.IF_OFFERED),
    ],
)
def test_where_a_url_leads(url: str, host: str, port: int, tls: Tls):
    """Port and encryption follow from each other where only one is given."""
    relay = parse_relay(url)
    assert (relay.host, relay.port, relay.tls) == (host, port, tls)


SECRETS = [
    "plain",
    "a/b+c/d==",
    "p@ss",
    "a:b:c",
    "50%off",
    "q?x=1&y=2",
    "#hash",
    "ünï",
    "@/:?#",
    "a@b.example:25?c=d",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_raw_secret_works(secret: str):
    """What a provider's page gives can be pasted, `/` and `+` and all."""
    relay = parse_relay(f"smtp://user:{secret}@mail.example.org:587?connections=3")
    assert (relay.username, relay.password) == ("user", secret)
    assert (relay.host, relay.port, relay.connections) == ("mail.example.org", 587, 3)


def test_an_encoded_secret_works():
    """And so does what the RFC wants (RFC 3986, section 2.1)."""
    relay = parse_relay("smtp://us%40er.example:s%2F%40%25%3A@mail.example.org")
    assert (relay.username, relay.password) == ("us@er.example", "s/@%:")


@given(
    secret=st.text(
        st.characters(exclude_characters="%\0\r\n", exclude_categories=("Cs",)), min_size=1, max_size=40
    )
)
def test_any_secret_comes_through(secret: str):
    """No raw character of a secret but `%` is anything but itself, and none of them breaks the host."""
    relay = parse_relay(f"smtp://user:{secret}@mail.example.org:587?weight=2")
    assert relay.password == secret
    assert relay.host == "mail.example.org"


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_in_no_repr(secret: str):
    """Nor in the label that people see."""
    relay = parse_relay(f"smtp://user:hidden-{secret}@mail.example.org")
    assert "hidden" not in repr(relay)
    assert "hidden" not in relay.label
    assert relay.label == "mail.example.org:587"


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hidden@mail.example.org",
        "user:hidden@mail.example.org",
        "smtp://user:hidden",
        "smtp://user:hidden@",
        "smtp://user:hidden@ma il.example.org",
        "smtp://user:hidden@mail.example.org:99999",
        "smtp://user:hidden@mail.example.org:port",
        "smtp://user:hidden@mail.example.org/path",
        "smtp://user:hidden@[::zz]",
        "smtp://user:hidden@-mail.example.org",
        "smtp://user:hidden@mail..example.org",
        "smtp://:hidden@mail.example.org",
        "smtp://user:hidden%00@mail.example.org",
        "smtp://user:hidden%0d%0aX@mail.example.org",
        "smtp://user:hidden@mail.example.org?password=hidden&connections=0&nothing=1&tls=maybe",
        "smtp://user:hidden@mail.example.org?tls=off",
        "smtps://user:hidden@mail.example.org?tls=starttls",
        "smtp:",
        "",
    ],
)
def test_a_wrong_url_is_refused_and_the_secret_kept(url: str):
    """Every error is one that a person can act on, and none of them shows what may be a secret."""
    with pytest.raises(UserError) as raised:
        parse_relay(url, "backup")
    assert raised.value.exit_code == 2
    assert "hidden" not in str(raised.value)
    assert all("backup" in problem.message and problem.key for problem in raised.value.problems)


def test_all_problems_are_told_at_once_each_with_its_key():
    """Not one a run."""
    with pytest.raises(UserError) as raised:
        parse_relay(
            "smtp://h?connections=zero&per_second=0&tls=maybe&verify=perhaps&kind=pigeon&colour=red"
            "&timeout_final=-1&weight=1.5&ca=/no/such/file&per_day=1&per_day=2"
        )
    keys = {problem.key for problem in raised.value.problems}
    assert keys == {
        "connections", "per_second", "tls", "verify", "kind", "colour", "timeout_final", "weight", "ca", "per_day",
    }  # fmt: skip


def test_every_option_has_a_place():
    """The query sets all that a relay has."""
    relay = parse_relay(
        "smtp://mail.example.org:2525?kind=postfix&tls=if-offered&verify=yes&connections=20&weight=3&per_second=14"
        "&per_hour=1000&per_day=50000&per_connection=100&streams=letters,%20bulk&timeout_final=601&timeout_connect=5",
        "fast",
    )
    assert relay == Relay(
        name="fast",
        kind=Kind.POSTFIX,
        host="mail.example.org",
        port=2525,
        tls=Tls.IF_OFFERED,
        verify=True,
        connections=20,
        weight=3,
        per_second=14,
        per_hour=1000,
        per_day=50000,
        per_connection=100,
        streams=("letters", "bulk"),
        timeouts=Timeouts(final=601, connect=5),
    )


def test_a_table_of_the_settings_wins_over_the_query():
    """[relays.x] may hold the URL and the rest beside it, the secret in a file of its own included."""
    relay = parse_relay(
        "smtp://mail.example.org?connections=3",
        "x",
        {
            "url": "…",
            "connections": 7,
            "verify": False,
            "streams": ["letters"],
            "username": "u",
            "password": "p",
            "ca": None,
        },
    )
    assert (relay.connections, relay.verify, relay.streams) == (7, False, ("letters",))
    assert (relay.username, relay.password, relay.tls) == ("u", "p", Tls.STARTTLS)


def test_a_secret_in_the_query_is_refused():
    """It would be seen wherever queries are logged."""
    with pytest.raises(UserError) as raised:
        parse_relay("smtp://mail.example.org?username=u&password=hidden")
    assert {problem.key for problem in raised.value.problems} == {"username", "password"}


@pytest.mark.parametrize(
    ("url", "verify"),
    [
        ("smtp://mail.example.org", False),
        ("smtp://u:p@mail.example.org?tls=if-offered", True),
        ("smtp://mail.example.org:587", True),
        ("smtps://mail.example.org", True),
        ("smtps://mail.example.org?verify=no", False),
        ("smtp://mail.example.org?verify=1", True),
    ],
)
def test_certificates_are_checked_where_tls_is_asked_for(url: str, verify: bool):
    """Opportunistic TLS takes any certificate, as it would take none at all (RFC 7435), but never for credentials."""
    assert parse_relay(url).verify is verify


def test_amazons_end_points_are_known_by_name():
    """So that its throttling is understood without a setting; `kind` still wins."""
    assert parse_relay("smtp://u:p@email-smtp.eu-west-1.amazonaws.com:587").kind is Kind.SES
    assert parse_relay("smtp://u:p@email-smtp.eu-west-1.amazonaws.com:587?kind=smtp").kind is Kind.SMTP
    assert parse_relay("smtp://u:p@email-smtp.example.org:587").kind is Kind.SMTP


def test_a_folder_is_a_relay():
    """`folder:///path`, with what counts for a folder."""
    relay = parse_relay("folder:///var/mail%20out?connections=2&per_second=5")
    assert relay.kind is Kind.FOLDER
    assert relay.folder == Path("/var/mail out")
    assert (relay.connections, relay.per_second, relay.label) == (2, 5, "/var/mail out")
    with pytest.raises(UserError):
        parse_relay("folder://")


def test_a_stream_goes_where_it_is_served():
    """No streams named means all of them."""
    assert parse_relay("smtp://h").serves("letters")
    only = parse_relay("smtp://h?streams=letters")
    assert only.serves("letters")
    assert not only.serves("bulk")


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("mail.localhost", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("192.0.2.127", False),
        ("localhost.example.org", False),
        ("10.0.0.1", False),
        ("127.0.0.1.example.org", False),
    ],
)
def test_what_loopback_is(host: str, near: bool):
    """Credentials travel in the clear there and nowhere else (S21)."""
    assert is_loopback(host) is near


@given(st.text(max_size=80))
def test_no_text_breaks_the_parser(text: str):
    """It gives a relay or a UserError."""
    for url in (text, f"smtp://{text}", f"smtp://h?{text}", f"folder:{text}"):
        try:
            relay = parse_relay(url)
        except UserError:
            continue
        assert isinstance(relay, Relay)
