"""The press makes what the slow construction makes, for every edition and every reader."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.edition import Context, Slot
from mailer.message import Recipient
from tests.message.plain import slow_message
from tests.message.samples import KEYS, NOW, SENDER, check_octets, content, edition, mailbox_of, parsed, press

NASTY = st.sampled_from(
    ["\r\n", "\n", "\r", "\0", ".", "From ", "=", "=?", "<script>", '"', "\\", "\u202e", "\u2028", "\ud800",
     "\x85", "é", "日", "👩‍👩‍👧", " ", "  ", "\t", ">", "-- ", "&amp;", "--=_", "\xa0", "a" * 80, "Jane", "\ufeff"]
)  # fmt: skip
wild = st.lists(NASTY | st.text(max_size=4), max_size=8).map("".join)
values = wild | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(wild, max_size=3)
attributes = st.dictionaries(st.sampled_from(["city", "first_name", "plan"]), values)
nested = st.fixed_dictionaries({"team": st.dictionaries(st.sampled_from(["name", "size"]), values) | values})
recipients = st.builds(
    Recipient,
    subscriber_id=st.integers(0, 2**32),
    list_id=st.integers(0, 2**16),
    email=st.sampled_from(
        ["a@b.example", "o'neil+x=y@sub.reader.example", "x" * 64 + "@" + "y" * 60 + ".example"]
    ),
    name=wild,
    attributes=st.builds(lambda one, two: {**one, **two}, attributes, nested),
)
names = st.sampled_from(
    [
        *(
            "subscriber.name",
            "subscriber.first_name",
            "subscriber.email",
            "subscriber.city",
            "subscriber.team.name",
        ),
        *("subscriber.nothing", "link.unsubscribe", "link.preferences", "link.browser"),
    ]
)
own = names.filter(lambda name: name.startswith("subscriber."))
prose = st.lists(
    NASTY.filter(lambda part: part not in {"\0", "\ud800", "\r"}) | st.text("ab .\n", max_size=90), max_size=6
)
fixed = prose.map("".join)


def slotted(slots: st.SearchStrategy[Slot]) -> st.SearchStrategy[Any]:
    """Texts with slots: some begin or end with one, some touch."""
    return st.lists(fixed | slots, max_size=8).map(tuple)


def slots(*contexts: Context, of: st.SearchStrategy[str] = names) -> st.SearchStrategy[Slot]:
    """Slots that may stand in these contexts."""
    return st.builds(Slot, of, st.sampled_from(contexts), fixed)


editions = st.builds(
    lambda html, text, subject: edition(("<p>", *html), ("A", *text), ("B", *subject)),
    slotted(slots(Context.HTML, Context.ATTRIBUTE, Context.URL)),
    slotted(slots(Context.TEXT) | slots(Context.ADDRESS, of=own)),
    slotted(slots(Context.HEADER, of=own)),
)


def unstuffed(text: str) -> str:
    """Undo what format=flowed does to single lines (RFC 3676, section 4.4)."""
    lines = (line.removeprefix(" ") for line in text.split("\n"))
    return "\n".join(line.rstrip(" \t") for line in lines)


@settings(deadline=None, max_examples=150)
@given(editions, recipients)
def test_the_join_is_what_the_slow_construction_makes(of: Any, recipient: Recipient):
    """For any edition and reader: the same headers, decoded text and HTML; and octets that keep their promises."""
    message = press(of).message(recipient)
    check_octets(message)
    ours, slow = parsed(message), slow_message(of, SENDER, recipient, KEYS, 72, NOW)
    assert not ours.defects
    assert {name.lower() for name in ours} == {name.lower() for name in slow}
    for name in slow:
        if name not in {"Content-Type", "To", "Subject"}:
            assert str(ours[name]) == str(slow[name]), name
    assert mailbox_of(message, "To") == (slow["To"].addresses[0].display_name, recipient.email)
    if "=?" not in str(slow["Subject"]):  # which the slow one takes for an encoded-word of the author's
        assert str(ours["Subject"]) == str(slow["Subject"])
    slow_html = slow.get_body(("html",)).get_content().replace("\r\n", "\n")
    assert content(message, "html").rstrip("\n") == slow_html.rstrip("\n")
    text, slow_text = content(message, "plain"), slow.get_body(("plain",)).get_content().replace("\r\n", "\n")
    if ours.get_body(("plain",)).get_param("format") == "flowed":
        text = unstuffed(text)
        slow_text = "\n".join(line.rstrip(" \t") for line in slow_text.split("\n"))
    assert text.rstrip("\n") == slow_text.rstrip("\n")
