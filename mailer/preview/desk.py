"""The desk: the newest state of the preview, made anew whenever a file that it depends on changes.

One thread compiles, many wait for what it made. Whatever goes wrong is shown: the last mail stays on the desk
and the problems lie on top of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from threading import Condition
from typing import TYPE_CHECKING, Final, TypeAlias

from mailer.errors import MailerError, Problem
from mailer.preview.shown import Setting, Shown, shown
from mailer.resources import templates_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from threading import Event

    from mailer.edition.guard import Compiler

POLL_SECONDS: Final = 0.3
_MOST_FILES: Final = 1000  # of a folder of templates

Stamps: TypeAlias = "dict[Path, tuple[int, int]]"


class Desk:
    """What is shown of the issue at `path`.

    `load` gives the setting, anew each time, and may raise UserError.
    `also` are files besides the issue and the templates whose change matters, such as mailer.toml.
    """

    def __init__(
        self,
        path: Path,
        load: Callable[[], Setting],
        compiler: Compiler,
        *,
        subject: str | None = None,
        also: Iterable[Path] = (),
    ) -> None:
        self.path = path
        self._load = load
        self._compiler = compiler
        self._subject = subject
        self._also = (path, *also)
        self._templates: tuple[Path, ...] = (templates_dir() / "email",)
        self._changed = Condition()
        self._shown = Shown()

    @property
    def shown(self) -> Shown:
        """The newest state."""
        return self._shown

    def refresh(self) -> None:
        """Compile, and show what came of it; what is wrong with issue, setting or template is shown too."""
        try:
            setting = self._load()
            self._templates = _templates_of(setting)
            edition = self._compiler.compile(self.path, setting.masthead, subject=self._subject)
            made = shown(edition, setting, datetime.now(UTC))
        except MailerError as error:
            made = replace(self._shown, problems=tuple(error.problems))
        except Exception as error:  # noqa: BLE001 - a preview outlives a bug that an issue brings to light
            problem = Problem(f"a bug in mailer: {type(error).__name__}: {error}", str(self.path))
            made = replace(self._shown, problems=(problem,))
        if made.problems and not made.message:
            made = replace(self._shown, problems=made.problems, findings=made.findings)
        with self._changed:
            self._shown = replace(made, version=self._shown.version + 1)
            self._changed.notify_all()

    def newer(self, version: int, seconds: float) -> Shown | None:
        """Wait for a state newer than `version`; give None where none came in time."""
        with self._changed:
            came = self._changed.wait_for(lambda: self._shown.version > version, seconds)
            return self._shown if came else None

    def watch(self, stop: Event, seconds: float = POLL_SECONDS) -> None:
        """Refresh once, and again at every change of a file, until `stop` is set."""
        seen = stamps(self._files())
        self.refresh()
        while not stop.wait(seconds):
            now = stamps(self._files())
            if now != seen:
                seen = now
                self.refresh()

    def _files(self) -> Iterator[Path]:
        yield from self._also
        yield from (file for _, file in self._shown.pictures)
        for folder in self._templates:
            yield from _below(folder)


def stamps(files: Iterable[Path]) -> Stamps:
    """Give time and size of each file that is there; two that are equal mean that nothing changed."""
    found: Stamps = {}
    for file in files:
        try:
            status = file.stat()
        except OSError:
            continue
        found[file] = status.st_mtime_ns, status.st_size
    return found


def _templates_of(setting: Setting) -> tuple[Path, ...]:
    own = setting.masthead.templates
    return (templates_dir() / "email", *((own,) if own is not None else ()))


def _below(folder: Path) -> Iterator[Path]:
    for number, file in enumerate(folder.rglob("*.j2")):
        if number >= _MOST_FILES:
            return
        yield file
