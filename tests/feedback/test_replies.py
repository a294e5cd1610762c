"""What remote servers answer, judged: five hundred, and no living address is called dead."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from mailer.feedback.model import Permanence
from mailer.feedback.reading import reason_for

if TYPE_CHECKING:
    from collections.abc import Iterator

DEAD = {"userunknown", "hostunknown", "hasmoved", "notaccept"}
AT_RCPT = (
    "in reply to RCPT TO command"  # where a server may speak of an address; the hardest place not to be wrong
)
_GROUP = re.compile(r"\[([a-z|]+)(?: at (\S+))?\]")
_CLASS = re.compile(r"\b([45])(?:\d\d|\.\d+\.\d+)\b")


class Reply(NamedTuple):
    """A reply, the host that gives it, and the reasons that are right, the best first."""

    words: str
    host: str
    reasons: tuple[str, ...]

    @property
    def dead(self) -> bool:
        """Say whether the address is dead: for good, and for a reason of its own."""
        return self.reasons[0] in DEAD and self.permanence is not Permanence.TEMPORARY

    @property
    def permanence(self) -> Permanence:
        """Give what the first code in the words says."""
        found = _CLASS.search(self.words)
        if found is None:
            return Permanence.NONE
        return Permanence.TEMPORARY if found[1] == "4" else Permanence.PERMANENT


def replies() -> Iterator[Reply]:
    """Give the replies of the table."""
    reasons, host = (), ""
    for line in (Path(__file__).parent / "replies.txt").read_text(encoding="utf-8").splitlines():
        group = _GROUP.fullmatch(line)
        if group:
            reasons, host = tuple(group[1].split("|")), group[2] or ""
        elif line and not line.startswith("#"):
            yield Reply(line, host, reasons)


REPLIES = list(replies())


def test_the_table_is_large():
    """At least 400 replies, of every kind that counts."""
    assert len(REPLIES) >= 500
    assert {reply.dead for reply in REPLIES} == {True, False}


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: reply.words[:60])
def test_a_reply_is_understood(reply: Reply):
    """R01: the reason is right, and the address is called dead if it is, and only then."""
    verdict = reason_for("", "", reply.words, reply.host, AT_RCPT)
    assert verdict.reason in reply.reasons
    assert verdict.hardbounce is reply.dead
    if reply.permanence is not Permanence.NONE:
        assert verdict.permanence is reply.permanence


SPEAKING = [
    each for each in REPLIES if each.reasons[0] not in DEAD and not {"undefined", "onhold"} & {*each.reasons}
]


@pytest.mark.parametrize("reply", SPEAKING, ids=lambda reply: reply.words[:60])
def test_nobody_dies_of_a_guessed_status(reply: Reply):
    """D08: mail systems write 5.1.1 below what is no such thing; the words of the remote server are believed."""
    assert not reason_for("5.1.1", "", reply.words, reply.host).hardbounce
