"""No input crashes, hangs or bloats the process that sends."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mailer
from mailer.edition import Edition, Masthead
from mailer.edition.guard import Compiler, compile_guarded
from mailer.errors import UserError

HEAVY = ("lxml", "mjml", "markdown_it", "premailer", "nh3", "jinja2", "cssutils")


@pytest.fixture(scope="module")
def compiler():
    with Compiler() as warm:
        yield warm


def test_an_issue_is_compiled_by_a_child(tmp_path):
    """The edition is the one that compile_issue gives."""
    from mailer.edition.compile import compile_issue
    from mailer.issue.read import read_issue

    file = tmp_path / "7.md"
    file.write_text("# Hello\n\nWorld {{ subscriber.name }}.")
    head = Masthead(theme={"accent": "#8a1c1c"}, folder=tmp_path)
    assert compile_guarded(file, head) == compile_issue(read_issue(file.read_bytes(), str(file)), head)


def test_the_sender_loads_none_of_the_libraries(tmp_path):
    """What parses hostile input is not even imported where secrets are."""
    file = tmp_path / "7.md"
    file.write_text("# Hello\n\nWorld.")
    program = (
        "import sys; from pathlib import Path; from mailer.edition import Masthead;"
        "from mailer.edition.guard import compile_guarded;"
        f"compile_guarded(Path({str(file)!r}), Masthead()); print(*[m for m in {HEAVY!r} if m in sys.modules])"
    )
    root = Path(mailer.__file__).parent.parent
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout.strip() == ""


def test_the_child_knows_no_secret(compiler, monkeypatch):
    """Only what Python needs of the environment is handed on."""
    from mailer.edition import guard

    monkeypatch.setenv("MAILER_SECRET", "s3cret")
    assert not any("MAILER" in name for name in guard._environment())


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: folder, "folder"),
        (lambda folder: folder / "none.md", "no such file"),
        (lambda _folder: Path("/dev/zero"), "no plain file"),
    ],
)
def test_what_is_no_file_is_refused(make, says, tmp_path, compiler):
    """By name, and before anything is read."""
    with pytest.raises(UserError, match=says):
        compiler.compile(make(tmp_path), Masthead())


def stand_in(monkeypatch, program: str) -> None:
    """Let a child of our own making answer instead of the worker."""
    from mailer.edition import guard

    real = subprocess.Popen

    def popen(_command, **options) -> subprocess.Popen[bytes]:  # noqa: ANN003 - whatever the guard asks for
        return real([sys.executable, "-c", program], **options)

    monkeypatch.setattr(guard.subprocess, "Popen", popen)


READY = "import sys, os, time; print('{\"ready\": true}', flush=True); sys.stdin.readline();"


@pytest.mark.parametrize(
    ("death", "says"),
    [
        ("os.kill(os.getpid(), 11)", "killed by signal 11"),
        ("os._exit(3)", "left with code 3"),
        ("time.sleep(600)", "longer than 0.3 s"),
        ('print(\'{"failure": "ran into a bug"}\', flush=True)', "ran into a bug"),
    ],
)
def test_a_child_that_dies_or_hangs_is_an_error_of_the_file(death, says, monkeypatch, tmp_path):
    """A segmentation fault in a C library ends the child alone."""
    file = tmp_path / "7.md"
    file.write_text("Hello.")
    stand_in(monkeypatch, READY + death)
    with pytest.raises(UserError, match=says) as caught:
        compile_guarded(file, Masthead(), seconds=0.3)
    assert caught.value.problems[0].file == str(file)


def test_a_killed_child_is_replaced(tmp_path, monkeypatch):
    """One bad file does not spoil the preview of the next."""
    file = tmp_path / "7.md"
    file.write_text("Hello.")
    with Compiler() as warm:
        warm.compile(file, Masthead(), subject="S")
        assert warm._child is not None
        warm._child.kill()
        warm._child.wait()
        assert warm.compile(file, Masthead(), subject="S").subject == ("S",)


def attempt(compiler: Compiler, file: Path) -> Edition | str:
    """Give the mail, or the words of the error."""
    try:
        return compiler.compile(file, Masthead(), subject="S")
    except UserError as error:
        return str(error)


BOMBS = {
    "10,000 nested quotes": b"> " * 10_000 + b"x",
    "10,000 nested lists": b"".join(b" " * (2 * n) + b"- x\n" for n in range(600)),
    "100,000 nested elements": b"<div>" * 100_000 + b"x",
    "unclosed tags": b"<a" * 100_000,
    "open emphasis": b"*a_ " * 60_000,
    "open brackets": b"[" * 100_000,
    "open links": b"[a](" * 50_000,
    "backticks": b"".join(b"`" * n + b" " for n in range(900)),
    "entities": b"&amp;" * 100_000,
    "NULs": b"\0" * 100_000 + b"x",
    "random octets": bytes(range(256)) * 1000,
    "lone surrogates": b"x \xed\xa0\x80 y",
    "a YAML bomb": b"---\na: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(8))
    + b"---\nx",
    "pipes": b"|" * 50_000 + b"\n" + b"|-" * 25_000 + b"|\n",
    "one long line": b"word " * 190_000,
    "a megabyte of text": (b"A line of words that says little.\n\n" * 28_000)[:1_000_000],
    "too much": b"x" * 1_000_001,
    "comments": b"<!--" * 100_000,
    "rules": b"***\n" * 100_000,
    "footnotes": b"".join(b"[^%d]\n\n[^%d]: x\n\n" % (n, n) for n in range(5000)),
    "scripts": b"<script>" * 50_000,
    "images": b"![x](https://a.example/x.png)\n" * 10_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_in_a_mail_or_a_clear_error(name, compiler, tmp_path):
    """Big, deep and broken sources: an answer comes, and comes in time."""
    file = tmp_path / "bomb.md"
    file.write_bytes(BOMBS[name])
    started = time.monotonic()
    outcome = attempt(compiler, file)
    assert isinstance(outcome, Edition) or "bug of mailer" not in outcome
    assert time.monotonic() - started < 70  # a guard against hanging, not a measure


PIECES = (
    *(
        "<div>",
        "</div>",
        "<p",
        ">",
        '"',
        "'",
        "<a href=",
        "<!--",
        "-->",
        "<table><td>",
        "<svg>",
        "</p>",
        "<br>",
    ),
    *(
        "<iframe src=//a.example>",
        "<img src=x ",
        "![",
        "](",
        ")",
        "\n\n",
        "> ",
        "- ",
        "|",
        "`",
        "**",
        "[^1]",
        ": ",
    ),
    *("{{", "}}", "{%", "---\n", "&#0;", "\u202e", "x", "\ud800"),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=400),
        st.lists(
            st.sampled_from(PIECES),
            max_size=40,
        ).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass")),
    )
)
def test_fuzzed_sources_never_find_a_bug(compiler, tmp_path, source):
    """Any octets give a mail or a problem of the file, never an exception of ours."""
    file = tmp_path / "fuzz.md"
    file.write_bytes(source)
    outcome = attempt(compiler, file)
    assert isinstance(outcome, Edition) or not re.search("bug of mailer|ended the compile step", outcome)
