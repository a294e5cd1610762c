"""What is said and heard on an SMTP line, as pure functions of octets: commands out, replies in.

Promises: no command carries a control character, a bracket or a line break from an address (RFC 5321, 4.1.2);
every extension is used only where the server offered it (N01, I01); every reply is bounded and made printable
before anyone shows it. Never: reads or writes a socket.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.smtp.model import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailer.smtp.model import Envelope

MAX_REPLY = (
    16 * 1024
)  # octets of one reply, all its lines: far above any real one, which has at most 50 lines of 512
MAX_TEXT = 500
MAX_PATH = 254  # octets of an address: RFC 5321, 4.5.3.1.3 gives 256 with the brackets (S05)
MAX_ENVID, MAX_ORCPT = 100, 500  # RFC 3461, 4.4 and 4.2 (N04, N05)

# Everything that could end a command or a path early, line separators of Unicode and lone surrogates
# included.
_FORBIDDEN = r"\x00-\x20\x7f-\x9f<>\u2028\u2029\ud800-\udfff"
_ADDRESS = re.compile(
    rf'(?:[^"@,;:()\[\]\\{_FORBIDDEN}]+|"(?:[^"\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|\\[\x20-\x7e])*")'
    rf'@[^"@,;()\\{_FORBIDDEN}]+'
)
# What needs no care of any kind: short, ASCII, no quotes, and its own xtext, but for a sender's plus.
_USUAL = re.compile(r"[A-Za-z0-9!#$%&'*/?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,180}").fullmatch
_USUAL_SENDER = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,180}").fullmatch
_USUAL_ENVID = re.compile(r"[A-Za-z0-9]{1,100}").fullmatch
_PLAIN_XTEXT = re.compile(r"[!-*,-<>-~]+")
_ONE_LINE = re.compile(
    rb"[0-9]{3} (?:([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |(?=\r))|(?![245]\.))([!-~](?:[ -~]{0,498}[!-~])?)?\r\n"
).fullmatch
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")

CODES = {b"%d" % code: code for code in range(200, 600)}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the last EHLO offered.

    `size` is None where SIZE was not offered, 0 where it names no limit (RFC 1870).
    """

    pipelining: bool = False
    size: int | None = None
    dsn: bool = False
    smtputf8: bool = False

    @classmethod
    def read(cls, extensions: Mapping[str, str]) -> Capabilities:
        """Read the keywords of an EHLO reply, in lower case, with their parameters."""
        limit = extensions.get("size", "").strip()
        number = int(limit) if re.fullmatch(r"[0-9]{1,20}", limit) else 0
        return cls(
            pipelining="pipelining" in extensions,
            size=number if "size" in extensions else None,
            dsn="dsn" in extensions,
            smtputf8="smtputf8" in extensions,
        )


def unfit(envelope: Envelope, offered: Capabilities) -> tuple[str, Reply] | None:
    """Give the command and the refusal that follow without asking the server, or None."""
    if offered.size and envelope.size > offered.size:
        return "mail", Reply(
            552, "5.3.4", f"{envelope.size} octets are more than the server's {offered.size}"
        )
    if envelope.mail_from and (refusal := _unfit(envelope.mail_from, offered, "5.1.7")):
        return "mail", refusal
    if refusal := _unfit(envelope.recipient, offered, "5.1.3"):
        return "rcpt", refusal
    if envelope.smtputf8 and not offered.smtputf8:
        return "mail", Reply(553, "5.6.7", "the message needs SMTPUTF8, which the server does not offer")
    return None


def _unfit(address: str, offered: Capabilities, enhanced: str) -> Reply | None:
    if not _ADDRESS.fullmatch(address):
        return Reply(553, enhanced, "SMTP cannot carry this address")
    if not address.isascii() and not offered.smtputf8 and not (address := _on_wire(address)).isascii():
        return Reply(553, "5.6.7", "the address needs SMTPUTF8, which the server does not offer")
    if len(address) > MAX_PATH or len(address.encode()) > MAX_PATH:
        return Reply(553, enhanced, f"the address has more than {MAX_PATH} octets")
    return None


def a_label(domain: str) -> str:
    """Give a domain in ASCII (I03, I05; RFC 5891), or as it was where that cannot be."""
    if domain.isascii():
        return domain
    import idna  # noqa: PLC0415 - a large table that few mailings need

    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return domain


def _on_wire(address: str) -> str:
    if address.isascii():
        return address
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{a_label(domain)}"


def envelope_commands(envelope: Envelope, offered: Capabilities) -> tuple[bytes, bytes]:
    """Give the MAIL and the RCPT command of a fit envelope, each with CRLF and of at most 1,036 octets (N06)."""
    sender, recipient = _on_wire(envelope.mail_from), _on_wire(envelope.recipient)
    mail, rcpt = f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>"
    if offered.size is not None:
        mail = f"{mail} SIZE={envelope.size}"
    if offered.dsn:
        mail = f"{mail} RET=HDRS{_envid(envelope.envid)}"
        rcpt = f"{rcpt} NOTIFY=FAILURE{_orcpt(recipient)}"
    if envelope.smtputf8 or not (sender.isascii() and recipient.isascii()):
        # Headers in UTF-8 are eight-bit text; who offers SMTPUTF8 offers 8BITMIME (RFC 6531, 3.1; I04).
        mail = f"{mail} BODY=8BITMIME SMTPUTF8"
    return f"{mail}\r\n".encode(), f"{rcpt}\r\n".encode()


def usual_group(envelope: Envelope, offered: Capabilities) -> bytes | None:
    """Give MAIL, RCPT and DATA in one piece for an envelope of which nothing has to be weighed, None for any other.

    It is fit then, and the octets are those of `envelope_commands`, which takes a dozen steps to get there.
    """
    sender, recipient, size, envid, smtputf8 = envelope
    if smtputf8 or not _USUAL(recipient) or not _USUAL_SENDER(sender) or not _USUAL_ENVID(envid):
        return None
    most = offered.size
    if most and size > most:
        return None
    sized = "" if most is None else f" SIZE={size}"
    if offered.dsn:
        mail = f"MAIL FROM:<{sender}>{sized} RET=HDRS ENVID={envid}"
        rcpt = f"RCPT TO:<{recipient}> NOTIFY=FAILURE ORCPT=rfc822;{recipient}"
        return f"{mail}\r\n{rcpt}\r\nDATA\r\n".encode()
    return f"MAIL FROM:<{sender}>{sized}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode()


def xtext(text: str) -> str:
    """Encode printable ASCII as RFC 3461, section 4, says: `+` and `=` become hexadecimal."""
    if _PLAIN_XTEXT.fullmatch(text):
        return text
    return "".join(char if _PLAIN_XTEXT.fullmatch(char) else f"+{ord(char):02X}" for char in text)


def _envid(envid: str) -> str:
    # One that is too long or not ASCII is left out: it only helps, the return path is what identifies.
    encoded = xtext(envid) if envid.isascii() and envid.isprintable() else ""
    return f" ENVID={encoded}" if 0 < len(encoded) <= MAX_ENVID else ""


def _orcpt(recipient: str) -> str:
    if recipient.isascii():
        encoded = f" ORCPT=rfc822;{xtext(recipient)}"
    else:
        # RFC 6533, section 3: in the seven-bit form that every transport takes.
        plain = (
            char if _PLAIN_XTEXT.fullmatch(char) and char != "\\" else f"\\x{{{ord(char):X}}}"
            for char in recipient
        )
        encoded = f" ORCPT=utf-8;{''.join(plain)}"
    return encoded if len(encoded) <= MAX_ORCPT else ""


def read_reply(code: int, raw: bytes) -> Reply:
    """Give the reply in `raw`, which has all its lines, codes and line ends. Takes anything (S06)."""
    if usual := _ONE_LINE(raw):
        status, said = usual.groups(b"")
        return Reply(code, status.decode(), said.decode())
    enhanced, words = "", []
    for line in raw[:MAX_REPLY].decode("utf-8", "replace").splitlines():
        text = line[4:] if line[:3].isdecimal() else line
        if match := _ENHANCED.match(text):
            enhanced, text = enhanced or match[1], text[match.end() :]
        if not text.isprintable():
            text = "".join(char if char.isprintable() else " " for char in text)
        words.append(text.strip())
    return Reply(code, enhanced, " ".join(filter(None, words))[:MAX_TEXT])
