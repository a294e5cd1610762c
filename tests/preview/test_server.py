"""The preview's server, asked by a real client over a real socket."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from mailer.edition import Masthead
from mailer.edition.guard import Compiler
from mailer.errors import Problem, UserError
from mailer.keys import Key, Keys
from mailer.message import Sender
from mailer.message.eml import NOBODY
from mailer.preview.desk import Desk
from mailer.preview.server import PreviewServer
from mailer.preview.shown import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ISSUE = "---\ntitle: Kiosk 72\n---\n\nFirst words.\n"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c6360f8cf000000"
    "0401010027b5bd4c0000000049454e44ae426082"
)
SENDER = Sender(
    from_name="The Kiosk",
    from_address="news@example.org",
    list_key="main",
    list_name="The Kiosk",
    list_id="main.example.org",
    public_url="https://example.org",
    feedback_id="kiosk",
    message_domain="example.org",
)
SETTING = Setting(Masthead(list_name="The Kiosk"), SENDER, Keys((Key(0, bytes(32)),)), NOBODY)


@pytest.fixture(scope="module")
def compiler() -> Iterator[Compiler]:
    """One child for all tests: its start costs more than they do."""
    with Compiler(seconds=30) as child:
        yield child


class Preview:
    """A desk with its server, and a client of it."""

    def __init__(self, desk: Desk, server: PreviewServer) -> None:
        self.desk = desk
        self.server = server

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
        """Give status, header and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=30)
        connection.request(
            method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, answer.headers, body

    def state(self) -> dict[str, object]:
        """Give what the page is told."""
        answer: dict[str, object] = json.loads(self.ask("/state")[2])
        return answer


@contextmanager
def previewed(desk: Desk) -> Iterator[Preview]:
    with PreviewServer(desk) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield Preview(desk, server)
        server.shutdown()


@pytest.fixture
def preview(tmp_path: Path, compiler: Compiler) -> Iterator[Preview]:
    file = tmp_path / "72.md"
    file.write_text(ISSUE, encoding="utf-8")
    desk = Desk(file, lambda: SETTING, compiler)
    desk.refresh()
    with previewed(desk) as made:
        yield made


def test_state_tells_what_the_mail_says(preview: Preview):
    """Subject and sender are read from the message itself."""
    state = preview.state()
    assert (state["subject"], state["sender"]) == ("Kiosk 72", "The Kiosk <news@example.org>")
    assert state["problems"] == []
    assert state["version"] == 1


def test_parts_are_served(preview: Preview):
    """The HTML, the text and the raw message are those of the mail."""
    assert "First words." in preview.ask("/mail")[2]
    assert preview.ask("/text")[2].startswith("Kiosk 72\n========\n")
    status, headers, raw = preview.ask("/message")
    assert status == 200
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert raw.startswith("From: The Kiosk <news@example.org>\r\n")


def test_mail_is_served_without_rights(preview: Preview):
    """No script, form, frame or connection of the mail works; its pictures may load, or not if so asked."""
    policy = preview.ask("/mail")[1]["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "img-src 'none'" in preview.ask("/mail?pictures=off")[1]["Content-Security-Policy"]


def test_page_runs_its_own_script_only(preview: Preview):
    """The page's script carries a nonce that is new each time."""
    first, second = (preview.ask("/")[1]["Content-Security-Policy"] for _ in range(2))
    assert "script-src 'nonce-" in first
    assert "unsafe" not in first
    assert first != second


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "", "localhost:1"])
def test_other_names_are_refused(preview: Preview, host: str):
    """A page whose name was made to point here (DNS rebinding) learns nothing."""
    status, _, body = preview.ask("/text", Host=host)
    assert status == 403
    assert "First" not in body


def test_other_sites_are_refused(preview: Preview):
    """A request that another site caused is told so by the browser."""
    assert preview.ask("/text", Sec_Fetch_Site="cross-site")[0] == 403
    assert preview.ask("/text", Sec_Fetch_Site="same-origin")[0] == 200
    assert preview.ask("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Dest="document")[0] == 200
    assert preview.ask("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Dest="iframe")[0] == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_only_get_is_answered(preview: Preview, method: str):
    """Nothing can be changed here."""
    status, headers, _ = preview.ask("/state", method)
    assert (status, headers["Allow"]) == (405, "GET")


@pytest.mark.parametrize("path", ["/etc/passwd", "/../72.md", "//example.org/", "/mail/", "/%2e%2e/"])
def test_there_is_nothing_else(preview: Preview, path: str):
    """Paths are names of parts, never of files."""
    assert preview.ask(path)[0] == 404


def test_change_reaches_the_browser(preview: Preview):
    """The stream tells of each new version at once."""
    connection = http.client.HTTPConnection("127.0.0.1", preview.server.server_port, timeout=30)
    connection.request("GET", "/events")
    stream = connection.getresponse()
    assert stream.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert stream.readline() == b"data: 1\n"
    preview.desk.path.write_text(ISSUE.replace("First", "Other"), encoding="utf-8")
    preview.desk.refresh()
    assert stream.readline() == b"\n"
    assert stream.readline() == b"data: 2\n"
    assert "Other words." in preview.ask("/text")[2]
    stream.close()
    connection.close()


def test_error_is_shown_over_the_last_mail(preview: Preview):
    """A file that cannot be read any more leaves its last mail on the page, with the problem."""
    preview.desk.path.write_text("---\ntitle: [\n---\n\nx\n", encoding="utf-8")
    preview.desk.refresh()
    state = preview.state()
    (problem,) = state["problems"]  # type: ignore[misc]
    assert problem["file"] == str(preview.desk.path)
    assert state["subject"] == "Kiosk 72"
    assert "First words." in preview.ask("/text")[2]


def test_missing_file_is_shown(preview: Preview):
    """An editor that writes a file anew may be caught between two steps."""
    preview.desk.path.unlink()
    preview.desk.refresh()
    assert "no such file" in str(preview.state()["problems"])
    preview.desk.path.write_text(ISSUE, encoding="utf-8")
    preview.desk.refresh()
    assert preview.state()["problems"] == []


def test_wrong_setting_is_shown(tmp_path: Path, compiler: Compiler):
    """A mailer.toml that is broken while the preview runs is a problem on the page."""
    file = tmp_path / "72.md"
    file.write_text(ISSUE, encoding="utf-8")

    def load() -> Setting:
        raise UserError(Problem("is missing", "mailer.toml", 3, "from"))

    desk = Desk(file, load, compiler)
    desk.refresh()
    with previewed(desk) as preview:
        state = preview.state()
        assert state["problems"] == [
            {"message": "is missing", "file": "mailer.toml", "line": 3, "key": "from"}
        ]
        assert state["message_bytes"] == 0


def test_bug_is_shown(preview: Preview, monkeypatch: pytest.MonkeyPatch):
    """A preview outlives what nobody thought of."""

    def surprise(*_words: object, **_more: object) -> None:
        raise ZeroDivisionError("nobody thought of it")

    monkeypatch.setattr(preview.desk._compiler, "compile", surprise)
    preview.desk.refresh()
    assert "nobody thought of it" in str(preview.state()["problems"])
    assert preview.state()["subject"] == "Kiosk 72"


def test_watch_sees_files_and_templates(tmp_path: Path, compiler: Compiler):
    """The issue, mailer.toml and the newsletter's own templates are watched."""
    file, settings, templates = tmp_path / "72.md", tmp_path / "mailer.toml", tmp_path / "templates"
    file.write_text(ISSUE, encoding="utf-8")
    templates.mkdir()
    setting = Setting(Masthead(templates=templates), SENDER, SETTING.keys, NOBODY)
    desk = Desk(file, lambda: setting, compiler, also=(settings,))
    stop = threading.Event()
    watching = threading.Thread(target=desk.watch, args=(stop, 0.01))
    watching.start()
    try:
        assert desk.newer(0, 30) is not None
        for change, content in ((file, ISSUE + "More."), (settings, "x"), (templates / "other.j2", "{# #}")):
            before = desk.shown.version
            change.write_text(content, encoding="utf-8")
            assert desk.newer(before, 30) is not None
    finally:
        stop.set()
        watching.join(30)
    assert "More." in desk.shown.text


def test_pictures_come_from_the_folder_before_they_are_published(tmp_path: Path, compiler: Compiler):
    """What base_url will serve is shown from the newsletter's folder, and nothing beside it."""
    folder = tmp_path / "newsletter"
    (folder / "img").mkdir(parents=True)
    (folder / "img" / "a b.png").write_bytes(PIXEL)
    (tmp_path / "secret.png").write_bytes(PIXEL)
    file = folder / "72.md"
    file.write_text(
        ISSUE + "\n![A](img/a%20b.png)\n\n![B](https://kiosk.test/../secret.png)\n", encoding="utf-8"
    )
    masthead = Masthead(base_url="https://kiosk.test/", folder=folder)
    desk = Desk(file, lambda: Setting(masthead, SENDER, SETTING.keys, NOBODY), compiler)
    desk.refresh()
    assert [picture.name for _, picture in desk.shown.pictures] == ["a b.png"]
    with previewed(desk) as preview:
        assert 'src="/picture?n=0"' in preview.ask("/mail")[2]
        status, headers, _ = preview.ask("/picture?n=0")
        assert (status, headers["Content-Type"]) == (200, "image/png")
        assert preview.ask("/picture?n=1")[0] == 404
        assert preview.ask("/picture?n=../../secret.png")[0] == 404
