"""The scanner that finds the line of every key."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.settings.lines import key_lines, line_of

TEXT = '''\
# a comment with [brackets] and = signs
id = "x" # [not.a.table]
text = """
[neither.is.this]
key = 1
"""
list = [
  "a", # ]
  "b",
]
"quoted key" = { inner = 1 }
a.b = 2

[lists.main]
name = 'it''s'

[[relays]]
name = "one"
[relays.extra]
x = 1
[[relays]]
name = "two"

[domains."gmail.com"]
per_second = 2
'''.replace("'it''s'", "'its'")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("id",), 2),
        (("text",), 3),
        (("list",), 7),
        (("quoted key",), 11),
        (("a", "b"), 12),
        (("lists", "main"), 14),
        (("lists", "main", "name"), 15),
        (("relays", 0, "name"), 18),
        (("relays", 0, "extra", "x"), 20),
        (("relays", 1, "name"), 22),
        (("domains", "gmail.com", "per_second"), 25),
    ],
)
def test_every_key_and_table_has_its_line(path, line):
    """A key stands where its name stands, whatever strings, comments and arrays are around it."""
    assert key_lines(TEXT)[path] == line


def test_a_key_that_has_no_line_has_that_of_what_holds_it():
    """An element of an array or a key that is missing is reported where its surroundings stand."""
    lines = key_lines(TEXT)
    assert line_of(lines, ("list", 1)) == 7
    assert line_of(lines, ("lists", "main", "from")) == 14
    assert line_of(lines, ("nowhere",)) is None


def test_carriage_returns_change_no_line():
    """A file from Windows has the same lines."""
    assert key_lines(TEXT.replace("\n", "\r\n")) == key_lines(TEXT)


_KEYS = st.sampled_from(["a", "b-c", '"d.e"', "'f#g'", '"h\\"i"', "_1"])
_VALUES = st.sampled_from(
    [
        "1",
        "1.5",
        "true",
        '"x # y"',
        "'[z]'",
        '"""\nk = 1\n[t]\n"""',
        "'''\n]\n'''",
        "[\n1,\n# c ]\n2]",
        "{ q = [1] }",
    ]
)
_ENTRIES = st.lists(
    st.tuples(_KEYS, _VALUES, st.sampled_from(["", " # [c] = 'd"])), unique_by=lambda entry: entry[0]
)
_HEADS = st.lists(st.tuples(st.booleans(), _KEYS, _ENTRIES), unique_by=lambda head: head[1], max_size=4)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Give the path of every key of the parsed document, not going into inline values."""
    if isinstance(value, dict):
        return [
            inner for key, below in value.items() for inner in [(*path, key), *_paths(below, (*path, key))]
        ]
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return [inner for index, below in enumerate(value) for inner in _paths(below, (*path, index))]
    return []


@given(_ENTRIES, _HEADS)
def test_the_line_of_a_key_is_the_line_that_names_it(entries, heads):
    """For any document, the scanner's line holds the key's own words, and every key the parser saw has a line."""
    text = "".join(f"{key} = {value}{comment}\n\n" for key, value, comment in entries)
    for array, name, below in heads:
        text += f"[[t.{name}]]\n" if array else f"[t.{name}]\n"
        text += "".join(f"{key} = {value}{comment}\n" for key, value, comment in below)
    lines, source = key_lines(text), text.splitlines()
    for path in _paths(tomllib.loads(text)):
        name = str(path[-1])
        line = line_of(lines, path)
        assert line is not None
        spelt = (name, f'"{name}"', f"'{name}'", name.replace('"', '\\"'))
        # Array elements have no name of their own, and what is inside braces stands on the line of its key.
        assert isinstance(path[-1], int) or "q" in path or any(form in source[line - 1] for form in spelt)
