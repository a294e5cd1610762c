"""Addresses: what is one, what it is sent to, and which two are the same."""

from __future__ import annotations

import unicodedata

import idna
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from subscribers.address import _other, _plain, parse_address
from subscribers.errors import InvalidAddress


@pytest.mark.parametrize(
    ("text", "email", "normalized"),
    [
        (" Ann.Lee+news@Example.ORG ", "Ann.Lee+news@example.org", "ann.lee+news@example.org"),
        ("o'hara@example.org", "o'hara@example.org", "o'hara@example.org"),
        ("Jörg@Bücher.example", "Jörg@xn--bcher-kva.example", "jörg@xn--bcher-kva.example"),
        ("Jo\u0308rg@example.org", "Jörg@example.org", "jörg@example.org"),
        ("a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v", "用户@xn--fsqu00a.xn--4rr70v"),
    ],
)
def test_parts(text, email, normalized):
    """The local part stays as its owner writes it; addresses are compared without case, NFC, with A-labels."""
    address = parse_address(text)
    assert (address.email, address.normalized) == (email, normalized)
    assert address.domain == email.rpartition("@")[2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@example.org",
        "ann@",
        "ann@localhost",
        "ann@example",
        "ann@@example.org",
        "ann..lee@example.org",
        ".ann@example.org",
        "ann@example..org",
        "ann@-example.org",
        "ann lee@example.org",
        "ann@exam ple.org",
        "ann@example.org\r\nBcc: all@example.org",
        "Ann <ann@example.org>",
        "ann@[192.0.2.1]",
        "ann@ex_ample.org",
        "ann@mail.test",
        "a" * 65 + "@example.org",
        "a@" + "b" * 64 + ".org",
        "a@" + ".".join(["b" * 60] * 5),
        "ann@example.org\0",
        "\ud800@example.org",
        "x" * 100_000,
    ],
)
def test_refused(text):
    """What is no address, or none that mail can be sent to, is refused with a reason."""
    with pytest.raises(InvalidAddress) as refused:
        parse_address(text)
    assert refused.value.why


_LETTERS = "abzAZ09._+-@x!'\u00e9 "
_near = st.one_of(
    st.emails(),
    st.text(_LETTERS, max_size=80),
    st.builds(
        "{}@{}.{}".format,
        st.text("aZ9._+-", min_size=1, max_size=66),
        st.text("aZ9.-", min_size=1, max_size=70),
        st.sampled_from(
            ["org", "TEST", "local", "arpa", "c0m", "xn--p1ai", "museum", "alt", "onion", "x", "b" * 70]
        ),
    ),
)


@given(_near)
@example("a@xn--example.org")
@example("a@ab--cd.org")
@example("a@example.org\n")
def test_fast_path_is_a_subset(text):
    """Whatever the pattern takes, email-validator takes too, and gives the same; so speed changes no answer."""
    quick = _plain(text)
    if quick is None:
        return
    slow = validate_email(text, check_deliverability=False)
    assert (slow.local_part, slow.ascii_domain.lower()) == tuple(quick.email.rsplit("@", 1))
    assert quick == _other(text)


@given(_near)
def test_stable(text):
    """An address that was taken is taken again, unchanged, however its case."""
    try:
        address = parse_address(text)
    except InvalidAddress:
        return
    again = parse_address(address.email)
    assert again == address
    assert parse_address(address.normalized).normalized == address.normalized
    if address.email.isascii():
        assert parse_address(address.email.upper()).normalized == address.normalized


@given(st.text(max_size=400))
def test_any_text(text):
    """Any text gives an address that email-validator takes too, or one kind of error."""
    try:
        address = parse_address(text)
    except InvalidAddress:
        return
    try:
        validate_email(address.email, check_deliverability=False)
    except EmailNotValidError as error:  # pragma: no cover - the failure is the point
        pytest.fail(str(error))


_LOCAL = st.text("abxyz019éüßжя\u03c3\u0441λ用_+-", min_size=1, max_size=12)
_LABEL = st.text("abz09éüßж\u03c3例", min_size=1, max_size=8)
_SPELLINGS = {
    "blanks": lambda local, domain: f"  {local}@{domain}\t",
    "decomposed": lambda local, domain: unicodedata.normalize("NFD", f"{local}@{domain}"),
    "domain in capitals": lambda local, domain: f"{local}@{_capital(domain)}",
    "all in capitals": lambda local, domain: f"{_capital(local)}@{_capital(domain)}",
    "capitals, decomposed": lambda local, domain: unicodedata.normalize("NFD", _capital(f"{local}@{domain}")),
    "A-labels": lambda local, domain: f"{local}@{_a_labels(domain)}",
    "A-labels in capitals": lambda local, domain: f"{local}@{_a_labels(domain).upper()}",
    "wide": lambda local, domain: f"{local}@{_wide(domain)}",
}


def _capital(text: str) -> str:
    """Give capitals, where a letter has one of its own."""
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in text)


def _wide(domain: str) -> str:
    return domain.replace(".", "\u3002").replace("a", "\uff41")


def _a_labels(domain: str) -> str:
    return idna.encode(domain, uts46=True).decode()


@given(_LOCAL, _LABEL, st.sampled_from(["org", "example", "рф"]))
@example("σας", "bücher", "example")
@example("josé", "straße", "рф")
def test_every_spelling_is_one_address(local, label, top):
    """However an address is spelt, it is the same one: the same hash finds its suppression.

    In capitals, decomposed (NFD), with the domain as U-labels or A-labels (RFC 5890), in wide letters.
    """
    domain = f"{label}.{top}"
    try:
        address = parse_address(f"{local}@{domain}")
    except InvalidAddress:
        return
    for name, spell in _SPELLINGS.items():
        again = parse_address(spell(local, domain))
        assert again.hash(b"key") == address.hash(b"key"), name
        assert again.domain == address.domain, name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann+news@example.org", "ann@example.org"),
        ("a.nn@gmail.com", "ann@gmail.com"),
        ("ann@gmail.com", "ann@googlemail.com"),
        ("straße@example.org", "strasse@example.org"),
        ("ann@straße.example", "ann@strasse.example"),
        ("ann@example.org", "ann@example.com"),
        ("\u0430nn@example.org", "ann@example.org"),
    ],
)
def test_kept_apart(one, other):
    """Plus addresses, dots, ß, and letters of two scripts that look the same are two addresses."""
    assert parse_address(one).hash(b"key") != parse_address(other).hash(b"key")


@pytest.mark.parametrize(
    "text", ['"ann"@example.org', '"a b"@example.org', "ann@example.org.", "ann@[IPv6:::1]"]
)
def test_spellings_that_are_refused(text):
    """Quoted local parts, a dot at the end and literals are refused with a reason, never taken for another address."""
    with pytest.raises(InvalidAddress) as refused:
        parse_address(text)
    assert refused.value.why


@given(_near)
def test_agrees_with_email_validator(text):
    """What email-validator takes is taken, what it refuses is refused, but for blanks around an address."""
    try:
        valid = validate_email(text.strip(), check_deliverability=False, strict=True)
    except (EmailNotValidError, UnicodeError, ValueError):
        with pytest.raises(InvalidAddress):
            parse_address(text)
        return
    email = f"{valid.local_part}@{valid.ascii_domain.lower()}"
    if len(email.encode()) > 254:  # RFC 5321, 4.5.3.1.3: as it is sent
        with pytest.raises(InvalidAddress, match="longer"):
            parse_address(text)
    else:
        assert parse_address(text).email == email
