"""Quoted-printable and base64 with slots give back what went in, in lines that need no care."""

from __future__ import annotations

import base64
import quopri

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.edition import Context
from mailer.message import Recipient
from mailer.message.transfer import Base64Text, qp_fixed, qp_value
from mailer.message.value import same
from tests.message.samples import check_octets, content, edition, parsed, press, slot

texts = st.text("ab .=\t\nFrom é日", max_size=300) | st.text(
    st.characters(codec="utf-8", exclude_characters="\r"), max_size=80
)
lines = st.text("ab .=From é日", max_size=300).map(str.strip)


def kept(octets: bytes) -> bool:
    """What every line of quoted-printable promises (E07)."""
    return all(
        len(line) <= 76
        and not line.startswith((b".", b"From "))
        and not line.endswith((b" ", b"\t"))
        and b"  " not in line
        for line in octets.split(b"\r\n")
    )


@given(texts, lines, texts)
def test_quoted_printable_gives_back_the_text(before: str, value: str, after: str):
    """Fixed text, a value, fixed text: decoded, they are the three in a row; every line keeps the promises (E07)."""
    pieces = (
        qp_fixed(before, after_slot=False, before_slot=True),
        qp_value(value),
        qp_fixed(after + "\n", after_slot=True, before_slot=False),
    )
    octets = b"".join(pieces)
    assert quopri.decodestring(octets).decode().replace("\r\n", "\n") == f"{before}{value}{after}\n"
    assert kept(octets)
    assert octets.isascii()


@pytest.mark.parametrize(
    "value", [".", "..", "From me", ". x", "=", "x" * 76, "é" * 400, "." * 1000, "a b " * 200 + "."]
)
def test_a_value_at_a_line_s_beginning_is_no_dot(value: str):
    """S03: whatever a value begins with, no line of the message begins with a dot or From."""
    octets = qp_value(value)
    assert kept(octets + b"=")
    assert quopri.decodestring(octets).decode() == value


parts = st.lists(
    st.text(max_size=3).map(lambda text: text.replace("\n", "")) | st.integers(0, 3) | texts, max_size=9
)


@given(parts, st.lists(lines, min_size=4, max_size=4))
def test_base64_gives_back_the_text_at_every_phase(parts: list[str | int], values: list[str]):
    """Values of any length shift the fixed text by 0, 1 or 2 octets; what is decoded is always the whole."""
    text = Base64Text([(part, same) if isinstance(part, int) else part for part in parts])
    pieces = text.render(values)
    assert len(pieces) == text.size
    wanted = "".join(values[part] if isinstance(part, int) else part for part in parts)
    encoded = b"".join(pieces)
    assert base64.b64decode(encoded.replace(b"\r\n", b""), validate=True) == wanted.encode()
    assert all(0 < len(line) <= 76 for line in encoded.split(b"\r\n")[:-1])


@settings(deadline=None)
@given(st.text(max_size=40), st.integers(0, 40))
def test_a_base64_part_holds_any_name(name: str, length: int):
    """A Japanese issue is shorter in base64: the reader's name stands in it whatever its length."""
    html = ("<p>", *("陶芸の" * 50, slot("subscriber.name", default="友")) * 3, "</p>\n")
    message = press(edition(html)).message(Recipient(1, 1, "a@b.example", "x" * length + name))
    check_octets(message)
    part = parsed(message).get_body(("html",))
    assert part is not None
    assert part["Content-Transfer-Encoding"] == "base64"
    assert "&amp;" in content(message, "html") or "&" not in name


def test_the_shorter_encoding_is_chosen_for_each_part():
    """English text goes out quoted-printable, Japanese HTML base64, in one message; both are 7-bit (K09)."""
    message = press(edition(("日本の陶芸" * 30,), ("An English summary.\n",))).message(
        Recipient(1, 1, "a@b.example")
    )
    codings = [part["Content-Transfer-Encoding"] for part in parsed(message).iter_parts()]
    assert codings == ["quoted-printable", "base64"]
    assert message.content.isascii()


def test_the_boundary_cannot_be_in_the_content():
    """A reader who is named like the boundary, or an issue that holds it, divides nothing; it is always the same."""
    first = press().message(Recipient(1, 1, "a@b.example"))
    edge = str(parsed(first).get_boundary())
    assert edge.startswith("=_")
    of = edition(
        (f"\n--{edge}--\n", slot("subscriber.name")), (f"--{edge}\n", slot("subscriber.name", Context.TEXT))
    )
    message = press(of).message(Recipient(1, 1, "a@b.example", f"--{edge}--"))
    assert [part.get_content_type() for part in parsed(message).iter_parts()] == ["text/plain", "text/html"]
    assert content(message, "html").count(edge) == 2
    assert press().message(Recipient(1, 1, "a@b.example")).content == first.content
