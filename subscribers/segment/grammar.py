"""The grammar of segments, for lark's LALR parser.

Words are recognised only where they mean something, so an attribute may be called `issue` or `days`; one that is
called as a word that may stand there, `tag` or `not`, is written `attribute "tag"`. Words may be in capitals.
Ambiguity is impossible: an LALR grammar that had any would not be built.
"""

from __future__ import annotations

from typing import Final

_WORDS: Final = (
    "or", "and", "not", "in", "is", "known", "missing", "contains", "starts", "ends", "with", "within", "before",
    "after", "tag", "list", "segment", "attribute", "received", "never", "anything", "any", "of", "the", "last",
    "issue", "issues",
)  # fmt: skip
_RULES: Final = r"""
start: either
?either: both (_OR both)*
?both: unary (_AND unary)*
?unary: _NOT unary -> negated
      | "(" either ")"
      | subject COMPARISON value -> compared
      | subject _IN "(" plain ("," plain)* ","? ")" -> among
      | subject _NOT _IN "(" plain ("," plain)* ","? ")" -> not_among
      | subject _CONTAINS plain -> contains
      | subject _STARTS _WITH STRING -> starts
      | subject _ENDS _WITH STRING -> ends
      | subject _IS _KNOWN -> known
      | subject _IS _MISSING -> missing
      | subject _WITHIN span -> within
      | subject _BEFORE moment -> before
      | subject _AFTER moment -> after
      | _TAG STRING -> tagged
      | _LIST key [_IS STATE] -> listed
      | _SEGMENT key -> named
      | _RECEIVED _ISSUE (NUMBER | STRING) [_OF key] -> received
      | _RECEIVED _ANYTHING [_OF key] -> received_any
      | _NEVER _RECEIVED _ANYTHING [_OF key] -> received_never
      | _RECEIVED _ANY _OF _THE _LAST NUMBER _ISSUES? [_OF key] [_BEFORE INSTANT] -> received_last

?subject: NAME ("." (NAME | STRING))* -> path
        | _ATTRIBUTE STRING ("." (NAME | STRING))* -> attribute
        | JOINED [_LIST key] -> joined
?value: plain | moment
?plain: STRING -> text
      | NUMBER -> number
      | TRUE -> true
      | FALSE -> false
?moment: span AGO -> ago
       | DATE -> day
       | INSTANT -> instant
       | TODAY -> today
       | YESTERDAY -> yesterday
span: NUMBER UNIT
key: NAME | STRING

COMPARISON: "!=" | "<=" | ">=" | "=" | "<" | ">"
STATE.2: /(?:pending|active|paused|unsubscribed)(?![\w-])/i
JOINED.2: /joined(?![\w-])/i
TRUE.2: /true(?![\w-])/i
FALSE.2: /false(?![\w-])/i
TODAY.2: /today(?![\w-])/i
YESTERDAY.2: /yesterday(?![\w-])/i
AGO.2: /ago(?![\w-])/i
UNIT.2: /(?:hour|day|week|month|year)s?(?![\w-])/i
INSTANT.4: /[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/
DATE.3: /[0-9]{4}-[0-9]{2}-[0-9]{2}(?![\w-])/
NUMBER.1: /-?[0-9]+(?:\.[0-9]+)?(?![\w.])/
NAME: /[^\W\d][\w-]*/
STRING: /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/s
%ignore /\s+/
"""


def grammar() -> str:
    """Give the whole grammar."""
    words = (rf"_{word.upper()}.2: /{word}(?![\w-])/i" for word in _WORDS)
    return _RULES + "\n".join(words) + "\n"
