"""mailer db: upgrade, check, and one file that holds what a newsletter must not lose."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import tarfile
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from sqlite3 import connect

import pytest
from sqlalchemy import func, insert, select, text

import subscribers
from mailer.database import newest_revision, open_engine, reading, writing
from mailer.delivery.states import MailingState
from mailer.delivery.tables import mailings
from mailer.settings import load_settings
from subscribers import metadata

NOW = datetime(2026, 7, 14, 9, 52, tzinfo=UTC)
PEOPLE = metadata.tables["subscribers"]


@pytest.fixture(params=["sqlite", "postgresql"])
def newsletter(request, cli, tmp_path, empty_database, monkeypatch):
    """A newsletter on each database, with one reader and one mailing that runs."""
    if request.param == "postgresql":
        monkeypatch.setenv("MAILER_DATABASE", empty_database("postgresql"))
    assert cli("init", "news", "--yes").code == 0
    cli.folder = tmp_path / "news"
    journal = cli.folder / ".mailer" / "journal"
    journal.mkdir()
    (journal / "1.log").write_text("one line\n")
    add_reader(cli.folder, "ann@tides.example.com")
    with opened(cli.folder) as engine, writing(engine) as connection:
        row = {"name": "72.main", "list_key": "main", "number": 72, "slug": "x", "again": "", "subject": "S"}
        stamps = {"created_at": NOW, "changed_at": NOW}
        connection.execute(insert(mailings).values(**row, state=MailingState.RUNNING, **stamps))
    return cli.folder


@contextmanager
def opened(folder):
    """Give the newsletter's engine, and close it."""
    engine = open_engine(load_settings(folder, os.environ).database)
    try:
        yield engine
    finally:
        engine.dispose()


def add_reader(folder, email):
    with opened(folder) as engine, writing(engine) as connection:
        person = subscribers.add(
            connection, email=email, list_key="main", now=NOW, hash_key=b"k" * 32, basis="asked by mail"
        )
    return person.id


def readers(folder):
    with opened(folder) as engine, reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(PEOPLE))


def test_a_backup_brings_back_database_journal_and_secret(cli, newsletter, tmp_path):
    """What was there at the backup is there after the restore, on a machine that had nothing left but the file."""
    secret = (newsletter / ".mailer" / "secret.key").read_text()
    ended = cli("db", "backup", tmp_path / "kept.tar.gz", "--json")
    assert ended.code == 0
    add_reader(newsletter, "bea@tides.example.com")
    shutil.rmtree(newsletter / ".mailer")
    assert cli("db", "restore", tmp_path / "kept.tar.gz", "--yes").code == 0
    assert readers(newsletter) == 1
    assert (newsletter / ".mailer" / "secret.key").read_text() == secret
    assert (newsletter / ".mailer" / "journal" / "1.log").read_text() == "one line\n"
    assert stat.S_IMODE((newsletter / ".mailer").stat().st_mode) == 0o700
    assert cli("db", "check").code == 0


def test_ids_go_on_where_they_stood(cli, newsletter, tmp_path):
    """House rule: an id is never given twice, a restore included."""
    last = add_reader(newsletter, "bea@tides.example.com")
    with opened(newsletter) as engine, writing(engine) as connection:
        subscribers.erase(connection, last, NOW)
    cli("db", "backup", tmp_path / "kept.tar.gz")
    assert cli("db", "restore", tmp_path / "kept.tar.gz", "--yes").code == 0
    assert add_reader(newsletter, "cyd@tides.example.com") > last


def test_a_restored_mailing_waits_for_a_person(cli, newsletter, tmp_path):
    """Who got it since the backup is not in the database: it stands paused, and says why."""
    cli("db", "backup", tmp_path / "kept.tar.gz")
    assert cli("db", "restore", tmp_path / "kept.tar.gz", "--yes").code == 0
    with opened(newsletter) as engine, reading(engine) as connection:
        row = connection.execute(select(mailings)).one()
    assert row.state == MailingState.PAUSED
    assert "restored" in row.reason


def test_a_journal_is_never_shortened(cli, newsletter, tmp_path):
    """What was sent after the backup stays proven on the machine that sent it."""
    cli("db", "backup", tmp_path / "kept.tar.gz")
    journal = newsletter / ".mailer" / "journal" / "1.log"
    journal.write_text("one line\nanother\n")
    cli("db", "restore", tmp_path / "kept.tar.gz", "--yes")
    assert journal.read_text() == "one line\nanother\n"


def test_a_backup_is_read_by_its_owner_alone_and_overwrites_nothing(cli, newsletter, tmp_path):
    """It holds every address and the secret."""
    file = tmp_path / "kept.tar.gz"
    cli("db", "backup", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    assert cli("db", "backup", file).code == 2
    assert file.read_bytes() == before


def test_a_backup_into_a_folder_names_itself(cli, newsletter, tmp_path):
    """By newsletter and moment."""
    ended = cli("db", "backup", tmp_path, "--json")
    assert ended.json["file"].startswith(str(tmp_path / "news-"))


def test_replacing_a_database_asks_first(cli, newsletter, tmp_path):
    """Without a terminal and --yes nothing is done."""
    cli("db", "backup", tmp_path / "kept.tar.gz")
    add_reader(newsletter, "bea@tides.example.com")
    assert cli.process("db", "restore", tmp_path / "kept.tar.gz").code == 3
    assert readers(newsletter) == 2


def test_the_secret_of_the_environment_is_in_the_backup(cli, newsletter, tmp_path, monkeypatch):
    """One secret, in every backup, wherever it stands."""
    monkeypatch.setenv("MAILER_SECRET", "correct horse battery staple, and then some more")
    cli("db", "backup", tmp_path / "kept.tar.gz")
    with tarfile.open(tmp_path / "kept.tar.gz") as archive:
        kept = archive.extractfile("secret.key")
        assert kept
        assert kept.read().startswith(b"correct horse")


def test_upgrade_says_where_the_database_is(cli, newsletter):
    """An up-to-date database stays as it is."""
    ended = cli("db", "upgrade", "--json")
    assert (ended.code, ended.json) == (0, {"revision": newest_revision(), "indexes": 0})


# What follows is about the file alone, and needs one database.


@pytest.fixture
def plain(cli, tmp_path):
    """A newsletter on SQLite and a backup of it."""
    assert cli("init", "plain", "--yes").code == 0
    cli.folder = tmp_path / "plain"
    assert cli("db", "backup", tmp_path / "kept.tar.gz").code == 0
    return tmp_path / "kept.tar.gz"


def test_another_newsletters_backup_is_refused(cli, plain, tmp_path):
    """Its readers never asked for this one."""
    assert cli("init", "other", "--yes", folder=tmp_path).code == 0
    ended = cli("db", "restore", plain, "--yes", folder=tmp_path / "other")
    assert ended.code == 2
    assert "another newsletter" in ended.err


def test_a_backup_of_a_newer_program_is_refused(cli, plain, tmp_path):
    """Before anything is touched."""
    changed = rewritten(plain, tmp_path, manifest={"revision": "9999"})
    ended = cli("db", "restore", changed, "--yes")
    assert ended.code == 2
    assert "upgrade mailer" in ended.err


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "mailer.toml", "journal/../../evil", "dkim/.hidden"]
)
def test_an_archive_cannot_write_elsewhere(cli, plain, tmp_path, name):
    """Only names that a backup has are taken out."""
    ended = cli("db", "restore", rewritten(plain, tmp_path, extra=name), "--yes")
    assert ended.code == 2
    assert "no backup does" in ended.err
    assert not (tmp_path / "evil").exists()


def test_a_link_in_an_archive_is_refused(cli, plain, tmp_path):
    """A symbolic link could lead anywhere."""
    ended = cli("db", "restore", rewritten(plain, tmp_path, extra="dkim/key", link="/etc/passwd"), "--yes")
    assert ended.code == 2


@pytest.mark.parametrize("keep", [0, 10, 1000, -20])
def test_a_backup_that_was_cut_short_is_refused_and_harms_nothing(cli, plain, keep):
    """The database that is there stays."""
    plain.write_bytes(plain.read_bytes()[:keep])
    assert cli("db", "restore", plain, "--yes").code == 2
    assert cli("db", "check").code == 0


def test_a_damaged_database_in_a_backup_is_refused(cli, plain, tmp_path):
    """It is looked at before it takes the place of the one that is there."""
    ended = cli(
        "db", "restore", rewritten(plain, tmp_path, database=b"SQLite format 3\0" + bytes(9000)), "--yes"
    )
    assert ended.code == 2
    assert "damaged" in ended.err
    assert cli("db", "check").code == 0


def test_a_database_in_use_is_not_replaced(cli, plain):
    """Exit 75: stop the sender first."""
    with closing(connect(cli.folder / ".mailer" / "mailer.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert cli("db", "restore", plain, "--yes").code == 75


def test_check_tells_damage_and_exits_1(cli, plain):
    """The answer is no."""
    file = cli.folder / ".mailer" / "mailer.db"
    with closing(connect(file)) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
        connection.commit()
    ended = cli("db", "check", "--json")
    assert ended.code == 1
    assert ended.json["sound"] is False
    assert "mailer db upgrade" in ended.json["problems"][0]["message"]


def test_where_there_is_no_database_every_db_command_says_what_to_do(cli, plain):
    """And makes none."""
    (cli.folder / ".mailer" / "mailer.db").unlink()
    for words in (("db", "check"), ("db", "upgrade"), ("db", "backup")):
        ended = cli(*words)
        assert ended.code == 2
        assert "mailer init" in ended.err
    assert not (cli.folder / ".mailer" / "mailer.db").exists()


def rewritten(file, folder, *, manifest=None, extra=None, link=None, database=None):
    """Give a copy of a backup with something changed."""
    target = folder / "changed.tar.gz"
    with tarfile.open(file) as old, tarfile.open(target, "w:gz") as new:
        for member in old:
            octets = old.extractfile(member).read()
            if member.name == "manifest.json":
                octets = json.dumps(json.loads(octets) | (manifest or {})).encode()
            if member.name == "mailer.db" and database:
                octets = database
            member.size = len(octets)
            new.addfile(member, io.BytesIO(octets))
        if extra:
            added = tarfile.TarInfo(extra)
            if link:
                added.type, added.linkname = tarfile.SYMTYPE, link
            new.addfile(added, io.BytesIO(b""))
    return target


def test_postgresql_is_upgraded_by_command_alone(cli, tmp_path, empty_database, monkeypatch):
    """Other machines may run the version before: opening it changes nothing, and says what to type."""
    url = empty_database("postgresql")
    monkeypatch.setenv("MAILER_DATABASE", url)
    assert cli("init", "news", "--yes").code == 0
    cli.folder = tmp_path / "news"
    with opened(cli.folder) as engine, writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    ended = cli("status")
    assert ended.code == 2
    assert "run `mailer db upgrade`" in ended.err
