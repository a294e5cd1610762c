"""The commit of a file, with a real git."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from mailer.issue.provenance import Provenance, provenance

if TYPE_CHECKING:
    from pathlib import Path

GIT = ("git", "-c", "user.name=A", "-c", "user.email=a@a.example", "-c", "commit.gpgsign=false")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one committed file, whose name looks like an option."""
    assert shutil.which("git"), "these tests need git"
    subprocess.run([*GIT, "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "--all.md").write_text("one")
    subprocess.run([*GIT, "-C", str(tmp_path), "add", "--", "--all.md"], check=True)
    subprocess.run([*GIT, "-C", str(tmp_path), "commit", "-q", "-m", "one"], check=True)
    return tmp_path


def test_a_committed_file_has_its_commit(repository: Path):
    """The commit is that of the file, and a change in the work tree is seen."""
    path = repository / "--all.md"
    head = subprocess.run(
        [*GIT, "-C", str(repository), "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    )
    assert provenance(path) == Provenance(head.stdout.strip(), committed=True, repository=True)
    path.write_text("two")
    assert provenance(path) == Provenance(head.stdout.strip(), committed=False, repository=True)


def test_a_new_file_has_none(repository: Path):
    """A file that git does not know is in a repository and not committed."""
    (repository / "new.md").write_text("x")
    assert provenance(repository / "new.md") == Provenance(None, committed=False, repository=True)


def test_without_git_there_is_no_commit(repository: Path, monkeypatch: pytest.MonkeyPatch):
    """No git, or no repository, is no error."""
    monkeypatch.setenv("PATH", "")
    assert provenance(repository / "--all.md") == Provenance(None, committed=False, repository=False)
