"""The expressions of segments as SQLite writes them, 3.40 and later.

Source: sqlite.org/json1.html. One text's JSON is parsed once a row, however often it is asked of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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

_DAY: Final = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"


@compiles(Position, "sqlite")
def _position_lite(element: Position, compiler: SQLCompiler, **words: Any) -> str:
    return f"instr{in_parentheses(element, compiler, words)}"


@compiles(CodePoints, "sqlite")
def _code_points_lite(element: CodePoints, compiler: SQLCompiler, **words: Any) -> str:
    return in_parentheses(element, compiler, words)


def _lite(element: Asked, compiler: SQLCompiler, words: dict[str, Any]) -> tuple[str, ...]:
    column, path, *rest = (compiler.process(clause, **words) for clause in _of_sqlite(element))
    return f"{column}, {path}", *rest


def _of_sqlite(element: Asked) -> list[Any]:
    clauses = list(element.clauses)
    return clauses[:2] + (clauses[-1:] if isinstance(element, (HasText, HasNumber, HasTruth)) else [])


@compiles(KnownOf, "sqlite")
def _known_lite(element: KnownOf, compiler: SQLCompiler, **words: Any) -> str:
    (where,) = _lite(element, compiler, words)
    return f"(json_type({where}) <> 'null')"


@compiles(ValueOf, "sqlite")
def _value_lite(element: ValueOf, compiler: SQLCompiler, **words: Any) -> str:
    (where,) = _lite(element, compiler, words)
    return f"json_extract({where})"


@compiles(TextValue, "sqlite")
def _text_value_lite(element: TextValue, compiler: SQLCompiler, **words: Any) -> str:
    return in_parentheses(element, compiler, words)


@compiles(TextOf, "sqlite")
def _text_lite(element: TextOf, compiler: SQLCompiler, **words: Any) -> str:
    (where,) = _lite(element, compiler, words)
    return f"CASE WHEN json_type({where}) = 'text' THEN json_extract({where}) END"


@compiles(NumberOf, "sqlite")
def _number_lite(element: NumberOf, compiler: SQLCompiler, **words: Any) -> str:
    (where,) = _lite(element, compiler, words)
    return _number_of(f"json_type({where})", f"json_extract({where})")


def _number_of(kind: str, value: str) -> str:
    return (
        f"CASE WHEN {kind} IN ('integer', 'real') THEN {value} "
        f"WHEN {kind} = 'text' AND length({value}) <= {NUMBER_LENGTH} AND {value} GLOB '*[0-9]' "
        f"AND ({value} GLOB '[0-9]*' OR {value} GLOB '-[0-9]*') AND {value} NOT GLOB '*.*.*' "
        f"AND substr({value}, 2) NOT GLOB '*[^0-9.]*' THEN CAST({value} AS NUMERIC) END"
    )


@compiles(DayOf, "sqlite")
def _day_lite(element: DayOf, compiler: SQLCompiler, **words: Any) -> str:
    (where,) = _lite(element, compiler, words)
    value = f"json_extract({where})"
    return (
        f"CASE WHEN json_type({where}) = 'text' AND ({value} GLOB '{_DAY}' OR {value} GLOB '{_DAY}[T ]*') "
        f"THEN substr({value}, 1, 10) END"
    )


@compiles(TruthOf, "sqlite")
def _truth_lite(element: TruthOf, compiler: SQLCompiler, **words: Any) -> str:
    (where,) = _lite(element, compiler, words)
    return f"CASE WHEN json_type({where}) IN ('true', 'false') THEN json_type({where}) END"


def _has_lite(where: str, holds: str) -> str:
    # json_each of what is no list gives that itself, and of an object its values.
    # Only words of this module stand here: values are bound.
    return f"(json_type({where}) = 'array' AND EXISTS (SELECT 1 FROM json_each({where}) AS element WHERE {holds}))"  # noqa: S608


@compiles(HasText, "sqlite")
def _has_text_lite(element: HasText, compiler: SQLCompiler, **words: Any) -> str:
    where, value = _lite(element, compiler, words)
    return _has_lite(where, f"element.type = 'text' AND element.value = {value}")


@compiles(HasNumber, "sqlite")
def _has_number_lite(element: HasNumber, compiler: SQLCompiler, **words: Any) -> str:
    where, value = _lite(element, compiler, words)
    return _has_lite(where, f"{_number_of('element.type', 'element.value')} = {value}")


@compiles(HasTruth, "sqlite")
def _has_truth_lite(element: HasTruth, compiler: SQLCompiler, **words: Any) -> str:
    where, value = _lite(element, compiler, words)
    return _has_lite(where, f"element.type = {value}")
