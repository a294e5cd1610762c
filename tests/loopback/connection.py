"""One connection of the loopback server: reads whatever a client pipelines, answers in one write, misbehaves on order.

It is a server to measure and to torment clients with; it promises speed, exact counting, and that what it
accepted is recorded before the answer leaves. It promises no security.
"""

from __future__ import annotations

import asyncio
import base64
import binascii

from tests.loopback.line import Line
from tests.loopback.record import Accepted, message_id, now
from tests.loopback.script import Do, octets

_OK = {
    "mail": b"250 2.1.0 Ok\r\n",
    "rcpt": b"250 2.1.5 Ok\r\n",
    "data": b"354 End data with <CR><LF>.<CR><LF>\r\n",
    "rset": b"250 2.0.0 Ok\r\n",
    "noop": b"250 2.0.0 Ok\r\n",
    "quit": b"221 2.0.0 Bye\r\n",
}
_SEQUENCE = b"503 5.5.1 Error: bad sequence of commands\r\n"
_MAX_LINE = 2048


class Connection(Line):
    """What one client says, command by command and body by body."""

    def _command(self, start: int) -> int:
        buffer = self._buffer
        end = buffer.find(b"\n", start)
        if end < 0:
            if len(buffer) - start > _MAX_LINE:
                self._end(b"500 5.5.2 Error: line too long\r\n")
            return -1
        line = bytes(buffer[start:end]).rstrip(b"\r")
        if self._login is not None:
            self._answer(line)
        else:
            verb = line.split(b" ", 1)[0].lower().decode("latin-1")
            handle = getattr(self, f"_on_{verb}", None) if verb.isalpha() else None
            if handle is None:
                self._out.append(b"500 5.5.2 Error: command not recognized\r\n")
            else:
                handle(line)
        return end + 1

    def _on_ehlo(self, _line: bytes) -> None:
        self._greeted = True
        self._forget()
        script = self.script
        words = script.extensions
        if self._secure and script.extensions_after_tls is not None:
            words = script.extensions_after_tls
        if script.tls == "starttls" and not self._secure:
            words = (*words, "STARTTLS")
        if script.users and (self._secure or not script.auth_needs_tls):
            words = (*words, f"AUTH {script.mechanisms}")
        lines = ("localhost", *words)
        marks = ("250-",) * (len(lines) - 1) + ("250 ",)
        self._act(
            "ehlo", "".join(f"{mark}{word}\r\n" for mark, word in zip(marks, lines, strict=True)).encode()
        )

    def _on_helo(self, _line: bytes) -> None:
        self._greeted = True
        self._forget()
        self._act("helo", b"250 localhost\r\n")

    def _on_starttls(self, _line: bytes) -> None:
        if self.script.tls != "starttls" or self._secure:
            self._out.append(_SEQUENCE)
            return
        if self._act("starttls", b"220 2.0.0 Ready to start TLS\r\n"):
            self._out.append(octets(self.script.injected) if self.script.injected else b"")
            self._flush()
            if self.script.tls_breaks:
                self._breaking = True
            else:
                self._stalled = True
                self.server.background(self._start_tls())

    async def _start_tls(self) -> None:
        assert self.transport is not None
        self._buffer.clear()
        self._stalled = False
        self._greeted = False
        context = self.server.context
        assert context is not None
        try:
            loop = asyncio.get_running_loop()
            transport = await loop.start_tls(self.transport, self, context, server_side=True)
        except (OSError, EOFError):
            self.transport.abort()
            return
        if transport is not None:
            self.transport = transport
            self._secure = True

    def _on_auth(self, line: bytes) -> None:
        words = line.split()
        mechanism = words[1].upper() if len(words) > 1 else b""
        offered = bool(self.script.users) and mechanism.decode("latin-1") in self.script.mechanisms.split()
        if not offered or (self.script.auth_needs_tls and not self._secure):
            self._out.append(b"504 5.5.4 Unrecognized authentication type\r\n")
            return
        self._login = [mechanism]
        if len(words) > 2:
            self._answer(words[2])
        else:
            self._out.append(b"334 \r\n" if mechanism == b"PLAIN" else b"334 VXNlcm5hbWU6\r\n")

    def _answer(self, line: bytes) -> None:
        """Go on with AUTH PLAIN or LOGIN."""
        assert self._login is not None
        self._login.append(line)
        if self._login[0] == b"LOGIN" and len(self._login) == 2:
            self._out.append(b"334 UGFzc3dvcmQ6\r\n")
            return
        mechanism, *answers = self._login
        self._login = None
        try:
            words = [base64.b64decode(answer, validate=True).decode() for answer in answers]
        except (binascii.Error, UnicodeDecodeError):
            self._out.append(b"501 5.5.2 Cannot decode\r\n")
            return
        name, secret = words[0].split("\0")[1:3] if mechanism == b"PLAIN" else words
        known = self.script.users.get(name) == secret
        if (
            self._act("auth", b"235 2.7.0 Ok\r\n" if known else b"535 5.7.8 Error: authentication failed\r\n")
            and known
        ):
            self._user = name

    def _on_mail(self, line: bytes) -> None:
        if not self._greeted or self._sender is not None:
            self._out.append(_SEQUENCE)
            return
        if self.script.auth_required and self._user is None:
            self._out.append(b"530 5.7.0 Authentication required\r\n")
            return
        if self.script.max_messages is not None and self._messages >= self.script.max_messages:
            self._end(b"421 4.7.0 localhost Error: too many messages in one session\r\n")
            return
        address, parameters = _path(line)
        self.server.mail_parameters = parameters
        if self._act("mail", _OK["mail"]):
            self._sender = address

    def _on_rcpt(self, line: bytes) -> None:
        if self._sender is None:
            self._out.append(_SEQUENCE)
            return
        address, parameters = _path(line)
        self.server.rcpt_parameters = parameters
        if self._act("rcpt", _OK["rcpt"], address):
            self._recipients.append(address)
            self.server.begun(address)

    def _on_data(self, _line: bytes) -> None:
        if self._sender is None:
            self._out.append(_SEQUENCE)
            return
        usual = _OK["data"] if self._recipients else b"554 5.5.1 Error: no valid recipients\r\n"
        if self._act("data", usual, self._recipients[0] if self._recipients else ""):
            self._in_body = True
            self._searched = 0

    def _on_rset(self, _line: bytes) -> None:
        if self._act("rset", _OK["rset"]):
            self._over()

    def _on_noop(self, _line: bytes) -> None:
        self._act("noop", _OK["noop"])

    def _on_quit(self, _line: bytes) -> None:
        self._act("quit", _OK["quit"])
        self._ending = True

    def _body(self, start: int) -> int:
        """Find the end of a body that begins at `start`, and accept it; -1 while it has not come."""
        buffer = self._buffer
        if buffer.startswith(b".\r\n", start):
            end = start
        else:
            found = buffer.find(b"\r\n.\r\n", max(start, self._searched))
            if found < 0:
                self._searched = max(0, len(buffer) - start - 4)
                return -1
            end = found + 2
        self._in_body = False
        self._searched = 0
        self._finish(start, end)
        self._over()
        return end + 3

    def _finish(self, start: int, end: int) -> None:
        self._messages += 1
        id_ = f"L{self.server.recorder.count + 1:X}"
        usual = self.server.final_before + id_.encode() + self.server.final_after
        recipient = self._recipients[0] if self._recipients else ""
        rule = self.server.rule("final", recipient) if self.server.ruled else None
        if rule is None:
            self._record(start, end, id_)
            self._out.append(usual)
            return
        taken = rule.do in {Do.ACCEPT_DROP, Do.ACCEPT_STALL} or (
            rule.reply[:1] == "2" and rule.do is not Do.DROP
        )
        if taken:
            self._record(start, end, id_)
        self._obey(rule.do, octets(rule.reply.replace("{id}", id_)) if rule.reply else usual)

    def _record(self, start: int, end: int, id_: str) -> None:
        recorder = self.server.recorder
        if not self._recipients:
            return
        if not recorder.wants_details:
            recorder.count += len(self._recipients)
            return
        content = b""
        if recorder.keep:
            content = bytes(self._buffer[start:end]).replace(b"\r\n..", b"\r\n.")
            content = content[1:] if content.startswith(b"..") else content
        name = message_id(self._buffer, start, end)
        for recipient in self._recipients:
            recorder.take(Accepted(recipient, self._sender or "", name, end - start, now(), id_, content))


def _path(line: bytes) -> tuple[str, str]:
    """Give the address of a MAIL or RCPT command and what follows it."""
    text = line.decode("utf-8", "replace")
    start, end = text.find("<"), text.find(">")
    return text[start + 1 : end], text[end + 1 :].strip()
