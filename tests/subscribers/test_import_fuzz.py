"""No file harms an import: it is read, or refused in a sentence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import subscribers

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

_cells = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ['"', "a@example.org", "b@example.org", "'=1", "{}", '{"a": 1}', "\0", "active", "no", "\r\n"]
    ),
)
_heads = st.sampled_from(
    ["email", "name", "tags", "attributes", "status", "OPTIN_IP", "optin_time", "x\0y", "", "email"]
)
_tables = st.builds(
    lambda head, rows, comma, end: end.join(comma.join(row) for row in [head, *rows]),
    st.lists(_heads, min_size=1, max_size=6),
    st.lists(st.lists(_cells, max_size=7), max_size=8),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
_json = st.recursive(
    st.one_of(
        st.just("a@example.org"), st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
)
_objects = st.lists(
    st.dictionaries(
        st.one_of(st.just("email"), st.just("tags"), st.just("attributes"), st.text(max_size=5)), _json
    )
)


def _load(engine: Engine, folder: Path, content: bytes) -> None:
    """Import the octets twice: the second time changes nothing, or both are refused in the same words."""
    file = folder / "people.csv"
    file.write_bytes(content)
    ends = []
    for _ in range(2):
        try:
            result = subscribers.import_file(
                engine.begin,
                file,
                list_key="main",
                basis="form",
                now=datetime(2026, 7, 14, tzinfo=UTC),
                hash_key=b"k" * 32,
                rejects=folder / "rejects",
            )
        except subscribers.BadFile as refused:
            ends.append(str(refused))
        else:
            sums = [result.added, result.joined, result.updated, result.unchanged, result.rejected]
            assert result.records == sum(sums) + sum(result.refused.values())
            ends.append(result)
    if isinstance(ends[1], str):
        assert ends[0] == ends[1] != ""
    else:
        assert ends[1].added == 0


_fuzz = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.differing_executors,
    ],
)


@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode("utf-8", "ignore")))
)
@_fuzz
def test_any_octets(with_lists, tmp_path, content):
    """Any octets."""
    _load(with_lists, tmp_path, content)


@given(_tables, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
@_fuzz
def test_any_table(with_lists, tmp_path, text, encoding):
    """Tables with everything in the wrong place, in several encodings."""
    _load(with_lists, tmp_path, text.encode(encoding, "ignore"))


@given(_objects)
@_fuzz
def test_any_objects(with_lists, tmp_path, objects):
    """JSON lines of any shape, lone surrogates and NaN included."""
    import json

    _load(with_lists, tmp_path, "\n".join(map(json.dumps, objects)).encode())
