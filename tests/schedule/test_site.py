"""A send by hand asks, too, where a schedule of the list waits for the issue's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.schedule.test_page import served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commandline import Cli

WAITING = '\n[[schedule]]\nname = "weekly"\nevery = "Tue 08:00"\nwait_for = "canonical"\n'


@pytest.fixture
def office(newsletter: Path, cli: Cli) -> Path:
    """A newsletter whose weekly schedule waits for the site, with one reader and a folder as its relay."""
    with (newsletter / "mailer.toml").open("a") as file:
        file.write(f'\n[[relays]]\nname = "look"\nurl = "folder://{newsletter}/mail"\n{WAITING}')
    assert cli("subscribers", "add", "ann@example.com").code == 0
    return newsletter


def issue(folder: Path, canonical: str) -> None:
    """Write the issue, whose page is at this address."""
    text = f"---\nissue: 7\ntitle: Low water\ncanonical: {canonical}\n---\n\nThe gauge is low.\n"
    (folder / "issues/007.md").write_text(text)


def test_a_page_that_is_not_there_is_a_matter_for_a_person(office: Path, cli: Cli):
    """Exit 3, with and without --yes: the answer to one question is not that to another. Nothing was done."""
    with served(404) as (address, site):
        issue(office, f"{address}/7")
        for words in (["--yes"], []):
            ended = cli("send", "7", *words)
            assert (ended.code, "answers 404" in ended.err) == (3, True), ended.err
        assert cli("status", "--json").lines == []
        site.status, site.body = 200, "<title>Low water</title>"
        assert cli("send", "7", "--yes", "--json").json["accepted"] == 1


def test_a_list_that_waits_for_nothing_asks_no_site(office: Path, cli: Cli):
    """Most newsletters have no site at all."""
    toml = (office / "mailer.toml").read_text()
    (office / "mailer.toml").write_text(toml.replace('wait_for = "canonical"\n', ""))
    issue(office, "http://127.0.0.1:1/7")
    assert cli("send", "7", "--yes").code == 0


def test_an_issue_without_an_address_is_asked_about(office: Path, cli: Cli):
    """What cannot be looked at is not there."""
    text = "---\nissue: 7\ntitle: Low water\n---\n\nThe gauge is low.\n"
    (office / "issues/007.md").write_text(text)
    toml = (office / "mailer.toml").read_text()
    lines = [line for line in toml.splitlines() if not line.startswith(("base_url", "permalink"))]
    (office / "mailer.toml").write_text("\n".join(lines))
    ended = cli("send", "7", "--yes")
    assert (ended.code, "no address on the web" in ended.err) == (3, True), ended.err


def test_check_finds_a_rule_that_cannot_be_read_and_questions_that_reach_nobody(office: Path, cli: Cli):
    """With the line of mailer.toml; before `mailer run` refuses to start."""
    toml = (office / "mailer.toml").read_text()
    (office / "mailer.toml").write_text(toml.replace("Tue 08:00", "Tuesdays"))
    found = {line["rule"]: line for line in cli("check", "--json").lines}
    assert (found["schedule"]["level"], found["schedule-operator"]["level"]) == ("error", "warning")
    assert (
        (office / "mailer.toml").read_text().splitlines()[found["schedule"]["line"] - 1].startswith("every")
    )
