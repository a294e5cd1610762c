"""IMAP mailboxes (RFC 9051, IDLE by RFC 2177, MOVE by RFC 6851, UIDPLUS by RFC 4315).

The folder is the memory: whatever lies in it was not heard, or not moved out yet; no UID outlives a session, so a
changed UIDVALIDITY can confuse nothing. What was understood is deleted, or moved to `done`; what was not goes to
`unknown`, what people wrote to `replies`. Never: deletes what it did not understand, or expunges what others marked.
"""

from __future__ import annotations

import imaplib
import logging
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from imapclient import IMAPClient  # type: ignore[import-untyped]
from imapclient.exceptions import IMAPClientError  # type: ignore[import-untyped]

from mailer.feedback.intake.mailbox import NONSENSE, PATIENCE, CannotBeRead
from mailer.feedback.reading.mime import LARGEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailer.feedback.intake.hearing import Heard
    from mailer.feedback.intake.mailbox import Reader

log = logging.getLogger(__name__)
# The answer to SEARCH names every mail of a folder on one line: 140,000 mails are what the library takes, and it has no
# other place to say so; this is enough for three million.
imaplib._MAXLINE = 1 << 25  # type: ignore[attr-defined]  # noqa: SLF001
_TOGETHER: Final = 20  # mails fetched at once: at most 20 MB in memory
_BODY: Final = f"BODY.PEEK[]<0.{LARGEST}>"
_IDLE: Final = (
    600.0  # seconds until IDLE is begun anew: proxies forget silent lines (RFC 2177: before 29 minutes)
)
_GLANCE: Final = 1.0


class _Client(IMAPClient):  # type: ignore[misc]  # the library has no types
    """Hears what came together with the answer to IDLE: it lies in a buffer; the library looks at the socket."""

    _unread = False

    def idle(self) -> None:
        """Begin to idle."""
        super().idle()
        self._unread = True

    def _poll_socket(self, sock: Any, timeout: float | None = None) -> Any:
        if self._unread:
            self._unread = False
            return True  # a look that finds nothing costs nothing
        return super()._poll_socket(sock, timeout)


def visit(reader: Reader) -> None:
    """Read what is there, then what comes, until it is stopped or the line breaks."""
    try:
        with _connected(reader) as client:
            folders = _folders(client, reader)
            while not reader.stopped.is_set():
                _empty(client, reader, folders)
                reader.succeeded()
                _wait(client, reader)
    except IMAPClientError as problem:
        raise CannotBeRead(str(problem)[:300]) from problem
    except OSError:  # a certificate that cannot be trusted is a ValueError, too
        raise
    except NONSENSE as problem:
        raise CannotBeRead(f"the server answers nonsense ({problem})"[:300]) from problem


def _connected(reader: Reader) -> IMAPClient:
    settings, context = reader.settings, reader.context()
    implicit = settings.scheme == "imaps"
    client = _Client(
        settings.host,
        settings.port,
        ssl=implicit,
        ssl_context=context if implicit else None,
        timeout=PATIENCE,
    )
    try:
        if not implicit:
            client.starttls(context)
        client.login(settings.username, reader.password())
    except BaseException:
        client.shutdown()
        raise
    return client


def _folders(client: IMAPClient, reader: Reader) -> dict[str, str]:
    """Make the folders that mails go to, and give the names that this server has for them."""
    wanted = {reader.settings.unknown, reader.settings.replies, reader.settings.done or ""} - {""}
    return {name: _folder(client, name) for name in wanted}


def _folder(client: IMAPClient, name: str) -> str:
    prefix = ""
    if client.has_capability("NAMESPACE"):
        personal = client.namespace().personal
        prefix = personal[0][0] if personal else ""
    spelled = name if name.startswith(prefix) else prefix + name
    if not client.folder_exists(spelled):
        client.create_folder(spelled)
    return spelled


def _empty(client: IMAPClient, reader: Reader, folders: dict[str, str]) -> None:
    """Hear what is there, and what came meanwhile: told with another answer, it is not told again by IDLE."""
    seen = 0  # UIDs begin at 1
    while not reader.stopped.is_set():
        coming = client.select_folder(reader.settings.folder).get(b"UIDNEXT")
        if coming == seen:
            return
        seen = coming
        drain(client, reader, folders)


def drain(client: IMAPClient, reader: Reader, folders: dict[str, str]) -> None:
    """Hear every mail of the selected folder."""
    waiting = sorted(client.search("UNDELETED"))
    for start in range(0, len(waiting), _TOGETHER):
        if reader.stopped.is_set():
            return
        goes: dict[str, list[int]] = defaultdict(list)
        for uid, parts in client.fetch(waiting[start : start + _TOGETHER], [_BODY]).items():
            raw = next((value for key, value in parts.items() if key.startswith(b"BODY[]")), None)
            if isinstance(raw, bytes):
                goes[_where(reader, reader.hear(raw))].append(uid)
        for folder, uids in goes.items():
            _move(client, uids, folders.get(folder, ""))


def _where(reader: Reader, heard: Heard | None) -> str:
    """Give the folder that a mail belongs to; '' deletes it."""
    settings = reader.settings
    if heard is not None and heard.person:
        return settings.replies
    return settings.unknown if heard is None or not heard.understood else settings.done or ""


def _move(client: Any, uids: Sequence[int], folder: str) -> None:
    if folder and client.has_capability("MOVE"):
        client.move(uids, folder)
        return
    if folder:
        client.copy(uids, folder)
    client.delete_messages(uids, silent=True)
    if client.has_capability("UIDPLUS"):
        client.uid_expunge(uids)


def _wait(client: IMAPClient, reader: Reader) -> None:
    """Wait until something comes, by IDLE where it is offered, else for a while."""
    if not client.has_capability("IDLE"):
        reader.stopped.wait(reader.ground.settings.feedback.poll_seconds)
        client.noop()
        return
    until = time.monotonic() + _IDLE
    client.idle()
    heard: list[Any] = []
    while not heard and not reader.stopped.is_set() and time.monotonic() < until:
        heard = client.idle_check(timeout=_GLANCE)
    client.idle_done()
