"""Dovecot from Debian in a folder of its own: TLS with a certificate of ours, one user, Maildir, on the loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conftest import found
from tests.loopback.certificate import make_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "a-quiet-harbour"
CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap pop3
listen = 127.0.0.1
default_internal_user = {internal}
default_login_user = {internal}
default_internal_group = {group}
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
auth_mechanisms = plain
first_valid_uid = {uid}
last_valid_uid = {uid}
first_valid_gid = {gid}
mail_location = maildir:{folder}/mail
maildir_very_dirty_syncs = yes
mail_fsync = never
mail_max_userip_connections = 50
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
namespace inbox {{
  inbox = yes
  prefix = {prefix}
  separator = .
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = 0
  }}
  inet_listener pop3s {{
    port = {pop3s}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


@dataclass(frozen=True)
class Server:
    """A running Dovecot: its ports, its mail and the certificate to trust."""

    folder: Path
    imap: int
    imaps: int
    pop3s: int
    certificate: Path
    prefix: str

    @property
    def new(self) -> Path:
        """Where mails of INBOX are put."""
        return self.folder / "mail" / "new"

    def put(self, number: int, raw: bytes) -> None:
        """Deliver a mail into INBOX."""
        file = self.new / f"{1_700_000_000 + number}.M{number}.host"
        scratch = self.folder / "mail" / "tmp" / file.name
        scratch.write_bytes(raw)
        os.chown(scratch, *_owner())
        scratch.rename(file)

    def remove(self, number: int) -> None:
        """Take a mail out of INBOX, as another program would."""
        for place in ("new", "cur"):
            for file in (self.folder / "mail" / place).glob(f"{1_700_000_000 + number}.*"):
                file.unlink()

    def count(self, folder: str = "") -> int:
        """Count the mails of a folder, '' for INBOX."""
        place = self.folder / "mail" / (f".{folder}" if folder else "")
        return sum(len(list((place / name).glob("[0-9]*"))) for name in ("new", "cur"))


def _owner() -> tuple[int, int]:
    """Give whose the mails are: Dovecot serves nobody whose id is 0."""
    if os.getuid():
        return os.getuid(), os.getgid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def free_port() -> int:
    """Give a port of the loopback that nobody has."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(prefix: str = "") -> Iterator[Server]:
    """Run Dovecot; a prefix such as `INBOX.` is what some providers put before every folder.

    Not below pytest's own folder, which is closed to the user that the mails belong to.
    """
    folder = Path(tempfile.mkdtemp(prefix="mailer-dovecot-"))
    folder.chmod(0o755)
    uid, gid = _owner()
    for name in ("run", "home", "mail/new", "mail/cur", "mail/tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in ("mail", "home", "mail/new", "mail/cur", "mail/tmp"):
        os.chown(folder / name, uid, gid)
    certificate, key = make_certificate(folder)
    imap, imaps, pop3s = free_port(), free_port(), free_port()
    internal = "nobody" if os.getuid() == 0 else pwd.getpwuid(uid).pw_name
    text = CONFIG.format(
        folder=folder, internal=internal, group=_group(gid), certificate=certificate, key=key, uid=uid, gid=gid,
        password=PASSWORD, imap=imap, imaps=imaps, pop3s=pop3s, prefix=prefix,
    )  # fmt: skip
    (folder / "dovecot.conf").write_text(text)
    program = found("dovecot")
    assert program is not None
    process = subprocess.Popen([program, "-F", "-c", str(folder / "dovecot.conf")])
    try:
        _until_up(imaps, process, folder)
        yield Server(folder, imap, imaps, pop3s, certificate, prefix)
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _group(gid: int) -> str:
    import grp

    return grp.getgrgid(gid).gr_name


def _until_up(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(200):
        if process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    log = folder / "log"
    raise AssertionError(f"Dovecot does not start: {log.read_text() if log.exists() else 'no log'}")
