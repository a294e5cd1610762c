"""Segment text -> tree, or a SegmentError with its place. Pure.

Bounded: 8,000 characters, 200 conditions, 20,000 values, 20 levels; the parser is LALR, whose time grows with the text
and no faster. Nothing of the text is ever evaluated or becomes part of a statement: it becomes values of a tree.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from subscribers.segment.errors import SegmentError
from subscribers.segment.tree import Among, Node, depth, leaves

if TYPE_CHECKING:
    from lark import Lark

LENGTH: Final = 8_000
FROZEN_LENGTH: Final = 400_000  # 200 conditions of other segments, each as long as one may be
CONDITIONS: Final = 200
VALUES: Final = 20_000  # each is a parameter: PostgreSQL takes 65,535 of them, SQLite 32,766
DEPTH: Final = 20


def parse_segment(text: str, longest: int = LENGTH) -> Node:
    """Give the tree of a segment's text; raises SegmentError that points at the mistake."""
    if len(text) > longest:
        message = f"is longer than {longest:,} characters"
        raise SegmentError(message, text, longest, longest + 1, "split it in two segments")
    if not text.strip():
        raise SegmentError("is empty", text, 0, 1, 'write a condition, such as tag "beta"')
    return within_bounds(_parsed(text), text)


def within_bounds(tree: Node, text: str) -> Node:
    """Give the tree back, or raise SegmentError where it is too large to be asked of a database."""
    if len(leaves(tree)) > CONDITIONS:
        raise SegmentError(
            f"has more than {CONDITIONS} conditions", text, 0, 1, "`in (…)` takes many values in one"
        )
    if sum(len(leaf.values) for leaf in leaves(tree) if isinstance(leaf, Among)) > VALUES:
        raise SegmentError(
            f"names more than {VALUES:,} values", text, 0, 1, "give these people a tag, and ask for that"
        )
    if depth(tree) > DEPTH:
        raise SegmentError(
            f"nests more than {DEPTH} levels deep", text, 0, 1, "give a part a name of its own"
        )
    return tree


def _parsed(text: str) -> Node:
    from lark.exceptions import UnexpectedInput  # noqa: PLC0415 - with the parser

    from subscribers.segment.advice import explained  # noqa: PLC0415
    from subscribers.segment.building import Misused  # noqa: PLC0415

    try:
        tree: Any = _parser().parse(text)
    except Misused as error:
        raise SegmentError(error.message, text, error.start, error.end, error.advice) from None
    except UnexpectedInput as error:
        raise explained(error, text) from None
    node: Node = tree
    return node


@cache
def _parser() -> Lark:
    from lark import Lark  # noqa: PLC0415 - 60 ms that only segments need

    from subscribers.segment.building import Builder  # noqa: PLC0415
    from subscribers.segment.grammar import grammar  # noqa: PLC0415

    return Lark(grammar(), parser="lalr", transformer=Builder(), maybe_placeholders=True)
