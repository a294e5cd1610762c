"""The message that came back with a report: as a part of its own, or within the text below a mark.

What is returned proves that we sent it (its Message-ID, our headers) and often names the reader where the report does
not. Marks are a table: how each mail system cuts off its words from the message (D15).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from textwrap import dedent
from typing import TYPE_CHECKING, Final

from mailer.feedback.reading.addresses import in_text, tidy
from mailer.feedback.reading.mime import Header, split

if TYPE_CHECKING:
    from mailer.feedback.reading.mime import Mail, Part

LARGEST: Final = 1 << 16  # characters of a returned header

RETURNED: Final = (
    "message/rfc822",
    "text/rfc822-headers",
    "text/rfc822-header",
    "text/rfc822",
    "message/rfc822-headers",
    "message/global",
    "message/global-headers",
    "message/partial",
    "message/x-rfc822",
)

# One alternative a way to write it; the line that matches, and all below it, is the returned message.
MARK: Final = re.compile(
    r"^[ \t>|*#=_-]{0,30}(?:"
    r"below this line is a copy of the message"  # qmail, Yahoo
    r"|enclosed (?:is a copy of|are) the (?:original )?(?:message|mail)"  # qmail with QMAILMIME
    r"|(?:the )?original message (?:follows|headers? follows?|is attached|text follows)"  # DragonFly, IMail, InterMail
    r"|original mail (?:as follows|follows)"  # FML
    r"|original message(?: headers?)?\s*(?:[-:=_*]|$)"  # Gmail, Exchange
    r"|this is a copy of (?:the|your) message"  # Exim
    r"|the body of the message is \d+"  # Exim
    r"|(?:the )?headers? of the original message"  # 1&1, GMX
    r"|message headers? follows?|message (?:text|body) follows|message follows"  # DragonFly, Smail
    r"|below is a copy of the original message"  # OpenSMTPD
    r"|included is a copy of the message"  # MXLogic
    r"|returned message|returned mail follows"  # Notes
    r"|(?:unsent|undelivered|failed|bounced) message(?: follows)?\s*[-:=]"  # Sendmail
    r"|(?:start|beginning) of (?:the )?(?:original|returned|forwarded|truncated) (?:message|header)"
    r"|(?:original|returned) message (?:header|follows|begins)|your (?:original )?message (?:follows|reads)"
    r"|your message (?:header|was)? ?(?:begins|as follows|follows)|text of (?:the )?message follows"
    r"|date de l'?envoi|intestazioni originali|en-t[êe]tes (?:de message )?d'origine|urspr[üu]ngliche nachrichtenk"
    r"|originale? bericht|encabezados de mensajes? original|cabe[çc]alhos (?:de mensagens )?origina|oryginalne nag"
    r"|元のメッセージ|元のヘッダー|原始(?:邮件|郵件)|исходный текст|заголовки исходного"
    r"|----- (?:unsent|undelivered|returned|original|header|message)"
    r"|\*\*\* message (?:header|truncated)"
    r")",
    re.IGNORECASE | re.MULTILINE,
)
# A message begins without any mark where three fields of a header stand in a row.
_FIELD: Final = re.compile(
    r"([ \t>]*)(?:return-path|received|from|to|cc|subject|date|message-id|mime-version|content-type|x-[\w-]+"
    r"|sender|reply-to|dkim-signature|domainkey-signature|authentication-results|content-transfer-encoding"
    r"|user-agent|list-[\w-]+)[ \t]*:",
    re.IGNORECASE,
)
ENOUGH: Final = 3
_FOR: Final = re.compile(r"\bfor\s+<?([^\s<>;@]{1,128}@[^\s<>;]{1,255})>?")


@dataclass(frozen=True)
class Returned:
    """What came back: its header, and whom it was for, by its fields and by its Received lines.

    Each is found once: a report of a hundred recipients asks for them a hundred times.
    """

    header: Header
    text: str = ""

    @cached_property
    def recipients(self) -> list[str]:
        """Give whom it was addressed to, as far as it says."""
        named = self.header.all("x-original-to", "delivered-to", "envelope-to", "x-envelope-to")
        fields = self.header.all("to", "cc", "x-rcpt-to", "resent-to")
        return _addresses(fields) or _addresses(named) or self.routed

    @cached_property
    def routed(self) -> list[str]:
        """Give whom its Received lines name."""
        found = (_FOR.search(line) for line in self.header.all("received")[:20])
        return list(dict.fromkeys(address for match in found if match and (address := tidy(match[1]))))

    @cached_property
    def senders(self) -> list[str]:
        """Give who had sent it."""
        return _addresses(
            self.header.all("from", "return-path", "sender", "reply-to", "errors-to", "x-sender")
        )

    def __bool__(self) -> bool:
        return bool(self.header.fields)


NOTHING: Final = Returned(Header(""))


def in_parts(mail: Mail) -> Returned:
    """Give the message that is a part of the mail, or NOTHING."""
    part = next((part for part in mail.parts if part.type in RETURNED), None)
    return _opened(part) if part else NOTHING


def in_words(text: str) -> tuple[str, Returned]:
    """Part a text into what the mail system says and the message below it."""
    mark = MARK.search(text)
    start = _first_fields(text)
    if mark and mark.start() <= start:
        return text[: mark.start()], _message(text[mark.end() :].partition("\n")[2])
    if start < len(text):
        return text[:start], _message(text[start:])
    return text, NOTHING


def _first_fields(text: str) -> int:
    """Give where fields of a header stand in a row, or the length of the text; folded lines stand further right."""
    row, begun, indent, place = 0, 0, 0, 0
    for line in text.split("\n"):
        field = _FIELD.match(line)
        if field and (not row or len(field[1]) == indent):
            row, begun, indent = row + 1, begun if row else place, len(field[1])
            if row >= ENOUGH:
                return begun
        elif not row or not line.strip() or len(line) - len(line.lstrip(" \t")) <= indent:
            row = 0
        place += len(line) + 1
    return len(text)


def _opened(part: Part) -> Returned:
    text = part.text()
    header, _ = split(text.lstrip("\n").encode("utf-8", "replace"))
    return Returned(header, text)


def _message(below: str) -> Returned:
    """Read a message's fields from a text that may begin with a rule, blank lines or quotes."""
    start = _first_fields(below)
    start = start if start < min(len(below), 2000) else 0
    text = dedent(re.sub(r"\A(?:[ \t]*\n)+", "", below[start : start + LARGEST]))
    header, _ = split(text.encode("utf-8", "replace"))
    return Returned(header, below)


def _addresses(values: list[str]) -> list[str]:
    return list(dict.fromkeys(address for value in values[:20] for address in in_text(value[:4000])))
