"""What to tell of a text that the grammar does not know: what may stand there, and the usual slips."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final

from lark.exceptions import UnexpectedToken

from subscribers.segment.errors import SegmentError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from lark.exceptions import UnexpectedInput

_SLIPS: Final = {
    "==": "write one =",
    "&&": "write and",
    "&": "write and",
    "||": "write or",
    "|": "write or",
    "<>": "write !=",
    "!": "write not",
    "~": "write contains",
    "like": "write contains, starts with or ends with",
    "has": "write contains",
    "null": "write is missing, or is known",
    "none": "write is missing, or is known",
    "empty": 'write is missing, or = ""',
    "equals": "write =",
    "between": "write two comparisons with and",
    "days": "write a number before it: 90 days ago",
}
_BEGINNINGS: Final = ("tag", "list", "segment", "received", "never", "not", "attribute", "joined")
_QUOTES: Final = "“”„‟‘’‚«»`´"  # noqa: RUF001 - the ones that word processors write
# What may stand somewhere, told by its terminals; the first that fits is told.
_PLACES: Final = (
    ({"_OR", "_AND"}, "`and`, `or` or the end"),
    ({"STRING", "TRUE", "DATE"}, 'a value: "text", 7, true, 2026-07-14 or 90 days ago'),
    ({"STRING", "TRUE"}, 'a value: "text", 7 or true'),
    ({"DATE", "TODAY"}, "a day: 2026-07-14, today or 90 days ago"),
    (
        {"COMPARISON", "_IS"},
        "a comparison: = != < <= > >=, in (…), contains, starts with, is known, is missing",
    ),
    ({"NAME", "_TAG", "_NOT"}, 'a condition, such as country = "DE" or tag "beta"'),
    ({"STATE"}, "pending, active, paused or unsubscribed"),
    ({"_KNOWN"}, "`known` or `missing`"),
    ({"_ISSUE", "_ANYTHING"}, "`received issue 71`, `received anything` or `received any of the last 5`"),
    ({"UNIT"}, "hours, days, weeks, months or years"),
    ({"AGO"}, "`ago`"),
    ({"NAME", "STRING"}, "a name"),
    ({"STRING"}, 'a text in quotes: "…"'),
    ({"NUMBER"}, "a number"),
    ({"LPAR"}, "a list in parentheses: (…)"),
    ({"RPAR", "COMMA"}, "a comma or the closing parenthesis"),
    ({"RPAR"}, "the closing parenthesis"),
)


def explained(error: UnexpectedInput, text: str) -> SegmentError:
    """Give the error that a person can use."""
    at: int | None = getattr(error, "pos_in_stream", None)
    start = len(text) if at is None or at < 0 else at
    accepted = _accepted(error)
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return _at_end(text, accepted)
    start = start - 1 if text[start - 1 : start + 1] in {"==", "<>", "&&", "||"} else start
    word = _word(text, start)
    end = start + len(word)
    if "COMPARISON" in accepted and (slip := _misspelt(text, start)):
        return slip
    if word[:1] in _QUOTES:
        return SegmentError(
            "a typographic quote", text, start, start + 1, "write straight quotes: \"…\" or '…'"
        )
    if word[:1] in {'"', "'"} and (word in {'"', "'"} or word[-1] != word[0]):
        return SegmentError(
            "this quote is never closed", text, start, start + 1, f"write {word[0]} after the text"
        )
    return SegmentError(_said(word), text, start, end, _advice(word, accepted))


def _misspelt(text: str, start: int) -> SegmentError | None:
    """Give the error where the word before, read as an attribute's name, is meant for one of the grammar's."""
    last = re.search(r"([^\W\d][\w-]*)\s*$", text[:start])
    near = difflib.get_close_matches(last[1].lower(), _BEGINNINGS, n=1, cutoff=0.6) if last else ()
    if not last or not near or near[0] == last[1].lower():
        return None
    return SegmentError(_said(last[1]), text, *last.span(1), f"did you mean {near[0]}?")


def _accepted(error: UnexpectedInput) -> AbstractSet[str]:
    found = (
        getattr(error, "accepts", None) or getattr(error, "expected", None) or getattr(error, "allowed", None)
    )
    return set(found or ())


def _at_end(text: str, accepted: AbstractSet[str]) -> SegmentError:
    place = len(text.rstrip())
    return SegmentError("ends too early", text, place, place + 1, _expected(accepted))


def _word(text: str, start: int) -> str:
    """Give what stands there as a person sees it: a quoted text, a word, a run of signs."""
    found = re.compile(r"\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])*'?|[\w.-]+|[=<>!&|~]+|.", re.DOTALL).match(
        text, start
    )
    return found[0] if found else ""


def _said(word: str) -> str:
    shown = word if len(word) <= 30 else word[:29] + "…"
    return f"{shown} does not belong here"


def _advice(word: str, accepted: AbstractSet[str]) -> str:
    slip = _SLIPS.get(word.lower())
    if slip and not (word.lower() == "days" and "UNIT" in accepted):
        return slip
    if re.fullmatch(r"[^\W\d][\w.-]*", word):
        if "STRING" in accepted and "NAME" not in accepted:
            return f'a text stands in quotes: "{word[:30]}"'
        near = difflib.get_close_matches(word.lower(), _spellings(accepted), n=1, cutoff=0.7)
        if near:
            return f"did you mean {near[0]}?"
    if word == "," and "_OR" in accepted:
        return "write `and` or `or` between two conditions"
    if word == ")":
        return "no parenthesis is open here"
    return _expected(accepted)


def _spellings(accepted: AbstractSet[str]) -> list[str]:
    return [
        name.lstrip("_").lower()
        for name in accepted
        if name.startswith("_") or name in {"JOINED", "TRUE", "FALSE", "AGO"}
    ]


def _expected(accepted: AbstractSet[str]) -> str:
    for terminals, words in _PLACES:
        if terminals <= accepted:
            return f"here may stand {words}"
    return ""
