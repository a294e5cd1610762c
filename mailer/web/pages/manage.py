"""The door for whoever has no mail of ours at hand: type the address, and the link comes by mail."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import Response

from mailer.web.client import network
from mailer.web.forms import fields
from mailer.web.pages.subscribe import is_address
from mailer.web.site import Here, agent_of

router: Final = APIRouter(include_in_schema=False, default_response_class=Response)


@router.get("/manage")
async def show(request: Request, site: Here) -> Response:
    """Show the form."""
    return site.pages.page(site.pages.voice(request.scope), "manage")


@router.post("/manage")
async def send(request: Request, site: Here) -> Response:
    """Send the link to whoever has this address, if anybody has; the answer is the same."""
    given, voice = await fields(request), site.pages.voice(request.scope)
    email = given.one("email")
    if not is_address(email):
        return site.pages.page(voice, "manage", 422, wrong=True, email=email)
    if not given.one("website"):
        here = network(request)
        await site.intake.take("manage", here, {"email": email, "network": here, "agent": agent_of(request)})
    return site.pages.page(voice, "asked", what="manage")
