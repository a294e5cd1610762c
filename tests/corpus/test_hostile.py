# ruff: noqa: E501, Q003, RUF001 - hostile texts stand as they are written
"""No input crashes the compile step, makes it hang, or takes its process with it."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.edition.compile import compile_issue
from mailer.edition.guard import Compiler, compile_guarded
from mailer.edition.model import Edition, Masthead
from mailer.errors import UserError
from mailer.issue.read import read_issue
from tests.corpus.harm import harm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MASTHEAD = Masthead(base_url="https://ok.example.org/", postal_address="1 Quay Street")


@pytest.fixture(scope="session")
def compiler() -> Iterator[Compiler]:
    """The child process that compiles, started anew when a text was the death of it: as a preview keeps it."""
    with Compiler() as kept:
        yield kept


def outcome(compiler: Compiler, path: Path) -> str:
    """Compile a file as the command does, and tell whether it became a mail or a clear error."""
    try:
        edition = compiler.compile(path, MASTHEAD)
    except UserError as error:
        return "error" if all(problem.message for problem in error.problems) else "an error without words"
    assert not harm(edition)
    json.loads(edition.to_json())
    return "mail"


DEEP = {
    "quotes": "> " * 10_000 + "x",
    "bullets": "\n".join("  " * depth + "- x" for depth in range(700)),
    "bullets in one line": "- " * 10_000 + "x",
    "numbers in one line": "1. " * 10_000 + "x",
    "emphasis": "*a " * 10_000 + "b*" * 10_000,
    "strong": "**x" * 20_000,
    "underscores": "_" * 60_000 + "x" + "_" * 60_000,
    "tildes": "~~x" * 30_000,
    "brackets": "[" * 10_000 + "x" + "]" * 10_000,
    "opening brackets": "[" * 100_000,
    "pictures": "![" * 50_000,
    "wiki pictures": "![[](" * 80_000,
    "links": "[x](" * 50_000,
    "link titles": '[x](y "' * 40_000,
    "footnotes": "".join(f"[^{number}]" for number in range(10_000)) + "\n\n[^1]: [^2]\n[^2]: [^1]\n",
    "backticks": "".join("`" * length + "x" for length in range(900)),
    "references": "".join(f"[{number}]: <x\n" for number in range(20_000)),
    "autolinks": "<http:" * 50_000,
    "bare links": "http://a" * 50_000,
    "addresses": "a@" * 100_000,
    "entities": "&#x" * 100_000,
    "tags": "<div>" * 10_000,
    "closed tags": "<b>" * 5_000 + "x" + "</b>" * 5_000,
    "tables in tables": "<table><tr><td>" * 3_000,
    "attributes": "<a " + "x=y " * 50_000 + ">",
    "comments": "<!--" * 50_000,
    "cdata": "<![CDATA[" * 50_000,
    "instructions": "<?" * 100_000,
    "declarations": "<!A" * 100_000,
    "table of columns": "|" * 30_000 + "\n" + "|-" * 15_000 + "|\n" + "|x" * 15_000,
    "table of rows": "|a|b|\n|-|-|\n" + "|x|y|\n" * 30_000,
    "shortcodes": "{{< x " * 30_000,
    "fields": "{{ subscriber.x " * 30_000,
    "field defaults": '{{ subscriber.x | default("' * 20_000,
    "liquid": "{% if x %}" * 20_000,
    "attribute lists": "{: ." * 50_000,
    "callouts": "> [!note] x\n" * 20_000,
    "highlights": "==x" * 40_000,
    "remarks": "%%x" * 40_001,
    "captions": "[caption " * 30_000,
    "components": "<Callout " * 30_000,
    "emoji": ":smile:" * 30_000,
    "colons": ":" * 200_000,
    "rules": ("#" * 52 + "\n") * 5_000,
    "spaces": "x" + " " * 200_000 + "y",
    "line feeds": "x" + "\n" * 300_000 + "y",
    "returns": "\r" * 300_000,
    "no-break spaces": "x\u00a0\u00a0" * 40_000,
    "one word": "x" * 900_000,
    "one Chinese word": "字" * 300_000,
    "marks": "a" + "\u0301" * 200_000,
    "joiners": "\u200d" * 200_000,
    "directions": "\u202e\u2066" * 100_000,
    "NULs": "\0" * 500_000,
    "mojibake": "Ã¢â‚¬â„¢" * 20_000,
    "definitions": "x\n: " * 30_000,
    "fences": "```\n" * 50_001,
    "headings": "# x\n" * 30_000,
    "dollars": "$" * 200_000,
    "backslashes": "\\" * 300_000,
    "private use": "\ue000\ue100\uf8ff" * 50_000,
    "angles": "<" * 300_000,
    "labels": "**A:** b. " * 20_000,
    "implied": "Short line\nA longer line that goes on and on until it must be a paragraph of its own.\n"
    * 5_000,
    "scripts": "<script>" * 20_000,
    "frames": "<iframe src='https://www.youtube.com/embed/x'></iframe>" * 4_000,
    "styles": "<p style='" + "color:red;" * 40_000 + "'>x</p>",
    "images": "![x](a.png)\n\n" * 10_000,
}

FRONT = {
    "laughs": "---\na: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{chr(98 + at)}: &{chr(98 + at)} [{','.join(['*' + chr(97 + at)] * 9)}]\n" for at in range(9))
    + "title: *j\n---\nx\n",
    "merge bomb": "---\na: &a {x: 1}\n"
    + "".join(f"b{at}: &b{at} {{<<: [{', '.join(['*a'] * 50)}]}}\n" for at in range(500))
    + "---\nx\n",
    "self": "---\na: &a [*a]\ntitle: *a\n---\nx\n",
    "python tag": "---\ntitle: !!python/object/apply:os.system ['exit 3']\n---\nx\n",
    "deep flow": "---\ntitle: " + "[" * 20_000 + "\n---\nx\n",
    "deep map": "---\n" + "".join("  " * depth + "a:\n" for depth in range(700)) + "---\nx\n",
    "many keys": "---\n" + "".join(f"k{at}: {at}\n" for at in range(30_000)) + "---\nx\n",
    "long key": "---\n" + "k" * 300_000 + ": x\n---\nx\n",
    "long title": "---\ntitle: " + "x" * 300_000 + "\n---\nx\n",
    "huge number": "---\nissue: " + "9" * 100_000 + "\n---\nx\n",
    "hex number": "---\nissue: 0x" + "f" * 50_000 + "\n---\nx\n",
    "base 60": "---\nissue: " + "1:" * 30_000 + "1\n---\nx\n",
    "float": "---\nissue: 1e400\ndate: .nan\n---\nx\n",
    "wild dates": "---\ndate: 9999-99-99\nissue: -1\n---\nx\n",
    "odd types": "---\ntitle: [a, {b: c}]\nsubject: {a: b}\ndate: [1]\nissue: {x: y}\nimage: [1, {feature: [2]}]\nlanguage: 5\ndraft: maybe\n---\nx\n",
    "json depth": '{"title": ' + "[" * 50_000,
    "json depth closed": '{"title": ' + "[" * 5_000 + "]" * 5_000 + "}\n\nx",
    "json number": '{"number": ' + "9" * 100_000 + "}\n\nx",
    "json surrogate": '{"title": "\\ud800 x", "number": 1}\n\nx',
    "json nan": '{"number": NaN, "date": Infinity, "title": "x"}\n\nx',
    "toml depth": "+++\ntitle = " + "[" * 50_000 + "\n+++\nx",
    "toml keys": "+++\n" + "a." * 20_000 + "b = 1\n+++\nx",
    "toml number": "+++\nissue = " + "9" * 100_000 + "\n+++\nx",
    "never closed": "---\ntitle: x\n" + "y: z\n" * 50_000,
    "multimarkdown": "A: b\n" * 50_000 + "\nx",
    "title to nowhere": '---\ntitle: "\\u0000\\r\\nBcc: x\\x07"\n---\nx\n',
}


def hang_is_ended(text: str) -> str:
    """Cut a hostile text to the largest that is read at all."""
    return text.encode()[:990_000].decode("utf-8", "ignore")


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEP)
def test_no_depth_and_no_length_harms_the_process(name, compiler, tmp_path):
    """Whatever is repeated ten thousand times becomes a mail or a clear error, and this process lives."""
    path = tmp_path / "hostile.md"
    path.write_bytes(
        f"---\ntitle: Hostile\nissue: 1\n---\n{hang_is_ended(DEEP[name])}\n".encode("utf-8", "surrogatepass")
    )
    assert outcome(compiler, path) in ("mail", "error")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["quotes", "wiki pictures", "spaces", "implied", "angles", "one word", "tags"]
)
def test_plain_text_is_as_safe(name, compiler, tmp_path):
    """The same in a file of plain text, where structure is guessed."""
    path = tmp_path / "hostile.txt"
    path.write_bytes(hang_is_ended(DEEP[name]).encode())
    assert outcome(compiler, path) in ("mail", "error")


@pytest.mark.slow
@pytest.mark.parametrize("name", FRONT)
def test_no_front_matter_harms_the_process(name, compiler, tmp_path):
    """A bomb in front matter of any kind becomes a mail or a clear error, and this process lives."""
    path = tmp_path / "hostile.md"
    path.write_bytes(FRONT[name].encode())
    assert outcome(compiler, path) in ("mail", "error")


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\0" * 1000,
        b"\xff" * 1000,
        b"\xff\xfe" + "---\ntitle: wide\n---\nWide letters.\n".encode("utf-16-le"),
        b"\xed\xa0\x80\xed\xb0\x80 lone surrogates",
        b"\x80\x81\x82\x83" * 500,
        b"---\ntitle: \xc3\x28\n---\n\xa0\xa1",
        bytes(range(256)) * 100,
        b"\x1b[31m\x07\x08" * 100,
        b"%PDF-1.7\n" + bytes(range(256)) * 10,
        b"PK\x03\x04" + bytes(range(256)) * 10,
        b"x" * 1_000_001,
        b"---\n---\n",
        b"+++\n+++\n",
        b"{}",
        b"\xef\xbb\xbf" * 10,
    ],
    ids=["empty", "NULs", "0xff", "UTF-16", "surrogates", "C1", "bad UTF-8", "all bytes", "terminal", "PDF", "ZIP", "1 MB",
         "empty YAML", "empty TOML", "empty JSON", "marks"],
)  # fmt: skip
def test_no_bytes_harm_the_process(source, compiler, tmp_path):
    """A file that is no text, or no UTF-8, becomes a mail or a clear error."""
    path = tmp_path / "hostile.md"
    path.write_bytes(source)
    assert outcome(compiler, path) in ("mail", "error")


def test_a_source_over_a_megabyte_is_refused(tmp_path):
    """A source over 1 MB is refused with a sentence that says so."""
    path = tmp_path / "big.md"
    path.write_bytes(b"---\ntitle: Big\n---\n" + b"word " * 250_000)
    with pytest.raises(UserError, match="1,000,000"):
        compile_guarded(path, MASTHEAD)


def test_what_is_no_file_is_a_clear_error(tmp_path):
    """A folder, a missing file, a device and a file that may not be read are errors that name the file."""
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "dangling.md").symlink_to(tmp_path / "nowhere.md")
    os.mkfifo(tmp_path / "pipe.md")
    for name in ("folder.md", "missing.md", "dangling.md", "pipe.md"):
        with pytest.raises(UserError, match=re.escape(name)):
            compile_guarded(tmp_path / name, MASTHEAD)


_MARKUP = st.sampled_from(
    ["*", "**", "_", "`", "```\n", "~~", "[", "]", "(", ")", "![", "<", ">", "</", "/>", "<p>", "<b>", "</b>", "<table><tr><td>", "<!--", "-->",
     "&", "&#", ";", "\n", "\n\n", "    ", "- ", "1. ", "> ", "# ", "|", "|-|-|\n", "---\n", "+++\n", "{{", "}}", "{%", "%}", "{{<", ">}}", "{:", "}",
     "[^1]", "[^1]: ", "$$$$", "####", "\u00a0\u00a0", ":smile:", "==", "%%", "[[", "]]", "\\", "\"", "'", "=", "title: ", "http://a.b/c", "a@b.cd",
     "{{ subscriber.x | default(\"y\") }}", "字", "א", "ا", "\u0301", "\u200d", "\ue100", "\0", "word ", "Label: ", "…", "."]
)  # fmt: skip
_TEXTS = st.lists(st.one_of(_MARKUP, st.text(max_size=12)), max_size=60).map("".join)
_QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def judged(source: bytes, name: str = "fuzz.md") -> None:
    """Compile in this process; anything but a harmless mail or a UserError fails the test."""
    try:
        edition = compile_issue(read_issue(source, name), MASTHEAD)
    except UserError:
        return
    assert not harm(edition)
    assert Edition.from_json(edition.to_json()) == edition


@_QUICK
@given(st.binary(max_size=400))
def test_random_bytes_become_a_mail_or_an_error(source):
    """Random bytes become a harmless mail or a clear error."""
    judged(source)


@_QUICK
@given(_TEXTS, st.sampled_from(["fuzz.md", "fuzz.txt", "2024-01-02-fuzz.markdown", "7.html"]))
def test_random_markup_becomes_a_mail_or_an_error(text, name):
    """Random runs of markup become a harmless mail or a clear error."""
    judged(text.encode("utf-8", "surrogatepass"), name)


@_QUICK
@given(st.sampled_from(["---\n{}---\n", "+++\n{}+++\n", "{}\n"]), _TEXTS, _TEXTS)
def test_random_front_matter_becomes_a_mail_or_an_error(fence, front, body):
    """Random front matter becomes a harmless mail or a clear error."""
    judged((fence.replace("{}", front) + body).encode("utf-8", "surrogatepass"))
