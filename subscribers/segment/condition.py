"""Tree -> SQLAlchemy: a condition over the rows of `audience()`, for SQLite and PostgreSQL alike.

Every value of a segment is a bound parameter; no word of its text becomes part of a statement. A condition on what is
missing is false: parts may be NULL, which counts as false under `and`, `or` and at the top, and `not` gives whoever
it is not true for, so that three-valued logic never shows.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias, assert_never

from sqlalchemy import (
    ColumnElement,
    Exists,
    String,
    and_,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.sql.elements import BooleanClauseList

from subscribers.audience import JOINED
from subscribers.segment import expressions as sql
from subscribers.segment import on_postgresql, on_sqlite
from subscribers.segment.indexes import Declared, answered
from subscribers.segment.tree import (
    Among,
    Attribute,
    Begins,
    Both,
    Compare,
    Comparison,
    Contains,
    Either,
    Field,
    Joined,
    Known,
    Leaf,
    Listed,
    Named,
    Node,
    Not,
    Plain,
    Received,
    Subject,
    Tagged,
)
from subscribers.tables import Instant, addresses, lists, subscribers, subscriptions, tags

Condition: TypeAlias = ColumnElement[bool]
Terms: TypeAlias = Mapping[Received, "Callable[[ColumnElement[int]], Condition]"]
"""What only the ledger can answer: each question -> what makes, of a subscriber's id, the condition that they did."""

__all__ = ["Condition", "Terms", "compiled", "on_postgresql", "on_sqlite"]  # those two teach SQLAlchemy

_COMPARE: Final[Mapping[Comparison, Callable[[Any, Any], Any]]] = {
    Comparison.EQUAL: operator.eq,
    Comparison.LESS: operator.lt,
    Comparison.MOST: operator.le,
    Comparison.MORE: operator.gt,
    Comparison.LEAST: operator.ge,
}
_COLUMNS: Final = {
    Field.EMAIL: addresses.c.normalized,
    Field.DOMAIN: addresses.c.domain,
    Field.NAME: func.nullif(subscribers.c.name, literal("", String())),
    Field.LANGUAGE: subscribers.c.language,
    Field.TIME_ZONE: subscribers.c.time_zone,
}


class Compiler:
    """Compiles trees. `attributes` is the column that attributes are in; `inline` lets indexes find their names."""

    def __init__(
        self, terms: Terms, attributes: ColumnElement[Any] = subscribers.c.attributes, *, inline: bool = False
    ) -> None:
        self.terms, self.attributes, self.inline = terms, attributes, inline

    def node(self, node: Node) -> Condition:
        """Give the condition of a node."""
        if isinstance(node, Both):
            return and_(true(), *map(self.node, node.parts))
        if isinstance(node, Either):
            return or_(false(), *map(self.node, node.parts))
        return _contrary(self.node(node.part)) if isinstance(node, Not) else self._leaf(node)

    def _leaf(self, leaf: Leaf) -> Condition:  # noqa: PLR0911 - one for each kind of condition
        match leaf:
            case Compare(subject, how, value):
                return self._compare(subject, how, value)
            case Among(subject, values):
                return self._among(subject, values)
            case Contains(subject, value):
                return self._contains(subject, value)
            case Begins(subject, text, at_end):
                return _begins(self._text(subject), text, at_end=at_end)
            case Known(subject):
                return self._known(subject)
            case Tagged(tag):
                return _some(exists().where(tags.c.subscriber_id == _person(), tags.c.tag == tag))
            case Listed(key, state):
                return _listed(key, _mine.c.state.in_(JOINED if state is None else (state,)))
            case Received():
                return self._received(leaf)
            case Named(name):
                raise ValueError(f"segment {name!r} was not put in: freeze the text first")
        assert_never(leaf)

    def _attribute(self, one: Attribute) -> tuple[ColumnElement[Any], ...]:
        return sql.attribute(one.path, self.attributes, inline=self.inline)

    def _known(self, subject: Subject) -> Condition:
        if isinstance(subject, Attribute):
            return sql.KnownOf(*self._attribute(subject))
        if isinstance(subject, Joined):
            return true() if subject.list_key is None else _listed(subject.list_key, true())
        return _column(subject).is_not(None)

    def _compare(self, subject: Subject, how: Comparison, value: Any) -> Condition:
        if how is Comparison.OTHER:
            return and_(self._known(subject), _contrary(self._compare(subject, Comparison.EQUAL, value)))
        if isinstance(subject, Joined):
            return _joined(subject, how, value)
        if isinstance(subject, Field):
            return _compared(how, _ordered(_column(subject), how), _text(value))
        if how is Comparison.EQUAL and isinstance(value, (str, bool)):
            return self._among(subject, (value,))
        return _compared(how, self._side(subject, value), _value(value))

    def _side(self, subject: Attribute, value: Plain | date) -> ColumnElement[Any]:
        """Give the attribute as it compares with a value of this kind."""
        if isinstance(value, Decimal):
            return sql.NumberOf(*self._attribute(subject))
        if isinstance(value, date):
            return sql.DayOf(*self._attribute(subject))
        return sql.TextOf(*self._attribute(subject))

    def _among(self, subject: Field | Attribute, values: tuple[Plain, ...]) -> Condition:
        if isinstance(subject, Field):
            return _column(subject).in_([_text(value) for value in values])
        texts = [value for value in values if isinstance(value, str)]
        numbers = [value for value in values if isinstance(value, Decimal)]
        truths = [_truth(value) for value in values if isinstance(value, bool)]
        parts: list[Condition] = []
        if texts:
            parts.append(self._one_of(subject, texts))
        if numbers:
            number = sql.NumberOf(*self._attribute(subject))
            parts.append(number.in_([_value(one) for one in numbers]))
        if truths:
            parts.append(sql.TruthOf(*self._attribute(subject)).in_(truths))
        return or_(*parts) if len(parts) > 1 else parts[0]

    def _one_of(self, subject: Attribute, texts: list[str]) -> Condition:
        """Compare with texts: the value itself, which an index holds. It may be a list's or an object's JSON, too."""
        same = sql.ValueOf(*self._attribute(subject)).in_([sql.TextValue(_text(text)) for text in texts])
        if any(text.startswith(("[", "{")) for text in texts):
            return and_(same, sql.TextOf(*self._attribute(subject)).is_not(None))
        return same

    def _text(self, subject: Field | Attribute) -> ColumnElement[Any]:
        if isinstance(subject, Field):
            return _column(subject)
        return sql.TextOf(*self._attribute(subject))

    def _contains(self, subject: Field | Attribute, value: Plain) -> Condition:
        parts: list[Condition] = []
        if isinstance(value, str):
            parts.append(sql.Position(self._text(subject), _text(value)) > 0)
        if isinstance(subject, Attribute):
            parts.append(_element(self._attribute(subject), value))
        return or_(*parts) if len(parts) > 1 else parts[0]

    def _received(self, asked: Received) -> Condition:
        return self.terms[asked](_person())


def _contrary(condition: Condition) -> Condition:
    """Whoever the condition is not true for: where it is false, or unknown."""
    if _never_unknown(condition):
        return ~condition
    return not_(func.coalesce(condition, false()))


def _never_unknown(condition: Condition) -> bool:
    """Say that a condition is true or false: whether there is something, or one of several things."""
    if isinstance(condition, BooleanClauseList):
        return all(map(_never_unknown, condition.clauses))
    return isinstance(condition, Exists)


def _compared(how: Comparison, left: ColumnElement[Any], right: ColumnElement[Any]) -> Condition:
    condition: Condition = _COMPARE[how](left, right)
    return condition


def _some(found: Exists) -> Exists:
    """Let the rows inside belong to the person outside."""
    return found.correlate(subscriptions)


def _person() -> ColumnElement[int]:
    return subscriptions.c.subscriber_id


def _column(field: Field) -> ColumnElement[Any]:
    return _COLUMNS[field]


def _ordered(column: ColumnElement[Any], how: Comparison) -> ColumnElement[Any]:
    return column if how is Comparison.EQUAL else sql.CodePoints(column)


def _text(text: object) -> ColumnElement[str]:
    return literal(str(text), String())


def _truth(value: bool) -> ColumnElement[str]:  # noqa: FBT001 - it is the value
    return _text("true" if value else "false")


def _value(value: Plain | date) -> ColumnElement[Any]:
    if isinstance(value, Decimal):
        return literal(value, sql.Figure())
    return _text(value.isoformat() if isinstance(value, date) else value)


def _begins(column: ColumnElement[Any], text: str, *, at_end: bool) -> Condition:
    size = len(text)
    part = func.substr(column, func.length(column) - (size - 1)) if at_end else func.substr(column, 1, size)
    return and_(func.length(column) >= size, part == _text(text))


def _element(one: tuple[ColumnElement[Any], ...], value: Plain) -> Condition:
    if isinstance(value, bool):
        return sql.HasTruth(*one, _truth(value))
    if isinstance(value, Decimal):
        return sql.HasNumber(*one, literal(value, sql.Figure()))
    return sql.HasText(*one, _text(value))


_mine = subscriptions.alias("theirs")


def _listed(key: str, condition: Condition) -> Condition:
    """Whoever stands to a list in some way, whatever list is mailed."""
    list_id = select(lists.c.id).where(lists.c.key == key).scalar_subquery()
    return _some(exists().where(_mine.c.list_id == list_id, _mine.c.subscriber_id == _person(), condition))


def _joined(subject: Joined, how: Comparison, value: object) -> Condition:
    if not isinstance(value, datetime):
        raise TypeError(f"{value!r} is no instant: freeze the text first")
    moment = literal(value, Instant())
    if subject.list_key is None:
        return _compared(how, subscriptions.c.joined_at, moment)
    return _listed(subject.list_key, _compared(how, _mine.c.joined_at, moment))


def compiled(tree: Node, terms: Terms, declared: Declared | None = None) -> Condition:
    """Give the condition of a frozen tree, for `.where()` of a Select that `audience()` gave.

    `terms` must answer each Received of the tree (KeyError else). With `declared` the parts that indexes can answer are
    asked first, of all readers at once: for counting a whole list, not for a range of its ids.
    """
    compiler = Compiler(terms)
    parts = tree.parts if isinstance(tree, Both) else (tree,)
    quick = [part for part in parts if declared and answered(part, declared)]
    if not quick:
        return compiler.node(tree)
    people = subscribers.alias("indexed")
    inside = Compiler(terms, people.c.attributes, inline=True)
    found = select(people.c.id).where(*map(inside.node, quick))
    return and_(_person().in_(found), *(compiler.node(part) for part in parts if part not in quick))
