"""`[attributes]`: what is known of readers beside their names and that segments ask for often, each with its kind.

A declared attribute gets an index. Its name becomes part of statements, as a column's would: hence the narrow rule.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BeforeValidator

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS: Final = ("text", "number", "date")
_MOST: Final = 16  # each costs something at every write
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}(?:\.[A-Za-z_][A-Za-z0-9_-]{0,63}){0,7}")


def attributes(values: object) -> dict[str, str]:
    """Give {name: kind}; `address.city = "text"` and `"address.city" = "text"` are the same. Raises ValueError."""
    if not isinstance(values, dict):
        raise ValueError('write a table of names and kinds, such as country = "text"')  # noqa: TRY004 - pydantic's
    found = dict(_flat(values, ""))
    if len(found) > _MOST:
        raise ValueError(f"{len(found)} attributes are declared; {_MOST} are the most that get an index")
    for name, kind in found.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be declared: use letters without accents, digits, - and _")
        if kind not in KINDS:
            raise ValueError(f"{name} = {kind!r}: the kinds are {', '.join(KINDS)}")
    return {name: str(kind) for name, kind in found.items()}


def _flat(values: dict[str, object], before: str) -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


AttributesValue = Annotated[dict[str, str], BeforeValidator(attributes)]
