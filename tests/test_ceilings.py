"""The house's ceilings: functions of at most 40 lines, modules of at most 300, in the program, its tests and all else.

A function is counted from its `def` to its last line, whatever stands between; its decorators are not.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.commandline import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FUNCTION, MODULE = 40, 300
FOLDERS = ("mailer", "subscribers", "migrations", "benchmarks", "examples", "tests")
# The first schema is one migration, for a revision is one file, and a list of tables; each function of it is one table.
# What a migration did is not parted afterwards.
LISTS_OF_TABLES = {"migrations/versions/0001_first.py"}


def modules(root: Path, folders: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Give the modules below some folders: their paths from the root, and their texts."""
    for folder in folders:
        for file in sorted((root / folder).rglob("*.py")):
            yield file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")


def long_functions(path: str, text: str) -> list[str]:
    """Name the functions of a module that are above the ceiling, methods and inner ones too."""
    found = (
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    lengths = ((node, (node.end_lineno or node.lineno) - node.lineno + 1) for node in found)
    return [f"{path}:{node.lineno} {node.name}: {lines} lines" for node, lines in lengths if lines > FUNCTION]


def long_module(path: str, text: str) -> list[str]:
    """Name a module if it is above the ceiling."""
    lines = len(text.splitlines())
    return [f"{path}: {lines} lines"] if lines > MODULE and path not in LISTS_OF_TABLES else []


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_function_is_above_forty_lines(folder: str):
    """What is longer is parted where its thought parts."""
    everything = list(modules(ROOT, (folder,)))
    assert everything
    found = [each for one in everything for each in long_functions(*one)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_is_above_three_hundred_lines(folder: str):
    """A module that outgrows a few screens has become two."""
    found = [each for one in modules(ROOT, (folder,)) for each in long_module(*one)]
    assert not found, "\n".join(found)


def test_what_is_above_is_named_with_its_length(tmp_path: Path):
    """A ceiling that nobody can hit holds nothing up: a line more than allowed is found, in a method as well."""
    body = "".join(f"        {number}\n" for number in range(FUNCTION))
    (tmp_path / "mailer").mkdir()
    (tmp_path / "mailer/long.py").write_text(f"class A:\n    @staticmethod\n    async def grown():\n{body}")
    ((path, text),) = modules(tmp_path, ("mailer",))
    assert long_functions(path, text) == [f"mailer/long.py:3 grown: {FUNCTION + 1} lines"]
    assert long_functions(path, text.replace("        0\n", "")) == []
    assert long_module(path, "\n" * MODULE) == []
    assert long_module(path, "\n" * (MODULE + 1)) == [f"mailer/long.py: {MODULE + 1} lines"]


def test_what_is_exempt_is_there_and_long():
    """An exemption that is not needed any more goes."""
    texts = dict(modules(ROOT, ("migrations",)))
    assert all(len(texts[path].splitlines()) > MODULE for path in LISTS_OF_TABLES)
