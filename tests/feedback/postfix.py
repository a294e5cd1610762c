"""Postfix from Debian as a private instance: its own folders, one port of the loopback, and routes that tests give."""

from __future__ import annotations

import shutil
import smtplib
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conftest import found
from tests.feedback.dovecot import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.far.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_relay_restrictions = permit_mynetworks, reject
transport_maps = inline:{{ {transports} }}
virtual_alias_maps = inline:{{ {aliases} }}
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
alias_maps =
smtp_tls_security_level = none
"""
SERVICES = (
    "pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr",
    "rewrite unix - - n - - trivial-rewrite", "bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce",
    "trace unix - - n - 0 bounce", "verify unix - - n - 1 verify", "flush unix n - n 1000? 0 flush",
    "proxymap unix - - n - - proxymap", "smtp unix - - n - - smtp", "relay unix - - n - - smtp",
    "showq unix n - n - - showq", "error unix - - n - - error", "retry unix - - n - - error",
    "discard unix - - n - - discard", "lmtp unix - - n - - lmtp", "anvil unix - - n - 1 anvil",
    "scache unix - - n - 1 scache", "postlog unix-dgram n - n - 1 postlogd",
)  # fmt: skip


@contextmanager
def running(transports: Mapping[str, str], aliases: Mapping[str, str]) -> Iterator[int]:
    """Run Postfix with these routes and aliases; give its port. It needs root, as Postfix does."""
    folder, port = Path(tempfile.mkdtemp(prefix="mailer-postfix-")), free_port()
    folder.chmod(0o755)
    for name in ("etc", "queue", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    main = MAIN.format(folder=folder, transports=_inline(transports), aliases=_inline(aliases))
    (folder / "etc" / "main.cf").write_text(main)
    services = (f"127.0.0.1:{port} inet n - n - - smtpd", *SERVICES)
    (folder / "etc" / "master.cf").write_text("\n".join(services) + "\n")
    program = found("postfix")
    assert program is not None
    subprocess.run([program, "-c", str(folder / "etc"), "start"], check=True, capture_output=True, timeout=60)
    try:
        _until_up(port, folder)
        yield port
    finally:
        subprocess.run(
            [program, "-c", str(folder / "etc"), "stop"], check=False, capture_output=True, timeout=60
        )
        shutil.rmtree(folder, ignore_errors=True)


def _inline(pairs: Mapping[str, str]) -> str:
    return ", ".join(f"{{{key} = {value}}}" for key, value in pairs.items())


def _until_up(port: int, folder: Path) -> None:
    for _ in range(200):
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
                client.noop()
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError((folder / "log").read_text() if (folder / "log").exists() else "no log")
