"""What `mailer init` makes, in the order in which each part needs the one before: file, state, secret, database.

Every step makes only what is missing, so that an init that was cut short is finished by the next one.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from mailer.cli.output import confirm
from mailer.database import exists, open_engine, register, sqlite_file, upgrade, writing
from mailer.errors import PersonNeeded, Problem, UserError
from mailer.keys import new_secret
from mailer.settings import Settings, load_settings
from mailer.settings.site import read_site
from mailer.settings.starter import Answers, answers_for, starter, write_new
from mailer.settings.values import mailbox

if TYPE_CHECKING:
    from pathlib import Path

    from mailer.settings.site import Site


def found(folder: Path, *, yes: bool) -> dict[str, Any]:
    """Make a newsletter of `folder`; give what was made, what the site said and what to do next."""
    folder = _folder(folder)
    site = read_site(folder)
    made: list[str] = []
    fresh = not (folder / "mailer.toml").exists()
    if fresh:
        answers = answers_for(folder, site)
        write_new(folder / "mailer.toml", starter(uuid4(), answers if yes else _asked(answers)))
        made.append("mailer.toml")
    settings = load_settings(folder, os.environ)
    _make_folders(settings, made)
    _make_secret(settings, made)
    _make_database(settings, made, ask=not fresh and not yes)
    return {
        "folder": folder,
        "id": settings.id,
        "lists": list(settings.lists),
        "made": made,
        "site": site.generator if site else None,
        "hints": _hints(settings, site, fresh=fresh),
    }


def _folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(Problem(f"cannot be made: {error.strerror}", str(folder))) from None
    return folder.resolve()


def _asked(answers: Answers) -> Answers:
    """Let a person change the answers; an empty line keeps what stands in brackets."""
    if not sys.stdin.isatty():
        raise PersonNeeded(
            Problem("init asks a few questions and there is no terminal; --yes asks none", key="yes")
        )
    name = _ask("Name of the newsletter", answers.name)
    return replace(
        answers,
        name=name,
        sender=_ask_sender(name),
        postal_address=_ask("Postal address for the footer", answers.postal_address),
        base_url=_ask("Its address on the web, for relative links", answers.base_url or "") or None,
        time_zone=_ask("Time zone", answers.time_zone),
    )


def _ask(question: str, default: str) -> str:
    sys.stderr.write(f"{question} [{default}]: ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.strip() or default


def _ask_sender(name: str) -> str:
    while True:
        text = _ask("Sent from", f"{name} <news@example.org>")
        try:
            box = mailbox(text)
        except ValueError as error:
            sys.stderr.write(f"{error}\n")
        else:
            return f'"{box.name or name}" <{box.address}>'


def _make_folders(settings: Settings, made: list[str]) -> None:
    if not settings.state.exists():
        settings.state.mkdir(mode=0o700)
        write_new(settings.state / ".gitignore", "*\n")
        made.append(".mailer/")
    issues = settings.folder / "issues"
    wanted = any(pattern.startswith("issues/") for one in settings.lists.values() for pattern in one.issues)
    if wanted and not issues.exists():
        issues.mkdir()
        made.append("issues/")


def _make_secret(settings: Settings, made: list[str]) -> None:
    if settings.secret is None and not settings.secret_file.exists():
        write_new(settings.secret_file, new_secret(), 0o600)
        made.append(".mailer/secret.key")


def _make_database(settings: Settings, made: list[str], *, ask: bool) -> None:
    """Make or upgrade the database and put the newsletter and its lists into it."""
    from subscribers import ensure_lists  # noqa: PLC0415 - with the database

    engine = open_engine(settings.database)
    new = not exists(engine)
    if new and ask:
        confirm(
            "mailer.toml is here and its database is not. On a moved machine `mailer db restore FILE` brings back "
            "who received what. Make an empty database?",
            yes=False,
        )
    try:
        upgrade(engine)
        now = datetime.now(UTC)
        with writing(engine) as connection:
            register(connection, settings.id, now)
            brands = {key: one.brand or "" for key, one in settings.lists.items()}
            ensure_lists(connection, settings.lists, now, brands=brands)
    finally:
        engine.dispose()
    if new:
        made.append(str(sqlite_file(engine) or "database"))


def _hints(settings: Settings, site: Site | None, *, fresh: bool) -> list[str]:
    hints = []
    if site and site.generator == "Jekyll" and fresh:
        hints.append(f"{site.file}: add mailer.toml to `exclude`, or Jekyll publishes it")
    if settings.warnings:
        keys = ", ".join(dict.fromkeys(str(problem.key) for problem in settings.warnings))
        hints.append(f"mailer.toml holds placeholders: {keys}")
    if not settings.relays:
        hints.append("no relay yet: add [[relays]] to mailer.toml, or set MAILER_RELAY")
    if fresh:
        pattern = next(iter(settings.lists.values())).issues[0]
        hints.append(f"next: write an issue that {pattern} finds, then `mailer preview` and `mailer check`")
    return hints
