"""A relay as its operator describes it: a URL with options, turned into one frozen value.

`smtp://user:secret@host:port?tls=off|if-offered|starttls|implicit&connections=20`, `smtps://…`,
`folder:///path`. Secrets may hold raw `/`, `+`, `:`, `?` and `@`; `%40` works too (RFC 3986, section 2.1).
All problems are reported at once, each with its key; no error, log or repr ever shows the secret, nor any
part of the URL that might hold it.

Where `tls` is not given: port 465 and smtps mean implicit, port 587 and credentials mean starttls, a loopback
host means off, anything else if-offered. `if-offered` takes any certificate, as it would take no TLS at all
(RFC 7435), unless credentials are to be sent; starttls and implicit check it (RFC 8314, section 5.1).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from mailer.errors import UserError
from mailer.smtp.options import SECRETS, Options
from mailer.smtp.wire import a_label

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """Which table tells the relay's own replies from those of the far host."""

    SMTP = "smtp"
    SES = "ses"
    POSTFIX = "postfix"
    DIRECT = "direct"
    FOLDER = "folder"


class Tls(StrEnum):
    """When the line is encrypted."""

    OFF = "off"
    IF_OFFERED = "if-offered"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for each answer: the least that RFC 5321, section 4.5.3.2, allows (S07).

    `connect` covers the TCP connection to one address; `block` is how long the line may take no octet of a
    body.
    """

    connect: float = 30
    greeting: float = 300
    mail: float = 300
    rcpt: float = 300
    data: float = 120
    block: float = 180
    final: float = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """One way out. Limits that are None do not bind; `streams` that is empty serves every stream."""

    name: str = "main"
    kind: Kind = Kind.SMTP
    host: str = ""
    port: int = 25
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Tls = Tls.IF_OFFERED
    verify: bool = True
    ca: Path | None = None
    connections: int = 10
    weight: int = 1
    per_second: float | None = None
    per_hour: int | None = None
    per_day: int | None = None
    per_connection: int | None = None
    streams: tuple[str, ...] = ()
    timeouts: Timeouts = Timeouts()
    folder: Path | None = None

    @property
    def label(self) -> str:
        """Where it leads, for people: `smtp.example.org:587`, never with credentials."""
        if self.folder is not None:
            return str(self.folder)
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether the line never leaves this machine, so that credentials may travel in the clear."""
        return is_loopback(self.host)

    @property
    def rewrites(self) -> frozenset[str]:
        """The header fields that it writes anew, which a signature of ours must leave out."""
        return _REWRITES.get(self.kind, frozenset())

    def serves(self, stream: str) -> bool:
        """Say whether mail of this stream may go this way."""
        return not self.streams or stream in self.streams


# Amazon SES replaces both (Developer Guide, "Header fields"); other relays leave what is there.
_REWRITES = {Kind.SES: frozenset({"Message-ID", "Date"})}


def is_loopback(host: str) -> bool:
    """Say whether a host name or address means this machine (RFC 6761, section 6.3; RFC 1122; RFC 4291)."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*):(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_PLACE = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s\x00-\x20/?#@:\[\]]+)(?::(?P<port>[0-9]{0,5}))?/?(?:\?(?P<query>[^#]*))?"
)
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)
_PORTS = {Tls.OFF: 25, Tls.IF_OFFERED: 25, Tls.STARTTLS: 587, Tls.IMPLICIT: 465}
_YES_NO = dict.fromkeys(("yes", "true", "on", "1"), True) | dict.fromkeys(("no", "false", "off", "0"), False)
# Least and greatest value of each number.
_NUMBERS: Mapping[str, tuple[float, float]] = {
    "connections": (1, 1000),
    "weight": (1, 1000),
    "per_hour": (1, 10**9),
    "per_day": (1, 10**9),
    "per_connection": (1, 10**9),
}
_RATES: Mapping[str, tuple[float, float]] = {"per_second": (0.001, 10**6)}
_WAITS: Mapping[str, tuple[float, float]] = {f"timeout_{one.name}": (0.01, 3600) for one in fields(Timeouts)}
_KNOWN = frozenset({*_NUMBERS, *_RATES, *_WAITS, *SECRETS, "kind", "tls", "verify", "ca", "streams"})


def parse_relay(url: str, name: str = "main", table: Mapping[str, object] | None = None) -> Relay:
    """Read a relay's URL.

    `table` (of mailer.toml) wins over the query, and may hold username and password. Raises
    UserError with every problem at once, each with the key it is about.
    """
    match = _URL.fullmatch(url.strip())
    scheme = match["scheme"].lower() if match else ""
    options = Options(name)
    if match is None or scheme not in {"smtp", "smtps", "folder"}:
        options.wrong("url", "must begin with smtp://, smtps:// or folder://")
        raise UserError(*options.problems)
    rest = match["rest"].removeprefix("//")
    return (_folder if scheme == "folder" else _smtp)(options, scheme, rest, table or {})


def _common(options: Options) -> dict[str, Any]:
    """Give what a folder and a server have in common."""
    streams = filter(None, (word.strip() for word in options.words.get("streams", "").split(",")))
    waits = {key.removeprefix("timeout_"): value for key, value in options.numbers(float, _WAITS).items()}
    numbers = options.numbers(int, _NUMBERS) | options.numbers(float, _RATES)
    return {"name": options.name, "streams": tuple(streams), "timeouts": Timeouts(**waits), **numbers}


def _relay(options: Options, **values: Any) -> Relay:
    """Give the relay, or raise all that is wrong."""
    if options.problems:
        raise UserError(*options.problems)
    return Relay(**values)


def _folder(options: Options, _scheme: str, rest: str, table: Mapping[str, object]) -> Relay:
    path, _, query = rest.partition("?")
    options.load(query, {key: value for key, value in table.items() if key != "kind"}, _KNOWN)
    if not path or "\0" in unquote(path):
        options.wrong("url", "names no folder: write folder:///path/to/folder")
    return _relay(
        options,
        **_common(options),
        kind=Kind.FOLDER,
        tls=Tls.OFF,
        port=0,
        folder=_path(unquote(path)),
    )


def _smtp(options: Options, scheme: str, rest: str, table: Mapping[str, object]) -> Relay:
    credentials, place = _split(rest)
    options.load((place and place["query"]) or "", table, _KNOWN)
    host = _host(options, place)
    username, password = _credentials(options, credentials)
    port = int((place and place["port"]) or 0)
    if port > 65535:
        options.wrong("url", "has a port above 65535")
    tls = _tls(options, scheme, port, secret=username is not None, near=is_loopback(host))
    kinds = {kind.value: kind for kind in Kind if kind is not Kind.FOLDER}
    verify = options.word("verify", _YES_NO)
    return _relay(
        options,
        **_common(options),
        kind=options.word("kind", kinds) or _guess(host),
        host=host,
        port=port or _PORTS[tls],
        username=username,
        password=password,
        tls=tls,
        verify=(tls is not Tls.IF_OFFERED or username is not None) if verify is None else verify,
        ca=_ca(options),
    )


def _split(rest: str) -> tuple[str | None, re.Match[str] | None]:
    """Part credentials and place at the last `@` that has a place behind it: all others are the secret's."""
    at = len(rest)
    while (at := rest.rfind("@", 0, at)) >= 0:
        if place := _PLACE.fullmatch(rest, at + 1):
            return rest[:at], place
    return None, _PLACE.fullmatch(rest)


def _host(options: Options, place: re.Match[str] | None) -> str:
    """Give the host in the form that goes to the resolver and into the TLS handshake (A-labels)."""
    host = place["host"] if place else ""
    try:
        if host.startswith("["):
            return str(ipaddress.IPv6Address(host[1:-1]))
        host = a_label(host)
    except ValueError:
        host = ""
    if not _HOST.fullmatch(host):
        # Nothing of the URL is shown: what stands in the wrong place may be the secret.
        options.wrong("url", "must read smtp://host:port or smtp://user:secret@host:port")
    return host


def _credentials(options: Options, credentials: str | None) -> tuple[str | None, str | None]:
    username, password = options.words.get("username"), options.words.get("password")
    if credentials is not None:
        before, _, after = credentials.partition(":")
        username, password = username or unquote(before), password or unquote(after)
    if (username or "") == "" and password:
        options.wrong("username", "is missing beside the password")
    if username and not password:
        options.wrong("password", "is missing beside the user name")
    if any(char in (username or "") + (password or "") for char in "\0\r\n"):
        options.wrong("password", "or user name holds a line break or NUL")
    return username or None, password or None


def _tls(options: Options, scheme: str, port: int, *, secret: bool, near: bool) -> Tls:
    asked = options.word("tls", {tls.value: tls for tls in Tls})
    if scheme == "smtps" and asked not in {None, Tls.IMPLICIT}:
        options.wrong("tls", f"={asked} contradicts smtps://, which is tls=implicit")
    if asked is Tls.OFF and secret and not near:
        options.wrong("tls", "=off would send the password in the clear: use starttls or implicit")
    if asked is not None:
        return asked
    if scheme == "smtps" or port == 465:
        return Tls.IMPLICIT
    if near:
        return Tls.OFF
    return Tls.STARTTLS if secret or port == 587 else Tls.IF_OFFERED


def _guess(host: str) -> Kind:
    """Amazon's end points are known by name: email-smtp.REGION.amazonaws.com."""
    name = host.lower().rstrip(".")
    return Kind.SES if name.startswith("email-smtp") and name.endswith(".amazonaws.com") else Kind.SMTP


def _ca(options: Options) -> Path | None:
    value = options.words.get("ca")
    if not value:
        return None
    path = _path(value)
    if "\0" in value or not path.is_file():
        options.wrong("ca", f"names no file: {value}")
    return path


def _path(text: str) -> Path:
    """Expand `~`, and take a user that does not exist for a name like any other."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)
