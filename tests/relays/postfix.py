"""Postfix with the files of examples/relays/postfix as they are: only paths, the port and the routes are put in."""

from __future__ import annotations

import re
import shutil
import smtplib
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.commandline import ROOT
from tests.conftest import found
from tests.feedback.dovecot import free_port
from tests.loopback.certificate import make_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DISK = "/var/tmp"  # noqa: S108 - on a disk: a name in the queue holds the number of a file, and those of memory are short
EXAMPLE = ROOT / "examples" / "relays" / "postfix"


@dataclass(frozen=True)
class Postfix:
    """A running Postfix."""

    port: int
    folder: Path

    @property
    def log(self) -> str:
        """What it has logged until now."""
        return (self.folder / "log" / "postfix.log").read_text()


def substituted(text: str, old: str, new: str) -> str:
    """Put one thing in the place of another, which must be there once."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the example"
    return text.replace(old, new)


@contextmanager
def relaying(routes: Mapping[str, str], submission: int = 0) -> Iterator[Postfix]:
    """Run it with these routes in the file `transport`. It needs root, as Postfix does.

    With a port for `submission` that service runs too: with `relay.pem`, for whom Dovecot knows (`checking_passwords`).
    """
    folder, port = Path(tempfile.mkdtemp(prefix="mailer-relay-", dir=DISK)), free_port()
    folder.chmod(0o755)
    for name in ("etc", "queue", "data", "log"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    _configure(folder, port, routes)
    if submission:
        _submit(folder, submission)
    program = found("postfix")
    assert program is not None
    control = [program, "-c", str(folder / "etc")]
    subprocess.run([*control, "start"], check=True, capture_output=True, timeout=60)
    try:
        _until_up(port)
        yield Postfix(port, folder)
    finally:
        subprocess.run([*control, "stop"], check=False, capture_output=True, timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def _configure(folder: Path, port: int, routes: Mapping[str, str]) -> None:
    main = (EXAMPLE / "main.cf").read_text()
    for old, new in (
        ("= /var/spool/postfix\n", f"= {folder}/queue\n"),
        ("= /var/lib/postfix\n", f"= {folder}/data\n"),
        ("= /var/log/postfix.log\n", f"= {folder}/log/postfix.log\nmaillog_file_prefixes = {folder}\n"),
    ):
        main = substituted(main, old, new)
    (folder / "etc" / "main.cf").write_text(main)
    master = (EXAMPLE / "master.cf").read_text()
    served = re.subn(r"^smtp      inet", f"127.0.0.1:{port} inet", master, flags=re.MULTILINE)
    assert served[1] == 1
    (folder / "etc" / "master.cf").write_text(served[0])
    (folder / "etc" / "transport").write_text("".join(f"{domain} {way}\n" for domain, way in routes.items()))


def _submit(folder: Path, port: int) -> None:
    """Take the comment signs from the service `submission`, and make its certificate."""
    certificate, key = make_certificate(folder)
    (folder / "etc" / "relay.pem").write_bytes(key.read_bytes() + certificate.read_bytes())
    file = folder / "etc" / "master.cf"
    before, sign, block = file.read_text().partition("#submission inet")
    assert sign
    text = substituted(
        re.sub(r"^#", "", sign + block, flags=re.MULTILINE), "submission inet", f"127.0.0.1:{port} inet"
    )
    file.write_text(before + substituted(text, "=/etc/postfix/relay.pem", f"={folder}/etc/relay.pem"))


@contextmanager
def checking_passwords(postfix: Postfix, user: str, password: str) -> Iterator[None]:
    """Run Dovecot with the example's file, for one user."""
    folder = postfix.folder / "dovecot"
    folder.mkdir()
    (folder / "users").write_text(f"{user}:{{PLAIN}}{password}\n")
    text = (EXAMPLE / "dovecot.conf").read_text()
    text = substituted(text, "args = /etc/dovecot/relay.users", f"args = {folder}/users")
    text = substituted(text, "/var/spool/postfix/private/auth", f"{postfix.folder}/queue/private/auth")
    # Paths, and no chroot: what a folder of its own needs.
    text += f"base_dir = {folder}/run\nstate_dir = {folder}/run\nlog_path = {folder}/log\n"
    text += "default_internal_user = nobody\ndefault_login_user = nobody\ndefault_internal_group = nogroup\n"
    text += "".join(f"service {name} {{\n  chroot =\n}}\n" for name in ("anvil", "stats"))
    (folder / "dovecot.conf").write_text(text)
    program = found("dovecot")
    assert program is not None
    with subprocess.Popen([program, "-F", "-c", str(folder / "dovecot.conf")]) as process:
        try:
            _until((postfix.folder / "queue" / "private" / "auth").exists)
            yield
        finally:
            process.terminate()
            process.wait(20)


def _until_up(port: int) -> None:
    def answers() -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
                return client.noop()[0] == 250
        except OSError:
            return False

    _until(answers)


def _until(true: Callable[[], bool]) -> None:
    for _ in range(300):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("a server did not come up")
