r"""Bytes of any kind -> lines of clean text, with a finding for each repair.

The encoding is that of the byte order mark, else UTF-8, else what the file declares, else what charset-normalizer
believes. Control characters, noncharacters and lone surrogates go; C1 characters are read as the windows-1252 they
almost always are (U+0092 is an apostrophe, and lets Gmail clip a mail). `mend_encoding` undoes mojibake line by
line with `ftfy.fix_encoding`; `fix_text` is never used: it would uncurl quotes and turn `&lt;` into a tag.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from mailer.errors import Problem, UserError
from mailer.issue.page import Edit, Note, Page, error, info, warning

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"(?:charset|encoding|coding)[ \t]*[=:][ \t]*[\"']?([A-Za-z][\w.:-]{1,30})")
_NAMES = (
    "cp1252 cp1251 cp1250 cp1253 cp1254 cp1255 cp1256 cp1257 koi8_r koi8_u iso8859_2 iso8859_5 iso8859_6 "
    "gb18030 big5 shift_jis euc_jp iso2022_jp euc_kr cp874 mac_roman cp437 cp850"
)
_PLAUSIBLE = _NAMES.split()
_TEXT_CODECS = frozenset(_PLAUSIBLE) | {
    "utf-8",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "iso8859-1",
    "ascii",
    "gbk",
}
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufdd0-\ufdef\ufffe\uffff\U0001fffe\U0001ffff]")
_BREAKS = re.compile("\r\n?")
_SEPARATORS = re.compile("[\x0b\x0c\u2028\u2029]")  # no editor counts them as line ends
_SURROGATES = re.compile("[\ud800-\udfff]")
_C1 = re.compile("[\x80-\x9f]")
_C1_MEANING = {n: bytes((n,)).decode("cp1252", "ignore") for n in range(0x80, 0xA0)}
# Mojibake has two or more such characters in a row; quotes, dashes and hard spaces in a row are just typography.
_ODD = "\x80-\x9f\xa1-\u200f\u2028-\u2dff"
_SUSPECT = re.compile(f"[\x80-\u2dff][{_ODD}]|[{_ODD}][\x80-\u2dff]|\u00c3 ")
_HIGH_PAIR = re.compile(rb"[\x80-\xff]{2}")
_HIGH = re.compile(rb"[\x80-\xff]")
_SAMPLE = 32_000
_MOST_LINES = 100_000
_LONGEST_LINE = 50_000  # ftfy needs 4 s for a line of a megabyte


class _Read(NamedTuple):
    text: str
    note: Note | None


def decode(source: bytes, file: str) -> Page:
    """Give the clean text as a page; raises UserError when it is no text at all."""
    text, note = _read(source)
    page = Page.of(_joined(_BREAKS.sub("\n", text)), file)
    if len(page.numbers) > _MOST_LINES:
        raise UserError(Problem(f"The file has more than {_MOST_LINES:,} lines.", file))
    controls = len(_CONTROLS.findall(page.text))
    if controls > max(20, len(text) // 50):
        raise UserError(Problem("This is no text file: it is full of control characters.", file))
    if note:
        page = page.noting(note, 1)
    page = page.sub(_CONTROLS, "", info("control-chars", "A control character was removed."))
    page = page.sub(
        _SEPARATORS, " ", info("control-chars", "A line separator (U+2028) was replaced by a space.")
    )
    return page.sub(
        _SURROGATES, "", warning("control-chars", "Half a character (a lone surrogate) was removed.")
    )


def mend_encoding(page: Page) -> Page:
    """Undo mojibake and C1 characters; what is hidden on the page is left as it is, but for C1 characters."""
    page = page.splice(_mended(page.text)) if _SUSPECT.search(page.text) else page
    if _C1.search(page.text):
        note = warning(
            "c1-chars", "Control characters of windows-1252 were replaced by the signs they stand for."
        )
        page = page.sub(_C1, lambda c: _C1_MEANING[ord(c[0])], note)
    hidden = tuple(clean_c1(part) for part in page.hidden) if page.hidden else ()
    page = Page(page.text, page.numbers, page.file, page.findings, hidden)
    if "\ufffd" in page.text:
        lost = error(
            "c1-chars", "Characters were lost before this file was saved: \ufffd stands in their place."
        )
        page = page.sub(re.compile("\ufffd+"), lambda match: match[0], lost)
    return page


def clean(text: str) -> str:
    """Clean a value that came through escapes (JSON, YAML, TOML) as `decode` cleans a file."""
    text = _joined(_BREAKS.sub("\n", text))
    return clean_c1(_SURROGATES.sub("", _SEPARATORS.sub(" ", _CONTROLS.sub("", text))))


def clean_c1(text: str) -> str:
    """Read C1 characters as windows-1252."""
    return _C1.sub(lambda c: _C1_MEANING[ord(c[0])], text) if _C1.search(text) else text


def mend_value(text: str) -> str:
    """Undo mojibake in one value of the front matter."""
    if not _SUSPECT.search(text):
        return text
    import ftfy  # noqa: PLC0415 - 40 ms that most files never need

    mended: str = ftfy.fix_encoding(text)
    return mended


def _mended(text: str) -> list[Edit]:
    import ftfy  # noqa: PLC0415 - as above

    edits, at = [], 0
    for line in text.split("\n"):
        if len(line) <= _LONGEST_LINE and _SUSPECT.search(line):
            mended = ftfy.fix_encoding(line)
            if mended != line and "\n" not in mended:
                note = warning("mojibake", f"Broken characters were repaired: {_difference(line, mended)}")
                edits.append(Edit(at, at + len(line), mended, note))
        at += len(line) + 1
    return edits


def _difference(old: str, new: str) -> str:
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    start = max(0, start - 8)
    return f"\u201c{old[start : start + 24]}\u201d is now \u201c{new[start : start + 20]}\u201d."


def _joined(text: str) -> str:
    """Join surrogate pairs that were encoded one by one (CESU-8, JSON escapes)."""
    if not _SURROGATES.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _read(source: bytes) -> _Read:
    for bom, encoding in _BOMS:
        if source.startswith(bom):
            return _Read(source[len(bom) :].decode(encoding, "replace"), None)
    wide = _wide(source)
    if wide:
        return _Read(source.decode(wide, "replace"), _told(wide))
    try:
        return _Read(source.decode("utf-8", "surrogatepass"), None)
    except UnicodeDecodeError:
        encoding = _legacy(source)
    return _Read(source.decode(encoding, "replace"), _told(encoding))


def _told(encoding: str) -> Note:
    return warning("encoding", f"The file is not UTF-8; it was read as {encoding}. Save it as UTF-8.")


def _wide(source: bytes) -> str | None:
    """Recognise UTF-16 without a mark: every other octet of Western text is zero."""
    head = source[:_SAMPLE]
    half = len(head) // 2
    if half < 2 or b"\0" not in head:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > half * 0.4 and even < half * 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.4 and odd < half * 0.05 else None


def _legacy(source: bytes) -> str:
    declared = _DECLARED.search(source[:2000])
    if declared:
        found = _codec(declared[1].decode("ascii"))
        if found and found != "utf-8" and _fits(source, found):
            return found
    if _nearly_utf8(source):
        return "utf-8"
    highs = len(_HIGH.findall(source[:_SAMPLE]))
    # Accented letters and curly quotes stand alone among ASCII; other scripts come in runs.
    if len(_HIGH_PAIR.findall(source[:_SAMPLE])) * 5 < highs and _fits(source, "cp1252"):
        return "cp1252"
    return _detected(source)


def _nearly_utf8(source: bytes) -> bool:
    text = source.decode("utf-8", "replace")
    lost = text.count("\ufffd")
    whole = len(text) - len(text.encode("ascii", "ignore")) - lost
    return whole > lost * 20


def _codec(name: str) -> str | None:
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    # Python knows codecs that are no encodings of text (hex, zip); browsers read Latin-1 as windows-1252.
    known = {found, found.replace("-", "_")} & _TEXT_CODECS
    return ("cp1252" if found in {"iso8859-1", "ascii"} else found) if known else None


def _fits(source: bytes, encoding: str) -> bool:
    try:
        source.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _detected(source: bytes) -> str:
    from charset_normalizer import from_bytes  # noqa: PLC0415 - for the one file in a thousand

    lines = [line for line in source[: _SAMPLE * 4].splitlines() if _HIGH.search(line)]
    best = from_bytes(b"\n".join(lines)[:_SAMPLE], cp_isolation=_PLAUSIBLE, enable_fallback=False).best()
    return best.encoding if best else "cp1252"
