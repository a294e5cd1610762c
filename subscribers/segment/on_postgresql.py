"""The expressions of segments as PostgreSQL writes them.

Source: postgresql.org/docs/current/functions-json.html. A cast stands behind a CASE: nothing else keeps it from values
that it would fail for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.compiler import compiles

from subscribers.segment.expressions import (
    NUMBER_LENGTH,
    Asked,
    CodePoints,
    DayOf,
    HasNumber,
    HasText,
    HasTruth,
    KnownOf,
    NumberOf,
    Position,
    TextOf,
    TextValue,
    TruthOf,
    ValueOf,
    in_parentheses,
)

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler


@compiles(Position, "postgresql")
def _position_post(element: Position, compiler: SQLCompiler, **words: Any) -> str:
    return f"strpos{in_parentheses(element, compiler, words)}"


@compiles(CodePoints, "postgresql")
def _code_points_post(element: CodePoints, compiler: SQLCompiler, **words: Any) -> str:
    return f'({in_parentheses(element, compiler, words)} COLLATE "C")'


def _post(element: Asked, compiler: SQLCompiler, words: dict[str, Any]) -> tuple[str, ...]:
    clauses = list(element.clauses)
    last = [clauses.pop()] if isinstance(element, (HasText, HasNumber, HasTruth)) else []
    column, _, *names = clauses
    # One arrow a name: the path operator #> would take "0" for a place in a list.
    place = " -> ".join(compiler.process(part, **words) for part in (column, *names))
    return f"({place})", *(compiler.process(part, **words) for part in last)


@compiles(KnownOf, "postgresql")
def _known_post(element: KnownOf, compiler: SQLCompiler, **words: Any) -> str:
    (value,) = _post(element, compiler, words)
    return f"(jsonb_typeof({value}) <> 'null')"


@compiles(ValueOf, "postgresql")
def _value_post(element: ValueOf, compiler: SQLCompiler, **words: Any) -> str:
    return _post(element, compiler, words)[0]


@compiles(TextValue, "postgresql")
def _text_value_post(element: TextValue, compiler: SQLCompiler, **words: Any) -> str:
    return f"to_jsonb(CAST({in_parentheses(element, compiler, words)} AS text))"


@compiles(TextOf, "postgresql")
def _text_post(element: TextOf, compiler: SQLCompiler, **words: Any) -> str:
    (value,) = _post(element, compiler, words)
    return f"(CASE WHEN jsonb_typeof({value}) = 'string' THEN {value} #>> '{{}}' END COLLATE \"C\")"


@compiles(NumberOf, "postgresql")
def _number_post(element: NumberOf, compiler: SQLCompiler, **words: Any) -> str:
    return _number_of_jsonb(_post(element, compiler, words)[0])


def _number_of_jsonb(value: str) -> str:
    text = f"({value} #>> '{{}}')"
    return (
        f"CASE jsonb_typeof({value}) WHEN 'number' THEN CAST({text} AS numeric) "
        f"WHEN 'string' THEN CASE WHEN length({text}) <= {NUMBER_LENGTH} "
        f"AND {text} ~ '^-?[0-9]+([.][0-9]+)?$' THEN CAST({text} AS numeric) END END"
    )


@compiles(DayOf, "postgresql")
def _day_post(element: DayOf, compiler: SQLCompiler, **words: Any) -> str:
    (value,) = _post(element, compiler, words)
    text = f"({value} #>> '{{}}')"
    return (
        f"(CASE WHEN jsonb_typeof({value}) = 'string' AND {text} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}($|[T ])' "
        f'THEN left({text}, 10) END COLLATE "C")'
    )


@compiles(TruthOf, "postgresql")
def _truth_post(element: TruthOf, compiler: SQLCompiler, **words: Any) -> str:
    (value,) = _post(element, compiler, words)
    return f"CASE WHEN jsonb_typeof({value}) = 'boolean' THEN {value} #>> '{{}}' END"


def _has_post(value: str, element: str) -> str:
    # An error, not an empty set, is what the function makes of what is no list.
    elements = f"CASE WHEN jsonb_typeof({value}) = 'array' THEN {value} ELSE '[]'::jsonb END"
    # Only words of this module stand here: values are bound.
    return f"EXISTS (SELECT 1 FROM jsonb_array_elements({elements}) AS element (value) WHERE {element})"  # noqa: S608


@compiles(HasText, "postgresql")
def _has_text_post(element: HasText, compiler: SQLCompiler, **words: Any) -> str:
    value, text = _post(element, compiler, words)
    return _has_post(value, f"element.value = to_jsonb(CAST({text} AS text))")


@compiles(HasNumber, "postgresql")
def _has_number_post(element: HasNumber, compiler: SQLCompiler, **words: Any) -> str:
    value, number = _post(element, compiler, words)
    return _has_post(value, f"{_number_of_jsonb('element.value')} = {number}")


@compiles(HasTruth, "postgresql")
def _has_truth_post(element: HasTruth, compiler: SQLCompiler, **words: Any) -> str:
    value, truth = _post(element, compiler, words)
    return _has_post(value, f"element.value = CAST({truth} AS jsonb)")
