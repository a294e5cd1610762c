"""mailer init: a folder becomes a newsletter."""

from __future__ import annotations

import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mailer.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]


def test_yes_asks_nothing_and_makes_a_list_main(cli, tmp_path):
    """Everything is there: file, folders, secret, database with the newsletter and its list."""
    ended = cli("init", "news", "--yes", "--json")
    assert ended.code == 0
    assert ended.json["lists"] == ["main"]
    folder = tmp_path / "news"
    assert (folder / "issues").is_dir()
    assert cli("db", "check", folder=folder).code == 0


def test_what_must_not_be_shared_is_not(newsletter):
    """.mailer is for its owner alone and for no repository, the secret even more so."""
    state = newsletter / ".mailer"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "secret.key").stat().st_mode) == 0o600
    assert (state / ".gitignore").read_text() == "*\n"


def test_run_again_it_changes_nothing(cli, newsletter):
    """Never overwrites, octet for octet."""
    before = {file: file.read_bytes() for file in newsletter.rglob("*") if file.suffix in {".toml", ".key"}}
    ended = cli("init", ".", "--yes", "--json")
    assert ended.json["made"] == []
    assert {file: file.read_bytes() for file in before} == before


def test_an_init_that_was_cut_short_is_finished_by_the_next(cli, newsletter):
    """Only what is missing is made."""
    (newsletter / ".mailer" / "mailer.db").unlink()
    secret = (newsletter / ".mailer" / "secret.key").read_text()
    assert cli("init", ".", "--yes").code == 0
    assert cli("db", "check").code == 0
    assert (newsletter / ".mailer" / "secret.key").read_text() == secret


def test_a_folder_without_its_database_asks_before_making_an_empty_one(cli, newsletter):
    """On a moved machine the backup is what is wanted."""
    (newsletter / ".mailer" / "mailer.db").unlink()
    ended = cli.process("init")
    assert ended.code == 3
    assert "mailer db restore" in ended.err
    assert not (newsletter / ".mailer" / "mailer.db").exists()


def test_without_a_terminal_and_without_yes_nothing_is_made(cli, tmp_path):
    """Nobody can answer: exit 3."""
    assert cli.process("init", "news").code == 3
    assert not (tmp_path / "news" / "mailer.toml").exists()


def test_a_mailer_toml_with_mistakes_is_told_and_left_alone(cli, tmp_path):
    """Exit 2, and nothing beside it was made."""
    (tmp_path / "mailer.toml").write_text('id = "x"\n')
    ended = cli("init", ".", "--yes")
    assert ended.code == 2
    assert "mailer.toml:1: id" in ended.err
    assert not (tmp_path / ".mailer").exists()


def test_a_database_elsewhere_is_made_where_the_environment_says(cli, tmp_path, monkeypatch):
    """MAILER_DATABASE wins over the default from the first moment."""
    monkeypatch.setenv("MAILER_DATABASE", f"sqlite:///{tmp_path}/elsewhere.db")
    assert cli("init", "news", "--yes").code == 0
    assert (tmp_path / "elsewhere.db").exists()
    assert not (tmp_path / "news" / ".mailer" / "mailer.db").exists()


def test_a_database_of_another_newsletter_is_refused(cli, tmp_path, monkeypatch):
    """Two newsletters never share readers by accident."""
    monkeypatch.setenv("MAILER_DATABASE", f"sqlite:///{tmp_path}/shared.db")
    assert cli("init", "one", "--yes").code == 0
    ended = cli("init", "two", "--yes")
    assert ended.code == 2
    assert "another newsletter" in ended.err


def test_postgresql_is_made_ready_like_sqlite(cli, postgres_url, monkeypatch):
    """init, db check and a second init on a server."""
    monkeypatch.setenv("MAILER_DATABASE", postgres_url)
    assert cli("init", "news", "--yes").code == 0
    assert cli("init", "news", "--yes").code == 0
    assert cli("db", "check", folder=cli.folder / "news").code == 0


def test_a_jekyll_site_answers_the_questions_itself(cli, tmp_path):
    """Title, address, time zone, permalink and language from _config.yml; the posts become the issues."""
    (tmp_path / "_posts").mkdir()
    (tmp_path / "_posts" / "2026-07-14-one.markdown").write_text("---\ntitle: One\n---\nText.\n")
    (tmp_path / "_config.yml").write_text(
        "title: 'Slack: \"Water\"'\nurl: https://tides.test\nbaseurl: /news\ntimezone: Europe/Lisbon\n"
        "permalink: pretty\nlang: pt-PT\n"
    )
    ended = cli("init", ".", "--yes", "--json")
    assert ended.json["site"] == "Jekyll"
    assert any("exclude" in hint for hint in ended.json["hints"])
    one = load_settings(tmp_path, {}).for_list("main")
    assert (one.name, one.base_url, one.time_zone) == (
        'Slack: "Water"',
        "https://tides.test/news/",
        "Europe/Lisbon",
    )
    assert (one.issues, one.language) == (("_posts/*.markdown",), "pt-PT")
    assert one.permalink == "/:categories/:year/:month/:day/:title/"
    assert not (tmp_path / "issues").exists()


HUGO = {
    "hugo.toml": """
        title = "Tides"
        baseURL = "https://t.test/"
        timeZone = "Asia/Tokyo"
        languageCode = "ja"
        [permalinks]
        posts = "/:year/:filename/"
        """,
    "config.yaml": """
title: Tides
baseURL: https://t.test/
timeZone: Asia/Tokyo
languageCode: ja
permalinks: {posts: "/:year/:filename/"}
""",
    "hugo.json": """
        {"title": "Tides", "baseURL": "https://t.test/", "timeZone": "Asia/Tokyo", "languageCode": "ja",
         "permalinks": {"posts": "/:year/:filename/"}}
        """,
}


@pytest.mark.parametrize(("name", "text"), list(HUGO.items()), ids=list(HUGO))
def test_a_hugo_site_answers_in_each_of_its_languages(cli, tmp_path, name, text):
    """TOML, YAML and JSON; page bundles are issues too."""
    (tmp_path / "content" / "posts" / "two").mkdir(parents=True)
    (tmp_path / name).write_text(text)
    assert cli("init", ".", "--yes", "--json").json["site"] == "Hugo"
    one = load_settings(tmp_path, {}).for_list("main")
    assert (one.name, one.base_url, one.time_zone) == ("Tides", "https://t.test/", "Asia/Tokyo")
    assert one.issues == ("content/posts/*.md", "content/posts/*/index.md")
    assert one.permalink == "/:year/:slug/"


@pytest.mark.parametrize(
    "text", ["title: [unclosed", "- a list", "!!python/object:os.system {}", "\x00", "a: &a [*a]"]
)
def test_a_configuration_that_cannot_be_read_is_as_good_as_none(cli, tmp_path, text):
    """Somebody else's file never stops init, and nothing in it is run."""
    (tmp_path / "_config.yml").write_text(text)
    assert cli("init", ".", "--yes").code == 0
    assert load_settings(tmp_path, {}).for_list("main").base_url is None


def test_a_person_is_asked_and_an_empty_line_keeps_the_suggestion(tmp_path):
    """Five questions; an answer that is no address is asked again."""
    main, there = pty.openpty()
    words = [sys.executable, "-m", "mailer", "init", "news"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.Popen(
        words,
        stdin=there,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        env=environment,
    )
    os.write(main, b"The Tide\nnobody\ntide@slack.test\n\nhttps://tides.test/\nEurope/Lisbon\n")
    assert ran.wait(60) == 0
    os.close(main)
    os.close(there)
    one = load_settings(tmp_path / "news", {}).for_list("main")
    assert (one.sender.name, one.sender.address) == ("The Tide", "tide@slack.test")
    assert (one.base_url, one.time_zone) == ("https://tides.test/", "Europe/Lisbon")
