"""What the tests of all rooms share: databases, a newsletter, the command line; and what was not run, aloud."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import uuid4

import pytest
from hypothesis import settings

from tests.commandline import ROOT, Cli
from tests.memory import keep_files_in_memory
from tests.postgres import Postgres, administered, served
from tests.scheduling import LongestFirst, in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "postfix": ("postfix",),
    "dovecot": ("dovecot",),
    "lua": ("lua5.4", "lua"),
}
# A machine under load is no failure: no example has a deadline. CI tries the same examples each time, so that a
# change is judged by itself; at home they differ from run to run.
IN_CI = os.environ.get("MAILER_REQUIRE_ALL") == "1"
settings.register_profile("whole", deadline=None, derandomize=IN_CI)
settings.register_profile("fast", deadline=None, max_examples=25)
settings.load_profile("fast" if os.environ.get("MAILER_TEST_FAST") == "1" else "whole")

keep_files_in_memory()

REQUIRE_ALL = IN_CI
LONG_FOLDERS = {"cli", "stories", "run", "docs", "corpus", "preview"}
_left_out: dict[str, int] = {}
_fell_back: dict[str, str] = {}


def found(program: str) -> str | None:
    """Give the path of a Debian program, also where sbin is not on the path."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    return next(filter(None, (shutil.which(name, path=path) for name in PROGRAMS[program])), None)


def without(what: str) -> NoReturn:
    """Leave a test out because something is not installed; with MAILER_REQUIRE_ALL=1 that is a failure."""
    if REQUIRE_ALL:
        pytest.fail(f"{what} is not installed, and MAILER_REQUIRE_ALL=1 wants every test to run")
    pytest.skip(f"{what} is not installed")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Let pytest-xdist, where it runs, begin what takes long first, and keep together what shares a thing."""
    return LongestFirst(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put first what takes long; for make test-fast, leave out what starts processes, and the second database."""
    items[:] = in_order(items)
    if os.environ.get("MAILER_TEST_FAST") != "1":
        return
    left_out = [item for item in items if _is_long(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not _is_long(item)]


def _is_long(item: pytest.Item) -> bool:
    folder = item.path.relative_to(ROOT / "tests").parts[0]
    callspec = getattr(item, "callspec", None)
    return folder in LONG_FOLDERS or "postgresql" in (callspec.params.values() if callspec else ())


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what needs a program that is not there."""
    for program in PROGRAMS:
        if item.get_closest_marker(program) and not found(program):
            without(program)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count in the main process what the workers of pytest-xdist left out."""
    if (
        report.skipped
        and isinstance(report.longrepr, tuple)
        and report.longrepr[2].endswith("is not installed")
    ):
        what = report.longrepr[2].removeprefix("Skipped: ").removesuffix(" is not installed")
        _left_out[what] = _left_out.get(what, 0) + 1
    for how in [str(value) for name, value in report.user_properties if name == "fell_back"]:
        _fell_back[report.nodeid] = how


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say aloud what was left out, so that a green run is not mistaken for a whole one."""
    for what, count in sorted(_left_out.items()):
        terminalreporter.write_line(
            f"NOT RUN: {count} tests, because {what} is not installed", yellow=True, bold=True
        )
    for test, how in sorted(_fell_back.items()):
        terminalreporter.write_line(f"FELL BACK: {test}: {how}", yellow=True, bold=True)


@pytest.fixture
def chromium() -> str:
    """Chromium's path, for tests that bear its mark."""
    return found("chromium") or without("chromium")


# --- databases


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server: MAILER_TEST_POSTGRES, else one from the wheel, on a Unix socket."""
    given = os.environ.get("MAILER_TEST_POSTGRES")
    with nullcontext(given) if given else served() as url:
        yield url


@pytest.fixture(scope="session")
def postgres(postgres_server: str) -> Iterator[Postgres]:
    """That server, as one who may make databases."""
    with administered(postgres_server) as made:
        yield made


@pytest.fixture
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Give the URL of an empty database of the kind asked for, as often as it is asked."""
    with ExitStack() as stack:

        def make(kind: str) -> str:
            if kind == "sqlite":
                return f"sqlite:///{tmp_path / uuid4().hex}.db"
            postgres: Postgres = request.getfixturevalue("postgres")
            return stack.enter_context(postgres.database())

        yield make


@pytest.fixture
def postgres_url(empty_database: Callable[[str], str]) -> str:
    """An empty database of its own on PostgreSQL."""
    return empty_database("postgresql")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, empty_database: Callable[[str], str]) -> str:
    """An empty database on each of the two."""
    return empty_database(request.param)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest schema, to be copied."""
    from mailer.database import open_engine, upgrade

    file = tmp_path_factory.mktemp("migrated") / "template.db"
    engine = open_engine(f"sqlite:///{file}")
    upgrade(engine)
    engine.dispose()
    return file


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> Iterator[str]:
    """The name of a PostgreSQL database at the newest schema, to be used as a template."""
    from sqlalchemy.engine import make_url

    from mailer.database import open_engine, upgrade

    with postgres.database() as url:
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()
        yield str(make_url(url).database)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine on a database at the newest schema, of each of the two kinds."""
    from mailer.database import open_engine

    if request.param == "sqlite":
        file = tmp_path / "test.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), file)
        made = open_engine(f"sqlite:///{file}")
        yield made
        made.dispose()
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        with postgres.database(request.getfixturevalue("migrated_postgres")) as url:
            made = open_engine(url)
            yield made
            made.dispose()


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches them."""
    from mailer.cli.output import json_wanted

    json_wanted.set(False)  # a test that read a command's options with --json leaves it set
    _forget_settings(monkeypatch)


def _forget_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE", "RELAY", "BASE_URL", "PUBLIC_URL", "SECRET", "DEBUG"):
        monkeypatch.delenv(f"MAILER_{name}", raising=False)
        monkeypatch.delenv(f"MAILER_{name}_FILE", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """The command line, started in an empty folder unless told otherwise."""
    return Cli(tmp_path)


@pytest.fixture(scope="session")
def new_newsletter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A newsletter as `mailer init --yes` makes it, to be copied."""
    folder = tmp_path_factory.mktemp("new") / "newsletter"
    with pytest.MonkeyPatch.context() as monkeypatch:
        _forget_settings(monkeypatch)
        ended = Cli(folder.parent)("init", folder, "--yes")
    assert ended.code == 0, ended.err
    return folder


@pytest.fixture
def newsletter(tmp_path: Path, cli: Cli, new_newsletter: Path) -> Path:
    """A newsletter as it is new; `cli` works in it."""
    cli.folder = shutil.copytree(new_newsletter, tmp_path / "newsletter")
    return cli.folder
