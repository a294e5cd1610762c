"""Which language and direction an edition has: what the issue says, else its script, else the list's.

Promises: a BCP 47 tag that is safe in an attribute. Detection only names languages whose script gives them away;
among the many that share Latin letters the list's language stands.
"""

from __future__ import annotations

import re
from collections import Counter

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}\Z")
_RTL_LANGUAGES = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"}
)
_SCRIPTS = {
    "arabic": r"\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff",
    "hebrew": r"\u0590-\u05ff\ufb1d-\ufb4f",
    "kana": r"\u3040-\u30ff",
    "han": r"\u3400-\u4dbf\u4e00-\u9fff",
    "hangul": r"\uac00-\ud7af",
    "devanagari": r"\u0900-\u097f",
    "thai": r"\u0e00-\u0e7f",
    "greek": r"\u0370-\u03ff",
    "cyrillic": r"\u0400-\u04ff",
    "latin": r"A-Za-z\u00c0-\u024f",
}
_PATTERNS = {name: re.compile(f"[{letters}]") for name, letters in _SCRIPTS.items()}
_LANGUAGES = {
    "arabic": ("ar", "fa", "ur", "ps", "ckb", "sd", "ug", "ks"),
    "hebrew": ("he", "iw", "yi"),
    "japanese": ("ja",),
    "han": ("zh", "yue"),
    "hangul": ("ko",),
    "devanagari": ("hi", "mr", "ne", "sa"),
    "thai": ("th",),
    "greek": ("el",),
    "cyrillic": ("ru", "uk", "bg", "sr", "be", "mk", "kk", "mn", "ky", "tg"),
}
JOINED = frozenset({"arabic", "hebrew", "devanagari", "thai", "han", "japanese", "hangul"})
"""Scripts whose letters must not be moved closer together."""
_PERSIAN = re.compile("[پچژگ]")
_URDU = re.compile("[ٹڈڑے]")
_SAMPLE = 20_000  # characters that decide


def script_of(text: str) -> str | None:
    """Give the script that most letters of `text` are in, or None where there are too few to tell."""
    sample = text[:_SAMPLE]
    counts = Counter({name: len(pattern.findall(sample)) for name, pattern in _PATTERNS.items()})
    if counts["kana"] * 10 > counts["han"] + counts["kana"] > 0:
        counts["japanese"] = counts["kana"] + counts["han"]
    # Latin names and links abound in every newsletter, so a letter of another script weighs three.
    counts["latin"] //= 3
    del counts["kana"]
    name, count = counts.most_common(1)[0]
    return name if count >= 4 else None


def language_of(declared: str | None, text: str, default: str) -> str:
    """Give the language of an edition: `declared`, else as its script says, else `default`."""
    if declared and _TAG.match(declared):
        return declared
    script = script_of(text)
    known = _LANGUAGES.get(script or "", ())
    if not known or base(default) in known:
        return default if _TAG.match(default) else "en"
    if script == "arabic":
        return "ur" if _URDU.search(text) else "fa" if _PERSIAN.search(text) else "ar"
    return known[0]


def disagrees(language: str, text: str) -> bool:
    """Say whether `text` is in a script that `language` is not written in."""
    script = script_of(text)
    if script is None:
        return False
    expected = next((name for name, tags in _LANGUAGES.items() if base(language) in tags), "latin")
    return expected != script


def base(language: str) -> str:
    """Give the first subtag, in lower case: `zh` of `zh-Hant`."""
    return language.split("-", maxsplit=1)[0].lower()


def direction_of(language: str) -> str:
    """Give `rtl` or `ltr`."""
    return "rtl" if base(language) in _RTL_LANGUAGES or "-arab" in language.lower() else "ltr"
