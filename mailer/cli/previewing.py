"""What `mailer preview` does with its words: finds the file, its list and its reader, then shows, sends or writes."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mailer.cli.compiling import targets
from mailer.cli.naming import mailing_named
from mailer.cli.output import emit, note, say
from mailer.cli.workplace import Workplace, workplace_here
from mailer.edition.guard import Compiler, compile_guarded
from mailer.edition.masthead import masthead_for
from mailer.errors import Problem, UserError
from mailer.keys import Key, Keys
from mailer.message import Recipient
from mailer.message.eml import NOBODY, to_eml
from mailer.message.sender import invented_sender, sender_for
from mailer.preview.shown import Setting, pressed

if TYPE_CHECKING:
    from mailer.cli.compiling import Target
    from mailer.edition import Edition
    from mailer.preview.desk import Desk
    from mailer.preview.server import PreviewServer
    from mailer.preview.trial import Tried
    from mailer.settings import ListSettings

SOME_LEFT: Final = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of the command line."""

    issue: str
    list_key: str | None = None
    subject: str | None = None
    as_email: str | None = None
    to: tuple[str, ...] = ()
    out: Path | None = None
    port: int = 0
    browser: bool = True


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is previewed: the file, with its newsletter and list where there is one."""

    target: Target
    place: Workplace | None = None

    @property
    def path(self) -> Path:
        """The issue's file."""
        return self.target.path

    def setting(self, reader: Recipient, keys: Keys) -> Setting:
        """Give the setting for a reader, from mailer.toml as it is now."""
        if self.place is None or self.target.list is None:
            return Setting(self.target.masthead, invented_sender(), keys, reader)
        one = Workplace(self.place.folder).settings.for_list(self.target.list.key)
        return Setting(masthead_for(one), sender_for(one), keys, reader)

    def need_list(self, flag: str) -> tuple[Workplace, ListSettings]:
        """Give the newsletter and the list, which `flag` cannot do without."""
        if self.place is None or self.target.list is None:
            said = f"{flag} needs a newsletter: there is no mailer.toml here or in a folder above"
            raise UserError(Problem(said, str(self.path)))
        return self.place, self.target.list


def run(asked: Asked) -> int:
    """Show, send or write; give the exit code."""
    chosen = _choose(asked)
    if asked.to:
        return _try(asked, chosen)
    if asked.out is not None:
        return _write(asked, chosen, asked.out)
    return _show(asked, chosen)


def _choose(asked: Asked) -> Chosen:
    place = workplace_here()
    wanted, list_key = asked.issue, asked.list_key
    named = mailing_named(wanted, place.settings.lists) if place else None
    if named is not None:
        wanted, list_key = named.issue, named.list_key
    found = targets(place, [wanted], list_key)
    if len(found) != 1:
        raise UserError(Problem(f"{wanted} names {len(found)} issues; a preview shows one", key="issue"))
    return Chosen(found[0], place)


def _throwaway() -> Keys:
    """Keys whose tokens nobody will accept: what is only looked at needs no secret."""
    return Keys((Key(0, secrets.token_bytes(32)),))


def _reader(chosen: Chosen, email: str | None) -> Recipient:
    """Give the subscriber that --as names, with their real ids, else the invented one."""
    if email is None:
        return NOBODY
    from mailer.database import writing  # noqa: PLC0415 - SQLAlchemy is for those who ask for a subscriber
    from subscribers import ensure_lists, find  # noqa: PLC0415

    place, one = chosen.need_list("--as")
    with writing(place.engine) as connection:
        person = find(connection, email)
        list_id = ensure_lists(connection, [one.key], datetime.now(UTC))[one.key]
    if person is None or person.email is None:
        raise UserError(Problem(f"nobody has the address {email}", key="as"))
    standing = person.subscription(one.key)
    if standing is None or standing.state != "active":
        note(
            f"{email} is {standing.state if standing else 'not'} on the list {one.key}: a send would skip them",
            style="warning",
        )
    return Recipient(person.id, list_id, person.email, person.name, person.language, person.attributes)


# --- in a browser


def _show(asked: Asked, chosen: Chosen) -> int:
    from mailer.preview.desk import Desk  # noqa: PLC0415 - http.server is for those who look
    from mailer.preview.server import PreviewServer  # noqa: PLC0415

    # Subscriber 0: what is clicked in a preview acts on nobody.
    reader = _reader(chosen, asked.as_email)._replace(subscriber_id=0, list_id=0)
    keys = _throwaway()
    chosen.setting(reader, keys)  # a mailer.toml that is wrong from the start is an error, not a page
    also = (chosen.place.folder / "mailer.toml",) if chosen.place else ()
    with Compiler() as compiler:
        desk = Desk(
            chosen.path, lambda: chosen.setting(reader, keys), compiler, subject=asked.subject, also=also
        )
        with _listening(PreviewServer, desk, asked.port) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            _announce(server.url, chosen.path, browser=asked.browser)
            desk.watch(threading.Event())
    return 0


def _listening(server: type[PreviewServer], desk: Desk, port: int) -> PreviewServer:
    try:
        return server(desk, port)
    except OSError as error:
        raise UserError(Problem(f"cannot listen on port {port}: {error.strerror}", key="port")) from None


def _announce(url: str, path: Path, *, browser: bool) -> None:
    emit({"url": url, "file": str(path)})
    say(f"{path} at {url}   Ctrl-C ends it")
    if browser and sys.stdout.isatty():
        import webbrowser  # noqa: PLC0415

        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


# --- as a file


def _write(asked: Asked, chosen: Chosen, out: Path) -> int:
    edition = _compiled(asked, chosen)
    reader = _reader(chosen, asked.as_email)
    keys = chosen.place.keys if asked.as_email and chosen.place else _throwaway()
    setting = chosen.setting(reader, keys)
    if asked.as_email:
        setting = replace(setting, mailing_id=_mailing_id(chosen, edition))
    content = to_eml(pressed(edition, setting, datetime.now(UTC)))
    _write_private(out, content)
    emit({"file": str(out), "email": reader.email, "bytes": len(content)})
    say(f"wrote {out}: what {reader.email} gets, {len(content):,} bytes")
    return 0


def _compiled(asked: Asked, chosen: Chosen) -> Edition:
    return compile_guarded(chosen.path, chosen.setting(NOBODY, _throwaway()).masthead, subject=asked.subject)


def _mailing_id(chosen: Chosen, edition: Edition) -> int:
    """Give the id of the mailing that the issue is part of, which its links speak of; 0 before the first send."""
    from mailer.database import reading  # noqa: PLC0415
    from mailer.delivery import mailing  # noqa: PLC0415

    place, one = chosen.need_list("--as")
    with reading(place.engine) as connection:
        found = mailing.of_issue(connection, one.key, edition.number, edition.slug)
    return found.id if found is not None else 0


def _write_private(out: Path, content: bytes) -> None:
    """Write a file that only its owner may read: its links act for the reader."""
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except OSError as error:
        raise UserError(Problem(f"cannot be written: {error.strerror}", str(out))) from None


# --- as a test mail


def _try(asked: Asked, chosen: Chosen) -> int:
    place, one = chosen.need_list("--to")
    from mailer.delivery.relays import relays_of  # noqa: PLC0415 - the smtp room is for those who send
    from mailer.delivery.sending import own_name  # noqa: PLC0415
    from mailer.message.dkim import load_signers  # noqa: PLC0415
    from mailer.preview.trial import send_trial, trial_messages  # noqa: PLC0415

    edition = _compiled(asked, chosen)
    setting = chosen.setting(_reader(chosen, asked.as_email), place.keys)
    signers = load_signers(place.settings.state / "dkim")
    messages = trial_messages(edition, setting, asked.to, signers, datetime.now(UTC))
    relays = relays_of(place.settings, one)
    tried = asyncio.run(send_trial(messages, relays, own_name()))
    _remember(place, one, edition, tried)
    for each in tried:
        emit(each)
        say(f"{each.email}: {each.state} ({each.reply})", style="" if each.state == "accepted" else "error")
    return 0 if all(each.state == "accepted" for each in tried) else SOME_LEFT


def _remember(place: Workplace, one: ListSettings, edition: Edition, tried: list[Tried]) -> None:
    """Record that a test mail went out, for the question before a send; a newsletter without a database forgets."""
    accepted = sum(each.state == "accepted" for each in tried)
    if not accepted or not place.has_database:
        return
    from mailer import events  # noqa: PLC0415
    from mailer.database import writing  # noqa: PLC0415

    issue = edition.number if edition.number is not None else edition.slug
    with writing(place.engine) as connection:
        events.record(
            connection,
            "test.sent",
            f"{issue}.{one.key}",
            datetime.now(UTC),
            events.person(),
            accepted=accepted,
        )
