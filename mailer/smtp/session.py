"""One SMTP session that wastes no round trip.

Where the server pipelines (RFC 2920), a body, its final dot and the next envelope leave in one write and are
answered in one (P06). Else it goes command by command (RFC 5321). Promises: a body is sent only where MAIL,
RCPT and DATA were all accepted; after any refusal at any place the session is clean again, or lost and says
so; an address never breaks out of its command. Never: retries, or knows what a reply means for a reader.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mailer.smtp.line import Line, TlsLine
from mailer.smtp.model import Exchange, Reply, SessionLost
from mailer.smtp.verdict import COMMANDS, Next, judge
from mailer.smtp.wire import envelope_commands, read_reply, unfit, usual_group

if TYPE_CHECKING:
    from mailer.smtp.line import Answers
    from mailer.smtp.model import Envelope
    from mailer.smtp.relay import Timeouts
    from mailer.smtp.wire import Capabilities

GOODBYE = 1.0  # seconds for QUIT

_DOT = b".\r\n"
_RSET = b"RSET\r\n"
_FINAL = ("final",)
_FINAL_AND_COMMANDS = ("final", *COMMANDS)


class SmtpSession:
    """A connection that is open, authenticated and handed over. Not safe for two tasks at once.

    Once lost it stays lost: every later exchange raises SessionLost at once, and then nothing was sent.
    Cancelling an exchange drops the line; its body is in doubt.
    """

    def __init__(
        self, transport: asyncio.Transport, offered: Capabilities, timeouts: Timeouts | None = None
    ) -> None:
        self.offered = offered
        tls = transport.get_extra_info("sslcontext") is not None
        self._line = (TlsLine if tls else Line)(transport, timeouts)
        self._ready = False  # the server waits for a body
        self._dirty = False  # a refused transaction has to be forgotten before the next MAIL

    def fits(self, envelope: Envelope) -> Reply | None:
        """Give the refusal that follows from the addresses and from what the server announced, or None."""
        misfit = unfit(envelope, self.offered)
        return misfit[1] if misfit else None

    async def exchange(self, body: bytes | None, envelope: Envelope | None) -> Exchange:
        """Send a body whose envelope is ready and the envelope of the next message: Session.exchange.

        An envelope that does not fit is refused without being said. A refusal that came before a loss is
        still returned; the next exchange raises.
        """
        if self._line.lost:
            raise SessionLost(self._line.lost, reply=self._line.last_word, at=self._line.at)
        if (body is not None) is not self._ready:
            raise RuntimeError("a body must follow an envelope that is ready, and nothing else may")
        self._ready = False
        if body is not None and envelope is not None and self.offered.pipelining:
            group = usual_group(envelope, self.offered)
            if group is not None:
                return await self._behind(body, group)
        misfit = None if envelope is None else unfit(envelope, self.offered)
        talk = self._in_one if self.offered.pipelining else self._in_turn
        done = await talk(body, None if misfit else envelope)
        if misfit:
            return Exchange(final=done.final, refusal=misfit[1], refused_at=misfit[0])
        return done

    async def quit(self) -> None:
        """Say goodbye and close; never raises, takes at most a second."""
        try:
            async with asyncio.timeout(GOODBYE):
                if not (self._ready or self._line.lost):
                    await self._line.round((b"QUIT\r\n",), ("quit",))
                    self._line.close()
                    await asyncio.shield(self._line.closed)
        except TimeoutError:
            pass
        finally:
            self.abort()

    def abort(self) -> None:
        """Drop the line at once."""
        self._line.lose("the connection was dropped on this side")

    async def _in_one(self, body: bytes | None, envelope: Envelope | None) -> Exchange:
        """Send all of it in one write."""
        if envelope is None:
            if body is None:
                return Exchange()
            return Exchange(final=self._final(await self._line.round((body, _DOT), _FINAL)))
        group = b"%b%bDATA\r\n" % envelope_commands(envelope, self.offered)
        if body is None:
            return await self._conclude(None, await self._offer(group))
        return await self._behind(body, group)

    async def _behind(self, body: bytes, group: bytes) -> Exchange:
        """Send a body and the group of the next envelope behind its dot."""
        answers = await self._line.round((body, _DOT + group), _FINAL_AND_COMMANDS)
        final = self._final(answers)
        if len(answers) == len(_FINAL_AND_COMMANDS):
            _, (mail, _), (rcpt, _), (data, _) = answers
            if judge(mail, rcpt, data)[1] is Next.BODY:  # nearly always, and then there is nothing to await
                self._ready = True
                return Exchange(final, ready=True)
        return await self._conclude(final, answers[1:])

    async def _offer(self, group: bytes) -> Answers:
        """Send an envelope alone; a transaction that was left open is forgotten in the same group (P02)."""
        if not self._dirty:
            return await self._line.round((group,), COMMANDS)
        answers = await self._line.round((_RSET, group), ("rset", *COMMANDS))
        return answers[1:] if self._forgotten(answers) else ()

    async def _in_turn(self, body: bytes | None, envelope: Envelope | None) -> Exchange:
        """Send command by command, and stop at the first refusal."""
        final = None
        if body is not None:
            final = self._final(await self._line.round((body, _DOT), _FINAL))
        if envelope is None:
            return Exchange(final=final)
        if self._dirty and not self._forgotten(await self._line.round((_RSET,), ("rset",))):
            raise self._loss(final)
        answers: list[tuple[int, bytes]] = []
        for step, command in zip(
            COMMANDS, (*envelope_commands(envelope, self.offered), b"DATA\r\n"), strict=True
        ):
            answers += await self._line.round((command,), (step,))
            if not answers or answers[-1][0] >= 400 or self._line.lost:
                break
        # What was not said after a refusal would have been refused as out of sequence.
        if answers and answers[-1][0] >= 400:
            answers += [(503, b"")] * (len(COMMANDS) - len(answers))
        return await self._conclude(final, answers)

    async def _conclude(self, final: Reply | None, answers: Answers) -> Exchange:
        """Turn the answers to MAIL, RCPT and DATA into an Exchange, and leave the session clean."""
        if len(answers) < len(COMMANDS):
            return self._cut_off(final, answers)
        refused, then = judge(answers[0][0], answers[1][0], answers[2][0])
        self._dirty = then is Next.RSET
        if then is Next.BODY:
            self._ready = True
            return Exchange(final=final, ready=True)
        if then is Next.DROP:
            self._line.lose("the server's answers contradict each other")
        elif then is Next.DOT:
            await self._line.round((_DOT,), ("dot",))
        if refused is None:
            raise self._loss(final)
        return Exchange(final=final, refusal=read_reply(*answers[refused]), refused_at=COMMANDS[refused])

    def _cut_off(self, final: Reply | None, answers: Answers) -> Exchange:
        """Give the refusal that came before the line was lost, or raise the loss."""
        for at, answer in zip(COMMANDS, answers, strict=False):
            if answer[0] >= 400:
                return Exchange(final=final, refusal=read_reply(*answer), refused_at=at)
        raise self._loss(final)

    def _final(self, answers: Answers) -> Reply:
        """Give the answer to a body, or raise the loss; 421 is both (S13)."""
        final = read_reply(*answers[0]) if answers else None
        if final is None or final.code == 421:
            raise self._loss(final)
        return final

    def _forgotten(self, answers: Answers) -> bool:
        """Say whether RSET was obeyed; if not, two transactions could run into one."""
        self._dirty = False
        if not answers or answers[0][0] >= 300:
            self._line.lose("the server refused RSET")
            return False
        return True

    def _loss(self, final: Reply | None) -> SessionLost:
        line = self._line
        doubt = line.in_doubt and final is None
        return SessionLost(line.lost, final=final, in_doubt=doubt, reply=line.last_word, at=line.at)
