"""Each way in which a server can misbehave, and the one thing that the session makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailer.smtp.model import Exchange, SessionLost
from tests.loopback.script import EXTENSIONS, PLAIN, Script
from tests.loopback.server import LoopbackServer, running
from tests.smtp.conversing import BODY, FAST, envelope, run, session_to
from tests.smtp.misbehaviour import ALIKE, FIRST, PIPELINED, SECOND, THIRD, Case


def told(outcome: Exchange | SessionLost) -> str:
    """Write an outcome as the tables below have it."""
    if isinstance(outcome, SessionLost):
        words = ["lost", "in doubt" if outcome.in_doubt else ""]
        words.append(f"final {outcome.final.code}" if outcome.final else "")
        words.append(f"by {outcome.reply.code}" if outcome.reply else "")
        words.append(f"at {outcome.at}" if outcome.reply and outcome.at else "")
    else:
        words = [f"final {outcome.final.code}" if outcome.final else ""]
        words.append(f"{outcome.refusal.code} at {outcome.refused_at}" if outcome.refusal else "")
        words.append("ready" if outcome.ready else "")
    return " ".join(filter(None, words))


async def converse(server: LoopbackServer) -> list[str]:
    """Send one message to each of three readers, and give what came of each exchange, until the line is lost."""
    session = await session_to(server, FAST)
    said: list[str] = []
    body = None
    for recipient in (FIRST, SECOND, THIRD, None):
        if recipient is None and body is None:
            break
        try:
            done = await session.exchange(body, envelope(recipient) if recipient else None)
        except SessionLost as lost:
            said.append(told(lost))
            break
        said.append(told(done))
        body = BODY if done.ready else None
    await session.quit()
    return said


@pytest.mark.parametrize("extensions", [EXTENSIONS, PLAIN], ids=["pipelined", "plain"])
@pytest.mark.parametrize("case", ALIKE, ids=lambda case: case.name)
def test_a_server_misbehaves(case: Case, extensions: tuple[str, ...]):
    """Every refusal is put to its own command, and no loss hides what may have been delivered (P03, S08, S13)."""
    with running(replace(case.script, extensions=extensions)) as server:
        said = run(converse(server))
        assert said == case.outcomes
        assert [one.recipient for one in server.accepted] == case.accepted


@pytest.mark.parametrize("case", PIPELINED, ids=lambda case: case.name)
def test_a_group_of_commands_goes_half_wrong(case: Case):
    """Where commands travel together some are answered that should not have been said (RFC 2920, section 3.1)."""
    with running(case.script) as server:
        said = run(converse(server))
        assert said == case.outcomes
        assert [one.recipient for one in server.accepted] == case.accepted


@pytest.mark.parametrize("stride", [pytest.param(1, marks=pytest.mark.slow), 17])
@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("extensions", [EXTENSIONS, PLAIN], ids=["pipelined", "plain"])
def test_a_drop_at_every_octet(extensions: tuple[str, ...], behind: bool, stride: int):
    """Wherever the line breaks in a transaction of 1 KB, nobody is lost, and only a sent dot is in doubt.

    What the server took was answered or is in doubt; what was answered with yes the server took; what is
    neither answered nor in doubt the server did not take.
    """
    body = BODY + b"x" * 70 + b"\r\n"
    body += (b"y" * 70 + b"\r\n") * ((1024 - len(body)) // 72)
    greeting = len("EHLO client.example.org\r\n")

    async def at(server: LoopbackServer, octet: int) -> tuple[bool, bool]:
        server.follow(Script(extensions=extensions, drop_at=octet))
        before = len(server.accepted)
        session = await session_to(server)
        try:
            done = await session.exchange(None, envelope(body=body))
            final = (
                (await session.exchange(body, envelope() if behind else None)).final if done.ready else None
            )
        except SessionLost as lost:
            doubt, final = lost.in_doubt, lost.final
        else:
            doubt = False
            await session.quit()
        session.abort()
        accepted = len(server.accepted) > before
        answered = final is not None and final.positive
        assert answered <= accepted <= (answered or doubt), octet
        return accepted, doubt

    async def everywhere(server: LoopbackServer) -> list[tuple[bool, bool]]:
        return [await at(server, octet) for octet in range(greeting + 1, greeting + 1400, stride)]

    with running() as server:
        seen = run(everywhere(server), seconds=120)
    assert {(False, False), (False, True), (True, False)} <= set(seen)
    first_doubt = seen.index((False, True))
    assert not any(accepted for accepted, _ in seen[:first_doubt])


def test_a_line_that_takes_nothing_is_given_up_and_not_in_doubt():
    """S07: a server that stops reading in the middle of a big body cannot have seen its dot."""
    big = BODY + b"z" * 60 + b"\r\n" + b"".join(b"%070d\r\n" % number for number in range(400_000))

    async def work(server: LoopbackServer) -> SessionLost:
        session = await session_to(server, FAST)
        assert (await session.exchange(None, envelope(body=big))).ready
        server.deafen()
        with pytest.raises(SessionLost) as raised:
            await session.exchange(big, envelope())
        return raised.value

    with running() as server:
        lost = run(work(server))
    assert not lost.in_doubt
    assert lost.final is None
    assert "too long to take the message" in lost.why
