"""What the daemon writes to its log: lines for people, or JSON for programs, without an address or a token in either.

Promises: every line that goes out was masked as a whole, its traceback and the names of its fields' values included; a
line is one line, whatever stood in it. Masked are mail addresses, the tokens of our links and return paths, bearer
tokens, signing secrets and passwords in URLs. Masking is for what slips through: nobody is to log an address.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MASK: Final = "***"
LONGEST: Final = 20_000  # characters of one line
_FIELDS: Final = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {
    "message",
    "asctime",
    "taskName",
}

# Local parts are as wide as RFC 6531 lets them be; what stands in quotes is an address, too.
_LOCAL: Final = r"(?:\"[^\"\r\n]{1,300}\"|[^\s<>()\[\]{},;:\"'`|@]{1,300})"
_HOST: Final = r"(?:\[[^\]\s]{1,100}\]|[^\s<>()\[\]{},;:\"'`|@/?#&=%\\]{1,255})"
_RULES: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    # What stands before the host of a URL, first: it holds an @, too.
    (re.compile(r"([a-z][a-z0-9+.-]{1,20}://)[^\s/@\"']{1,300}@", re.IGNORECASE), rf"\1({MASK})"),
    (re.compile(r"((?:Bearer|Basic)\s+)[A-Za-z0-9+/=_.~-]{8,}", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"(?:mlr_|whsec_|whsk_)[A-Za-z0-9+/=_-]+"), MASK),
    (re.compile(rf"{_LOCAL}(?:@|%40){_HOST}", re.IGNORECASE), f"{MASK}@{MASK}"),
    # Our links: a short word and a token that stands alone; and tokens in queries.
    (re.compile(r"(/[a-z]{1,12}/)[A-Za-z0-9_-]{16,64}(?![A-Za-z0-9_-])"), rf"\1{MASK}"),
    (re.compile(r"([?&](?:token|t|key|secret|password|signature)=)[^\s&\"']+", re.IGNORECASE), rf"\1{MASK}"),
    # What is long and looks drawn at random: our mail tokens are 22 hexadecimal digits and more.
    (re.compile(r"\b[0-9a-fA-F]{22,64}\b"), MASK),
    (
        re.compile(r"\b(?=[A-Za-z_-]*[0-9])(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])[A-Za-z0-9_-]{18,64}\b"),
        MASK,
    ),
)
_BREAKS: Final = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(128, 160)) if code != 9}
_BREAKS[0x2028] = "\\u2028"
_BREAKS[0x2029] = "\\u2029"


def masked(text: str) -> str:
    """Give a text in which no address and no token is left, cut to what a person may read; line breaks stay."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} …"
    for pattern, mask in _RULES:
        text = pattern.sub(mask, text)
    return text


class Lines(logging.Formatter):
    """One line a record for people: time, level, room, words; a traceback follows on the same line, marked."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        words = [record.getMessage(), *_trouble(self, record)]
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%S")
        return f"{at} {record.levelname} {record.name}: {_one_line(masked(chr(10).join(words)))}"


class Objects(logging.Formatter):
    """One JSON object a record: at, level, room, message, what else the record was given, and its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the object on one line."""
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "room": record.name,
            "message": masked(record.getMessage()),
        }
        more = {name: value for name, value in vars(record).items() if name not in _FIELDS}
        told |= {masked(name): _plain(value) for name, value in more.items()}
        for trouble in _trouble(self, record):
            told["traceback"] = masked(trouble)
        return json.dumps(told, ensure_ascii=True)


def _trouble(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    parts = [formatter.formatException(record.exc_info)] if record.exc_info and record.exc_info[0] else []
    return parts + ([formatter.formatStack(record.stack_info)] if record.stack_info else [])


def _plain(value: object) -> object:
    """Give a value that JSON can say, masked; numbers stay numbers."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return masked(str(value))


def _one_line(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", " ⏎ ").translate(_BREAKS)


def configure_logging(
    level: str | int = "INFO", *, json: bool = False, stream: IO[str] | None = None
) -> logging.Handler:
    """Let every log of this process go through one handler that masks; gives it. Called anew, it replaces its own."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Objects() if json else Lines())
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each.formatter, (Lines, Objects))]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # they bring handlers of their own
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # httpx tells the whole URL of every request, procrastinate the beginning and the end of every batch.
    for name in ("httpx", "httpcore", "apscheduler", "aiosmtplib", "procrastinate"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler
