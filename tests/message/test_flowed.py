"""format=flowed where its rules can be kept, plain text where not."""

from __future__ import annotations

import pytest

from mailer.edition import Context
from mailer.message import Recipient
from mailer.message.flowed import flowed
from tests.message.samples import JANE, content, edition, parsed, press, slot

NAME = slot("subscriber.name", Context.TEXT)
FRIEND = slot("subscriber.name", Context.TEXT, "friend")
LEAVE = slot("link.unsubscribe", Context.TEXT)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("one \ntwo\n", "one \ntwo\n"),  # a line that ends in one space is continued
        ("one  \ntwo\n", "one\ntwo\n"),  # two spaces are an accident
        ("one \n\ntwo\n", "one\n\ntwo\n"),  # an empty line continues nothing
        ("one \n two\n", "one\n  two\n"),  # neither does an indented one, which is stuffed
        ("one \n> two\n", "one\n > two\n"),
        ("> one \ntwo\n", " > one\ntwo\n"),
        ("From here\n", " From here\n"),
        ("    code \n", "     code\n"),
        ("-- \nThe Kiln\n", "-- \nThe Kiln\n"),  # the signature line is itself and never continued
        ("text \n-- \n", "text\n-- \n"),
        ("x" * 79 + " \ny\n", "x" * 79 + "\ny\n"),
        (
            "see " + "https://kiln.example/" + "a" * 90 + "\n",
            "see " + "https://kiln.example/" + "a" * 90 + "\n",
        ),
    ],
)
def test_lines_are_flowed_stuffed_or_fixed(text: str, wanted: str):
    """F01, F02, F04: only a line that asks is flowed; risky beginnings are stuffed; long URLs stay whole."""
    assert flowed((text,)) == (wanted,)


def test_a_line_that_begins_with_a_value_is_stuffed():
    """F02: a reader called "> or else" does not become a quotation; a link needs no care."""
    assert flowed(("", NAME, " wrote\n")) == (" ", NAME, " wrote\n")
    assert flowed(("", LEAVE, "\n")) == ("", LEAVE, "\n")


@pytest.mark.parametrize("end", [("Dear ", NAME), ("", NAME), ("Dear ", NAME, NAME)])
def test_a_value_that_may_vanish_at_the_end_of_a_line_makes_plain_text(end: tuple[str, ...]):
    """F01: "Dear " without its name would be continued by the next line; such a text goes out as plain."""
    message = press(edition(text=(*end, "\nand so on\n"))).message(Recipient(1, 1, "a@b.example"))
    part = parsed(message).get_body(("plain",))
    assert part is not None
    assert part.get_param("format") is None
    assert content(message, "plain") == "Dear \nand so on\n"[0 if end[0] else 5 :]


def test_a_value_that_is_never_empty_stays_flowed():
    """F01: with a default, or for a link, the line's end is known."""
    text = ("Dear ", FRIEND, "\nLeave: ", LEAVE, "\n")
    assert flowed(text) == text


def test_flowed_text_says_so_and_keeps_its_spaces():
    """F01, F03: the part names format and delsp, and the space at a line's end survives the encoding."""
    message = press(edition(text=("A paragraph that goes \non here.\n",))).message(JANE)
    part = parsed(message).get_body(("plain",))
    assert part is not None
    assert (part.get_param("format"), part.get_param("delsp")) == ("flowed", "no")
    assert b"goes=20\r\n" in message.content
    assert content(message, "plain") == "A paragraph that goes \non here.\n"
