"""From octets to text, whatever they claim to be: transfer encodings, charsets, encoded words (RFC 2045, 2047).

Never raises and never guesses for long: an unknown charset is UTF-8, else Windows-1252; broken base64 or
quoted-printable gives what can be had of it (E06, D16).
"""

from __future__ import annotations

import binascii
import codecs
import re
from functools import lru_cache
from typing import Final

# Codecs that speak of text. Python has others under such names (zip, idna, undefined), and some are slow.
_TEXTUAL: Final = re.compile(
    r"(?:us-?ascii|ascii|utf|unicode-1-1-utf-7|iso|latin|windows|cp|x-?mac|mac|koi8|gb|hz|big5|euc|shift|sjis|x-sjis"
    r"|ms932|x-ms|ks_?c|ksc|tis|viscii|johab|ansi)[\w.:+-]*\Z",
    re.IGNORECASE,
)
_ALIASES: Final = {
    "unicode-1-1-utf-7": "utf-7",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "ks_c_5601-1989": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-8859-8-i": "iso-8859-8",
    "x-mac-japanese": "cp932",
    "ansi_x3.4-1968": "utf-8",
}
_WORD: Final = re.compile(r"=\?([^?\s]{1,60})\?([bq])\?([^?]{0,2000})\?=", re.IGNORECASE)
_BETWEEN_WORDS: Final = re.compile(r"(?<=\?=)\s+(?==\?)")
_HARD_ESCAPE: Final = re.compile(rb"=[ \t]*\n")
_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]")


def text_of(octets: bytes, charset: str = "") -> str:
    """Give the text that octets of a charset are; a claim that cannot be true is not believed."""
    codec = _codec(charset)
    if codec in {"", "utf-8"}:
        return _guess(octets)
    try:
        return _whole(octets.decode(codec, "replace"))
    except (LookupError, ValueError):
        return _guess(octets)


def storable(text: str) -> str:
    """Give a text as every database can hold it: without NUL, and without half of a surrogate pair."""
    return _whole(text.replace("\x00", ""))


def _whole(text: str) -> str:
    """Replace the halves of surrogate pairs, which UTF-7 and JSON can spell and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def unwrapped(octets: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding; an unknown one changes nothing."""
    name = encoding.strip().lower()
    if name == "base64":
        return _from_base64(octets)
    if name == "quoted-printable":
        return binascii.a2b_qp(_HARD_ESCAPE.sub(b"=\n", octets))
    return octets


def words(text: str) -> str:
    """Give a header's value with its encoded words decoded; what is broken stays as it stands."""
    if "=?" not in text:
        return text
    return _WORD.sub(_word, _BETWEEN_WORDS.sub("", text))


def _word(match: re.Match[str]) -> str:
    charset, kind, content = match[1].partition("*")[0], match[2].lower(), match[3]
    octets = content.encode("ascii", "replace")
    raw = _from_base64(octets) if kind == "b" else binascii.a2b_qp(octets, header=True)
    return text_of(raw, charset).replace("\n", " ")


def _from_base64(octets: bytes) -> bytes:
    clean = _BASE64.sub(b"", octets.partition(b"=")[0] if octets.count(b"=") <= 2 else octets)
    clean = clean[: len(clean) - 1] if len(clean) % 4 == 1 else clean
    try:
        return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))
    except binascii.Error:
        return b""


def _guess(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        # A text cut off within a character is still UTF-8.
        if error.start >= len(octets) - 3:
            return octets.decode("utf-8", "replace")
        return octets.decode("cp1252", "replace")


@lru_cache(256)
def _codec(charset: str) -> str:
    name = charset.strip().strip("\"'").lower()[:60]
    name = _ALIASES.get(name, name)
    if not _TEXTUAL.match(name):
        return ""
    try:
        return codecs.lookup(name).name if name != "utf-8" else name
    except (LookupError, ValueError):
        return ""
