"""The preview's own server: one page, the parts of the mail, and a stream that says when they changed.

Listens on the loopback alone, answers GET alone, and only where Host names it: a page of another origin that
had its name point here (DNS rebinding) gets 403. The mail is served into a sandbox of its own without
scripts, so that not even a mistake of the sanitiser could act; its pictures may load, as they will for
readers.
"""

from __future__ import annotations

import json
import secrets
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from mailer.preview.pictures import KINDS, with_local
from mailer.preview.scheme import framed
from mailer.resources import templates_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

    import jinja2

    from mailer.preview.desk import Desk

HOST: Final = "127.0.0.1"
_STILL_HERE_SECONDS: Final = 10.0
_IDLE_SECONDS: Final = 60.0
_MAIL_POLICY: Final = (
    "default-src 'none'; img-src {images}; style-src 'unsafe-inline'; font-src 'none'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
_PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
    "frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_PLAIN_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"


class PreviewServer(ThreadingHTTPServer):
    """Serves one desk on the loopback; port 0 takes any free one. Raises OSError where it cannot listen."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, desk: Desk, port: int = 0) -> None:
        super().__init__((HOST, port), _Handler)
        self.desk = desk

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_port}/"

    @property
    def hosts(self) -> frozenset[str]:
        """What Host may say."""
        return frozenset({f"{HOST}:{self.server_port}", f"localhost:{self.server_port}"})

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that closes a stream is no error."""


class _Handler(BaseHTTPRequestHandler):
    """One connection of the browser."""

    server: PreviewServer
    protocol_version = "HTTP/1.1"
    server_version = "mailer"
    sys_version = ""
    timeout = _IDLE_SECONDS

    def do_GET(self) -> None:
        """Answer a path, or say 404."""
        if not self._is_ours():
            self._send(
                HTTPStatus.FORBIDDEN, "text/plain", b"This server answers this machine's browser only.\n"
            )
            return
        target = urlsplit(self.path)
        answer = _ROUTES.get(target.path)
        if answer is None:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"There is nothing here.\n")
            return
        answer(self, {key: values[-1] for key, values in parse_qs(target.query, max_num_fields=8).items()})

    def refuse(self) -> None:
        """Answer any other method."""
        self.close_connection = True
        self._send(HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"Only GET.\n", Allow="GET")

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = refuse  # noqa: N815 - as above

    def _is_ours(self) -> bool:
        """Whether the browser asked for this server by its own name, and no other site made it ask.

        Any page may link to ours: a person who follows the link of a terminal in a browser comes from
        elsewhere.
        """
        if self.headers.get("Host", "") not in self.server.hosts:
            return False
        linked = self.path == "/" and self.headers.get("Sec-Fetch-Dest") == "document"
        return linked or self.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}

    def page(self, _query: Mapping[str, str]) -> None:
        nonce = secrets.token_urlsafe(16)
        html = _template().render(nonce=nonce, name=self.server.desk.path.name)
        self._send(HTTPStatus.OK, "text/html", html.encode(), policy=_PAGE_POLICY.format(nonce=nonce))

    def state(self, _query: Mapping[str, str]) -> None:
        self._send(HTTPStatus.OK, "application/json", json.dumps(self.server.desk.shown.state).encode())

    def mail(self, query: Mapping[str, str]) -> None:
        now = self.server.desk.shown
        html = framed(now.html, "dark" if query.get("scheme") == "dark" else "light")
        html = with_local(html, now.pictures)
        images = "'none'" if query.get("pictures") == "off" else "'self' http: https: data:"
        self._send(
            HTTPStatus.OK,
            "text/html",
            html.encode("utf-8", "replace"),
            policy=_MAIL_POLICY.format(images=images),
        )

    def picture(self, query: Mapping[str, str]) -> None:
        """Serve one of the mail's pictures from the folder, by its number."""
        try:
            _, file = dict(enumerate(self.server.desk.shown.pictures))[int(query.get("n", ""))]
            octets = file.read_bytes()
        except (LookupError, ValueError, OSError):
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"There is no such picture.\n")
            return
        self._send(HTTPStatus.OK, KINDS[file.suffix.lower()], octets)

    def text(self, _query: Mapping[str, str]) -> None:
        self._send(HTTPStatus.OK, "text/plain", self.server.desk.shown.text.encode("utf-8", "replace"))

    def message(self, _query: Mapping[str, str]) -> None:
        self._send(HTTPStatus.OK, "text/plain", self.server.desk.shown.message)

    def events(self, _query: Mapping[str, str]) -> None:
        """Send the version of the desk now and at every change, until the browser is gone."""
        self.close_connection = True
        self._head(HTTPStatus.OK, "text/event-stream", _PLAIN_POLICY)
        self.end_headers()
        version = -1
        while True:
            new = self.server.desk.newer(version, _STILL_HERE_SECONDS)
            version = new.version if new is not None else version
            self.wfile.write(f"data: {version}\n\n".encode() if new is not None else b": still here\n\n")
            self.wfile.flush()

    def _send(
        self, status: HTTPStatus, media: str, body: bytes, *, policy: str = _PLAIN_POLICY, **more: str
    ) -> None:
        self._head(status, media, policy)
        self.send_header("Content-Length", str(len(body)))
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: HTTPStatus, media: str, policy: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media if media.startswith("image/") else f"{media}; charset=utf-8")
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cache-Control", "no-store")

    def log_message(self, *_words: object) -> None:
        """Keep quiet: the terminal belongs to the command."""


_ROUTES: Final = {
    "/": _Handler.page,
    "/state": _Handler.state,
    "/mail": _Handler.mail,
    "/picture": _Handler.picture,
    "/text": _Handler.text,
    "/message": _Handler.message,
    "/events": _Handler.events,
}


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    import jinja2  # noqa: PLC0415 - the first page needs it

    loader = jinja2.FileSystemLoader(str(templates_dir() / "web"))
    return jinja2.Environment(loader=loader, autoescape=True).get_template("preview.html.j2")
