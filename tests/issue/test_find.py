"""Issues are found by number, slug or path, and never outside the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailer.errors import UserError
from mailer.issue.find import find_issue, list_issues

if TYPE_CHECKING:
    from pathlib import Path

GLOBS = ("issues/*.md", "_posts/**/*.md")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A newsletter of three issues."""
    for name, text in {
        "issues/71.md": "---\ntitle: Roses\n---\nText",
        "_posts/2024-07-01-tulips.md": "---\ntitle: 'Garden News #72'\n---\nText",
        "issues/extra.md": "---\ntitle: Extra\ndraft: true\n---\nText",
        "issues/README.md": "No issue",
    }.items():
        path = tmp_path / "news" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "news"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("71", "71.md"),
        ("#72", "2024-07-01-tulips.md"),
        ("tulips", "2024-07-01-tulips.md"),
        ("issues/extra.md", "extra.md"),
    ],
)
def test_an_issue_has_three_names(folder: Path, wanted: str, name: str):
    """Its number, its slug and its path lead to the same file."""
    assert find_issue(folder, GLOBS, wanted).name == name


def test_two_claims_on_a_number_name_both(folder: Path):
    """The error names both files and where each number comes from."""
    (folder / "issues" / "again.md").write_text("---\nnumber: 71\ntitle: Again\n---\n")
    with pytest.raises(UserError) as caught:
        find_issue(folder, GLOBS, "71")
    said = str(caught.value)
    assert "issues/71.md" in said
    assert "the file name" in said
    assert "issues/again.md" in said
    assert "in the front matter" in said


def test_nothing_found_names_the_nearest(folder: Path):
    """A number that no file claims is answered with those around it."""
    with pytest.raises(UserError, match=r"nearest: 72 .*71"):
        find_issue(folder, GLOBS, "73")
    with pytest.raises(UserError, match="tulips"):
        find_issue(folder, GLOBS, "tulip")


def test_the_list_is_in_order_and_survives_a_bad_file(folder: Path):
    """A file that cannot be read is listed with its problem; all others are found."""
    (folder / "issues" / "bad.md").write_text("---\ntitle: [\n---\n")
    found = list_issues(folder, GLOBS)
    assert [issue.path.name for issue in found if issue.number] == ["71.md", "2024-07-01-tulips.md"]
    assert [issue.path.name for issue in found if issue.problem] == ["bad.md"]
    assert [issue.path.name for issue in found if issue.draft] == ["extra.md"]


@pytest.mark.parametrize("glob", ["../*.md", "/etc/*", "issues/../../*.md", "~/x"])
def test_globs_stay_in_the_folder(folder: Path, glob: str):
    """A glob that leads out is refused."""
    with pytest.raises(UserError, match="leads out"):
        list_issues(folder, [glob])


def test_links_out_of_the_folder_are_not_followed(folder: Path):
    """A symbolic link to a file elsewhere is no issue; one that stays inside is."""
    outside = folder.parent / "secret.md"
    outside.write_text("---\ntitle: Secret\n---\n")
    (folder / "issues" / "99.md").symlink_to(outside)
    (folder / "issues" / "loop.md").symlink_to(folder / "issues" / "loop.md")
    assert {issue.path.name for issue in list_issues(folder, GLOBS)} == {
        "71.md",
        "extra.md",
        "2024-07-01-tulips.md",
    }


def test_long_front_matter_is_read_whole(folder: Path):
    """A head that is cut within its front matter is read further."""
    (folder / "issues" / "long.md").write_text(
        f'---\nexcerpt: "{"word " * 6000}"\nnumber: 80\ntitle: Long\n---\nText'
    )
    assert find_issue(folder, GLOBS, "80").name == "long.md"
