"""`POST /api/v1/subscribe`: signing up as JSON, for a site's own script. The answer is the same for every address.

Browsers of other sites may post here where `[web] origins` names their site; a site's server may always.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import Response

from mailer.message.value import clean
from mailer.web.client import network
from mailer.web.forms import form_named, form_shown
from mailer.web.pages.subscribe import is_address
from mailer.web.problems import PROBLEM_RESPONSES, ProblemError
from mailer.web.proof import proven
from mailer.web.site import Here, Site, agent_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailer.settings import ListSettings

router: Final = APIRouter(tags=["readers"])
ACCEPTED: Final = "If this address can be subscribed, a mail that asks for confirmation is on its way."
_ALLOWED: Final = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}


class SignUpBody(BaseModel):
    """What a site's script posts."""

    model_config = ConfigDict(extra="forbid")

    email: Annotated[str, Field(min_length=3, max_length=254, examples=["ada@example.org"])]
    lists: Annotated[
        list[Annotated[str, Field(max_length=64)]],
        Field(max_length=20, description="The lists' names; may be left out where there is one."),
    ] = []
    language: Annotated[str, Field(max_length=35, description="Of the confirmation mail.")] = ""
    name: Annotated[str, Field(max_length=200)] = ""
    form: Annotated[str, Field(max_length=64, description="Which form was shown: kept as evidence.")] = ""
    website: Annotated[str, Field(max_length=200, description="A trap for machines: leave it empty.")] = ""
    altcha: Annotated[str, Field(max_length=2000, description="The proof of work, from /proof.")] = ""


class SignUpAnswer(BaseModel):
    """The same for every address."""

    status: str = "accepted"
    message: str = ACCEPTED


@router.post(
    "/subscribe",
    status_code=HTTPStatus.ACCEPTED,
    responses={status: PROBLEM_RESPONSES[status] for status in (400, 413, 422, 429, 503)},
    summary="Sign somebody up",
)
async def sign_up(request: Request, body: SignUpBody, site: Here) -> SignUpAnswer:
    """Take a sign-up down. A mail then asks the address to confirm it; nothing is sent before."""
    lists = _wanted(site, body.lists)
    email = clean(body.email)
    if not is_address(email):
        raise ProblemError(422, "This is no email address that mail can go to", field="email")
    if not body.website:
        await _take(request, site, body, email, lists)
    return SignUpAnswer()


@router.options("/subscribe", include_in_schema=False)
async def preflight() -> Response:
    """Tell a browser what its page may post here; whether it may, mailer.web.cors adds to every answer."""
    return Response(status_code=204, headers=_ALLOWED)


def _wanted(site: Site, keys: Sequence[str]) -> list[ListSettings]:
    known = site.open_lists
    none = not known or any(key not in known for key in keys)
    if none or (not keys and len(known) > 1):
        title = "There is no such list" if none else "Name at least one list"
        raise ProblemError(422, title, field="lists")
    return [known[key] for key in dict.fromkeys(keys or known)]


async def _take(
    request: Request, site: Site, body: SignUpBody, email: str, lists: Sequence[ListSettings]
) -> None:
    here = network(request)
    language = site.pages.catalogue(lists[0]).language(body.language, lists[0].language)
    form = form_named(body.form, lists) if body.form else form_shown("api", language, lists)
    asked: dict[str, Any] = {
        "email": email,
        "lists": [one.key for one in lists],
        "form": [form.version, form.text],
        "network": here,
        "agent": agent_of(request),
        "language": language,
        "name": clean(body.name),
    }
    await site.intake.take("subscribe", here, asked, proven=await proven(site, body.altcha))
