"""What machines ask of every web site: whether it lives, and what they may fetch."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse, Response

from mailer.web.site import Here  # noqa: TC001 - FastAPI reads the annotation

router: Final = APIRouter(include_in_schema=False, default_response_class=Response)
_ROBOTS: Final = "User-agent: *\n" + "".join(
    f"Disallow: /{path}/\n"
    for path in ("confirm", "data", "erase", "move", "preferences", "schedule", "undo", "unsubscribe", "view")
)


@router.get("/healthz")
async def healthz(site: Here) -> Response:
    """Say that the process answers, and which newsletter it serves; the database is not asked."""
    return JSONResponse({"status": "ok", "newsletter": str(site.settings.id)})


@router.get("/robots.txt")
async def robots() -> Response:
    """Keep search engines from what belongs to single readers."""
    return PlainTextResponse(_ROBOTS, headers={"Cache-Control": "public, max-age=86400"})


@router.get("/favicon.ico")
async def favicon() -> Response:
    """Say that there is no picture, so that no browser asks twice."""
    return Response(status_code=204, headers={"Cache-Control": "public, max-age=86400"})
