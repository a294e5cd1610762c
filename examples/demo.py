# ruff: noqa: INP001, T201 - a script that prints for a person, no package
"""Sends letter 72 of a small newsletter to 200 invented readers, by a mail server that lives for a minute.

It drives the command line and nothing else, so every step can be typed by hand: each command is shown first.
All that it makes stays in one folder (`demo/`). It needs no rights and no network; run twice, it sends nothing
twice.
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import demo_picture
import demo_readers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

EXAMPLE = Path(__file__).parent / "slack-water"
READERS = 200
STEPS = (
    "init . --yes",
    "subscribers import subscribers.csv --list main --basis 'asked for it at the harbour office' --yes",
    "check 72",
    "send --issue 72 --yes",
)
SHOWN = (
    "From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
    "Feedback-ID", "MIME-Version", "Content-Type",
)  # fmt: skip


def command() -> list[str]:
    """Give the `mailer` that belongs to this interpreter, or the one of this checkout where none is installed."""
    beside = Path(sys.executable).with_name("mailer")
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "mailer"]


def environment(port: int | None) -> dict[str, str]:
    """Give our environment without anybody's settings: a demonstration must never meet a real relay."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}
    clean["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)
    return clean | ({"MAILER_RELAY": f"smtp://127.0.0.1:{port}?tls=off"} if port else {})


class Workspace:
    """The folder in which the demonstration happens, and the commands that are run there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mail = folder / "mail"
        self.out = folder / "out"
        self.port: int | None = None

    def prepare(self) -> None:
        """Copy the example, draw its picture, invent its readers; leave a workspace that stands as it is."""
        if (self.folder / "mailer.toml").exists():
            return
        shutil.copytree(EXAMPLE, self.folder, dirs_exist_ok=True)
        demo_picture.draw(self.folder / "images" / "tide-curve.png")
        demo_readers.write(self.folder / "subscribers.csv")

    def run(self, *words: str) -> None:
        """Show a command, run it, let it speak for itself; stop here if it fails."""
        print(f"\n$ mailer {shlex.join(words)}", flush=True)
        ended = subprocess.run(  # noqa: S603 - our own command, our own words
            [*command(), *words], cwd=self.folder, env=environment(self.port), check=False
        )
        if ended.returncode:
            sys.exit(f"mailer ended with exit code {ended.returncode}.")

    def ask(self, *words: str) -> dict[str, object]:
        """Give a command's answer in JSON."""
        ended = subprocess.run(  # noqa: S603 - as above
            [*command(), *words, "--json"],
            cwd=self.folder,
            env=environment(self.port),
            check=False,
            capture_output=True,
            text=True,
        )
        answer: dict[str, object] = json.loads(ended.stdout.splitlines()[0])
        return answer

    def arrived(self) -> list[Path]:
        """Give the messages that the server kept, oldest first."""
        return sorted((self.mail / "new").glob("*"), key=lambda path: (path.stat().st_mtime, path.name))

    @contextlib.contextmanager
    def server(self) -> Iterator[None]:
        """Start aiosmtpd with a Maildir on a free port of this machine, and end it afterwards."""
        self.port = free_port()
        words = ["-n", "-l", f"127.0.0.1:{self.port}", "-c", "aiosmtpd.handlers.Mailbox", str(self.mail)]
        with (self.folder / "server.log").open("wb") as log:
            server = subprocess.Popen(  # noqa: S603 - the mail server of the tests
                [sys.executable, "-m", "aiosmtpd", *words], stdout=log, stderr=log
            )
            try:
                wait_for(self.port, server)
                yield
            finally:
                server.terminate()
                server.wait(10)


def free_port() -> int:
    """Give a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server takes connections, for twenty seconds at most."""
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit("The local mail server did not start; its words are in server.log of the workspace.")


def read(path: Path) -> EmailMessage:
    """Read a message as a mail program does."""
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def show_arrivals(workspace: Workspace, before: int) -> None:
    """Say how many messages came, to how many readers, and show the head of one."""
    messages = workspace.arrived()
    readers = {str(read(path)["X-RcptTo"]).lower() for path in messages}
    print(f"\nThe server kept {len(messages) - before} messages of this run; ", end="")
    print(f"{len(messages)} of all runs, for {len(readers)} readers.")
    if not messages:
        sys.exit("Nothing arrived.")
    sample = read(messages[-1])
    print("\nThe head of one of them:\n")
    for name in SHOWN:
        for value in sample.get_all(name, []):
            print(f"  {name}: {value}")


def keep_sample(workspace: Workspace) -> list[Path]:
    """Lay one message beside its two parts, for a mail program and a browser to open."""
    newest = workspace.arrived()[-1]
    sample = read(newest)
    paths = [workspace.out / f"received-72{suffix}" for suffix in (".eml", ".html", ".txt")]
    workspace.out.mkdir(exist_ok=True)
    shutil.copyfile(newest, paths[0])
    for path, kind in ((paths[1], "html"), (paths[2], "plain")):
        path.write_text(content(sample, kind), encoding="utf-8")
    return paths


def content(message: EmailMessage, kind: str) -> str:
    """Give one part as a reader sees it; flowed text has a space before some lines (RFC 3676, section 4.4)."""
    part = message.get_body((kind,))
    if part is None:
        return ""
    text: str = part.get_content()
    return re.sub("(?m)^ ", "", text) if part.get_param("format") == "flowed" else text


def judge(workspace: Workspace) -> bool:
    """Tell whether every reader has the letter, once: by the ledger and by the server alike."""
    audit = workspace.ask("audit", "72")
    messages = workspace.arrived()
    readers = {str(read(path)["X-RcptTo"]).lower() for path in messages}
    return audit["accepted"] == READERS == len(messages) == len(readers) and audit["balanced"] is True


def main() -> None:
    """Walk from an empty folder to 200 messages, and say where they are."""
    workspace = Workspace(Path(sys.argv[1] if len(sys.argv) > 1 else "demo").resolve())
    workspace.prepare()
    before = len(workspace.arrived())
    with workspace.server():
        for words in STEPS:
            workspace.run(*shlex.split(words))
    show_arrivals(workspace, before)
    workspace.run("audit", "72")
    print("\nOpen the mail:")
    for path in keep_sample(workspace):
        print(f"  {path}")
    if not judge(workspace):
        sys.exit(f"\nThis is not what was promised: {READERS} readers, one message each, a balanced audit.")
    print(f"\n{READERS} readers, one message each, and the audit balances. Run it again: nothing goes twice.")


if __name__ == "__main__":
    main()
