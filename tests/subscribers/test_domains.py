"""A domain in letters beyond ASCII is the same wherever it is read: in an address, a segment and a file of rejects."""

from __future__ import annotations

import pytest

import subscribers
from subscribers.address import parse_address, parse_domain, readable_domain
from tests.subscribers.conftest import NOW

DOMAINS = [
    "straße.example.org",
    "βόλος.example.com",
    "faß.de",
    "bücher.example",
    "xn--strae-oqa.de",
    "Example.ORG",
]


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_segment_finds_the_addresses_of_a_domain(connection, add, domain):
    """IDNA 2008 keeps letters apart, such as ß and ss, that IDNA 2003 takes for the same."""
    ann = add(f"ann@{domain}")
    add("bob@strasse.example.org")
    text = subscribers.freeze_segment(f'domain = "{domain}"', list_key="main", now=NOW)
    condition = subscribers.compile_segment(text, {})
    list_id = subscribers.list_ids(connection)["main"]
    found = connection.execute(subscribers.audience(list_id, add.clock()).where(condition))
    assert [row.email for row in found] == [ann.email]


@pytest.mark.parametrize("domain", DOMAINS)
def test_both_forms(domain):
    """What letters become is what they are read from again."""
    kept = parse_domain(domain)
    assert kept == parse_address(f"x@{domain}").domain
    assert parse_domain(readable_domain(kept)) == kept


def test_a_domain_that_stands_for_no_letters():
    """What only looks like A-labels is read as it stands."""
    assert readable_domain("xn--a.example.org") == "xn--a.example.org"


@pytest.mark.parametrize("erased", ["ann@straße.de", "ann@xn--strae-oqa.de"])
def test_erased_from_rejects_in_either_form(tmp_path, erased):
    """Whichever form a person is erased by, both are blanked."""
    file = tmp_path / "import-1.csv"
    file.write_text("line,reason,file,email\n2,x,f,ann@straße.de\n3,x,f,ann@xn--strae-oqa.de\n4,x,f,b@c.de\n")
    assert subscribers.erase_from_rejects(tmp_path, erased) == 2
    assert "ann@" not in file.read_text()
