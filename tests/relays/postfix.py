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

from tests.conftest import ROOT, found
from tests.feedback.dovecot import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
def relaying(routes: Mapping[str, str]) -> Iterator[Postfix]:
    """Run it with these routes in the file `transport`. It needs root, as Postfix does."""
    folder, port = Path(tempfile.mkdtemp(prefix="mailer-relay-")), free_port()
    folder.chmod(0o755)
    for name in ("etc", "queue", "data", "log"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    _configure(folder, port, routes)
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


def _until_up(port: int) -> None:
    for _ in range(300):
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
                client.noop()
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("Postfix did not come up")
