"""Reports that name very many: a bounded number is taken of one, and nothing is worked out for each anew (D21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailer.feedback.reading import read, reasons, returned
from mailer.feedback.reading.model import MOST_RECIPIENTS
from tests.feedback.house import housed
from tests.feedback.systems import postfix

if TYPE_CHECKING:
    from pathlib import Path

    from tests.feedback.conftest import World

ANN = "ann@reader.example"
HEAD = b"From: mailer-daemon@b.example\nSubject: failure notice\n"


def status(many: int) -> bytes:
    """Give a report with as many recipients, of whom different things are said."""
    block = "\n".join(
        f"Final-Recipient: rfc822; r{n}@x.example\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 full {n}\n"
        for n in range(many)
    )
    return postfix(ANN, "552 5.2.2 full").replace(b"Final-Recipient", f"{block}\nFinal-Recipient".encode(), 1)


def test_of_one_report_a_bounded_number_is_taken(world: World, tmp_path: Path):
    """A copy of ours has one recipient; whoever names a thousand cannot hold the write lock for them."""
    world.join(ANN)
    house, sent = housed(world, tmp_path), world.send()
    heard = house.hear(house.returned(status(990), ANN, sent))
    assert heard.taken.proven == heard.taken.new == MOST_RECIPIENTS == 100


@pytest.mark.parametrize("where", ["x-failed-recipients", "words"])
def test_of_one_mail_a_bounded_number_is_named(where: str):
    """A header holds thousands of addresses, and so does a text."""
    many = [b"%x@b.cc" % number for number in range(2_500)]
    listed = b"X-Failed-Recipients: " + b",".join(many) + b"\n"
    named = b"".join(b"<%b>: failed\n" % each for each in many)
    raw = HEAD + (listed + b"\nfailed\n" if where == "x-failed-recipients" else b"\n" + named)
    assert len(read(raw).recipients) == MOST_RECIPIENTS


def test_whom_the_returned_message_was_for_is_found_once(monkeypatch: pytest.MonkeyPatch):
    """However many recipients a report names: its fields are parsed once."""
    asked: list[str] = []
    real = returned.in_text
    monkeypatch.setattr(returned, "in_text", lambda text: asked.append(text) or real(text))
    to = b"".join(b"To: reader%d@reader.example\n" % number for number in range(10))
    words = b"".join(b"<u%d@x.example>: failed\n" % number for number in range(90))
    raw = (
        HEAD + b"X-Failed-Recipients: zz@q.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\n" + words
        + b"\n--x\nContent-Type: message/rfc822\n\n" + to + b"From: news@weekly.example\n\nHello\n--x--\n"
    )  # fmt: skip
    assert read(raw).recipients
    assert len(asked) == len(set(asked)) == 11


def test_what_is_said_of_many_is_judged_once(monkeypatch: pytest.MonkeyPatch):
    """The same words of a hundred recipients have one reason."""
    judged: list[object] = []
    real = reasons._reason
    monkeypatch.setattr(reasons, "_reason", lambda said: judged.append(said) or real(said))
    reasons.reason_for.cache_clear()
    failed = b",".join(b"%x@b.cc" % number for number in range(90))
    found = read(HEAD + b"X-Failed-Recipients: " + failed + b"\n\nnobody knows why this failed\n")
    assert len(found.recipients) == 90
    assert 1 <= len(judged) <= 3
