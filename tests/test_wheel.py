"""The wheel works in any folder: what it carries, and what it does without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(words, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, in a folder that holds nothing else."""
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def mailer(unpacked: Path, folder: Path, *words: str) -> str:
    """Run the wheel's own `mailer`: with our dependencies, and nothing of the checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "mailer", *words],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_it_carries_templates_migrations_and_the_new_mailer_toml(wheel):
    """And no test, no benchmark, no example."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for kind, pattern in (("templates", "*.j2"), ("migrations", "*.py")):
        for file in (ROOT / kind).rglob(pattern):
            assert f"mailer/{file.relative_to(ROOT)}" in names
    assert "mailer/settings/starter.toml" in names
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {
        "mailer",
        "subscribers",
    }


def test_both_commands_are_installed(wheel):
    """`mailer`, and its long name where another program has the short one."""
    archive = zipfile.ZipFile(wheel)
    (entry,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
    assert set(archive.read(entry).decode().split()) >= {"mailer", "newsletter-mailer", "mailer.cli:main"}


def test_it_runs_from_its_own_files(unpacked, tmp_path):
    """What follows tests the wheel, not the checkout."""
    code = (
        "import mailer, mailer.resources as r; print(mailer.__file__, r.templates_dir(), r.migrations_dir())"
    )
    ended = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(path.startswith(str(unpacked)) for path in ended.stdout.split())


def test_it_makes_a_newsletter_and_compiles_an_issue_in_any_folder(unpacked, tmp_path):
    """From nothing to a message, with the wheel's own templates and migrations."""
    mailer(unpacked, tmp_path, "init", "news", "--yes")
    folder = tmp_path / "news"
    (folder / "issues" / "001-hello.md").write_text('---\ntitle: "News #1"\n---\n\nHello, *world*.\n')
    mailer(unpacked, folder, "db", "check")
    mailer(unpacked, folder, "compile", "1", "--out", "out")
    assert "<em" in (folder / "out" / "001-hello.html").read_text()
