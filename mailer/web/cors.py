"""Whose scripts may read our answers: those of sites that `[web] origins` names (the Fetch standard, CORS)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


def cors_headers(origin: str, origins: Sequence[str]) -> dict[str, str]:
    """Give the headers that let pages of this origin read our answer; none for others."""
    if origin.lower() not in origins:
        return {"Vary": "Origin"}
    cross = {"Cross-Origin-Resource-Policy": "cross-origin"}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin", **cross}


class Readable:
    """Lets them read every answer of one path below an application that is mounted, also the one that says no."""

    def __init__(self, app: ASGIApp, path: str, origins: Sequence[str]) -> None:
        self._app = app
        self._path = path
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        origin = next((value for name, value in scope["headers"] if name == b"origin"), b"")
        said = cors_headers(origin.decode("latin-1"), self._origins)
        more = [(name.lower().encode(), value.encode("latin-1")) for name, value in said.items()]

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self._app(scope, receive, told)
