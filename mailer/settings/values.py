"""The kinds of values that settings are made of, each checked once, with words that say what to do.

Pure functions: they take what stands in the file and give the value that the program uses, or raise
ValueError with a message for a person. example.org and other placeholders are valid values: `mailer check`
warns of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import PurePosixPath
from typing import Annotated, Final
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator

_DATABASES: Final = ("sqlite", "postgresql", "postgres", "postgresql+psycopg")
_LONGEST_NAME: Final = 255  # octets, on every file system that we know
_PLACEHOLDER: Final = re.compile(
    r"(?:[@/.]|^)(?:example\.(?:com|net|org)|[\w.-]+\.example|your-?domain\.\w+)\b"
    r"|\bExample (?:Street|Town)\b|\bchange[- ]?me\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`Name <local@domain>`: the name is any text on one line, the address is normalised."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """What stands behind the @."""
        return self.address.rpartition("@")[2]


def address(text: str) -> str:
    """Give the address in its normal form (RFC 5321, 6531), or raise ValueError."""
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - loads idna's tables

    try:
        checked = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"{text!r} is no mail address: {error}") from None
    return checked.normalized


def mailbox(text: object) -> Mailbox:
    """Read `Name <a@b>` or a bare address."""
    if isinstance(text, Mailbox):
        return text
    if not isinstance(text, str) or any(ord(char) < 32 for char in text):
        raise ValueError('write it as "Name <news@your-domain>", on one line')
    name, plain = parseaddr(text)
    if "@" not in plain:
        raise ValueError(f'{text!r} holds no mail address; write it as "Name <news@your-domain>"')
    return Mailbox(name.strip(), address(plain))


def web_address(text: str) -> str:
    """Give an absolute http or https URL as it was written; no user, query or fragment."""
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"\s", text.strip()):
        raise ValueError(f"{text!r} is no web address; write it as https://www.your-domain/")
    if parts.username or parts.query or parts.fragment:
        raise ValueError(f"{text!r} must not hold a user, a ? or a #")
    return text.strip()


def time_zone(name: str) -> str:
    """Check the name against the IANA time-zone database."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write a name such as Europe/Berlin") from None
    return name


def language(tag: str) -> str:
    """Check the shape of a BCP 47 tag: en, pt-BR, zh-Hant."""
    if not re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}", tag):
        raise ValueError(f"{tag!r} is no language tag; write en, de, pt-BR or zh-Hant")
    return tag


def glob(pattern: str) -> str:
    """Check that a pattern stays inside the newsletter's folder, and that Path.glob takes it."""
    path = PurePosixPath(pattern)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in pattern:
        raise ValueError(f"{pattern!r} must be a pattern inside this folder, such as issues/*.md")
    if any("**" in part and part != "**" for part in path.parts):
        raise ValueError(f"{pattern!r}: ** is any number of folders, and stands alone: issues/**/*.md")
    if any(len(part.encode()) > _LONGEST_NAME for part in path.parts):
        raise ValueError(f"{pattern[:40]!r}... holds a name that is longer than any file's may be")
    return pattern


def database(url: str) -> str:
    """Check the scheme of a database URL; the password in it is never repeated in a message."""
    scheme, found, rest = url.partition("://")
    if not found or scheme not in _DATABASES or not rest.strip("/"):
        raise ValueError("write sqlite:///path/to/file.db or postgresql://user:password@host/name")
    return url


def theme(values: dict[str, str]) -> dict[str, str]:
    """Check that each value can stand in CSS: nothing that would end the declaration."""
    for name, value in values.items():
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name):
            raise ValueError(f"{name!r} is no theme name")
        if not re.fullmatch(r"[^;{}<>\\@\x00-\x1f]{1,200}", value) or re.search(
            r"url\(|expression", value, re.IGNORECASE
        ):
            raise ValueError(f"{name} = {value!r}: write a colour such as #1a5fb4")
    return values


def uuid(text: object) -> UUID:
    """Read the newsletter's UUID, or raise a ValueError that says where it comes from."""
    try:
        return UUID(str(text))
    except ValueError:
        raise ValueError("this must be the UUID that mailer init wrote here") from None


def name_of(kind: str, text: str) -> str:
    """Check the name of a list, brand or relay: it becomes part of file names, headers and commands."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", text):
        raise ValueError(f"{text!r} cannot name a {kind}: use a to z, 0 to 9, - and _")
    return text


def domain(text: str) -> str:
    """Give a domain in lower case as A-labels (RFC 5891), as addresses are kept."""
    plain = text.strip().rstrip(".").lower()
    if not plain.isascii():
        import idna  # noqa: PLC0415 - few domains need its tables

        try:
            plain = idna.encode(plain, uts46=True).decode()
        except UnicodeError:
            plain = ""
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", plain):
        raise ValueError(f"{text!r} is no domain name")
    return plain


def list_id(text: str) -> str:
    """Check a List-Id (RFC 2919): `label.domain`, at most 255 octets, without angle brackets."""
    plain = text.strip().removeprefix("<").removesuffix(">")
    if len(plain) > 253 or not re.fullmatch(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+", plain):
        raise ValueError(f"{text!r} is no List-Id; write it as news.your-domain")
    return plain


def feedback_id(text: str) -> str:
    """Check the last field of Feedback-ID (G17): 5 to 15 characters, the same for ever."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{5,15}", text):
        raise ValueError(f"{text!r} must be 5 to 15 letters, digits, dots or hyphens")
    return text


def one_line(text: str) -> str:
    """Refuse control characters: the text becomes part of a header."""
    if any(ord(char) < 32 or ord(char) == 127 for char in text) or len(text) > 500:
        raise ValueError("write it on one line, at most 500 characters, without control characters")
    return text.strip()


def is_placeholder(text: str) -> bool:
    """Tell whether a value still is the example that stands in the documentation."""
    return bool(_PLACEHOLDER.search(text))


MailboxValue = Annotated[Mailbox, BeforeValidator(mailbox)]
AddressValue = Annotated[str, AfterValidator(address)]
UrlValue = Annotated[str, AfterValidator(web_address)]
ZoneValue = Annotated[str, AfterValidator(time_zone)]
LanguageValue = Annotated[str, AfterValidator(language)]
GlobValue = Annotated[str, AfterValidator(glob)]
DatabaseValue = Annotated[str, AfterValidator(database)]
ThemeValue = Annotated[dict[str, str], AfterValidator(theme)]
UuidValue = Annotated[UUID, BeforeValidator(uuid)]
DomainValue = Annotated[str, AfterValidator(domain)]
ListIdValue = Annotated[str, AfterValidator(list_id)]
FeedbackIdValue = Annotated[str, AfterValidator(feedback_id)]
LineValue = Annotated[str, AfterValidator(one_line)]
