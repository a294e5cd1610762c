"""Signing up: the form, and what it and the forms of other sites post.

Promises: the answer and the time it takes are the same for every address, known or not; nothing that a visitor writes
stands in any mail but the address it goes to. A form that a machine filled in (its hidden field holds something) is
thanked and dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import Response

import subscribers
from mailer.web.client import network
from mailer.web.forms import Fields, fields, form_named, form_shown
from mailer.web.proof import proven
from mailer.web.site import Here, Site, agent_of
from subscribers import InvalidAddress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailer.settings import ListSettings

router: Final = APIRouter(include_in_schema=False, default_response_class=Response)


@router.get("/")
@router.get("/subscribe")
@router.get("/subscribe/{key}")
async def show(request: Request, site: Here, key: str = "") -> Response:
    """Show the form; `?list=` marks lists."""
    wanted = [key] if key else request.query_params.getlist("list")[:20]
    offered = _offered(request, site, wanted)
    if offered is None:
        return site.pages.problem(request.scope, 404)
    return _form(request, site, offered, wanted)


@router.post("/subscribe")
@router.post("/subscribe/{key}")
async def subscribe(request: Request, site: Here, key: str = "") -> Response:
    """Take a sign-up down, and ask the visitor to look into their mailbox."""
    given = await fields(request)
    wanted = [key] if key else given.many("list")
    offered = _offered(request, site, wanted)
    if offered is None:
        return site.pages.problem(request.scope, 404)
    if not wanted and len(offered) == 1:
        wanted = [offered[0].key]
    email = given.one("email")
    if wrong := "address" if not is_address(email) else "lists" if not wanted else "":
        return _form(request, site, offered, wanted, wrong=wrong, email=email)
    if not given.one("website"):
        await _take(request, site, offered, wanted, given)
    lists = [one for one in offered if one.key in wanted]
    return site.pages.page(site.pages.voice(request.scope, lists[0]), "asked", what="subscribe")


def is_address(email: str) -> bool:
    """Tell whether this is an address that mail can go to."""
    try:
        subscribers.address_hash(email, b"")
    except InvalidAddress:
        return False
    return True


async def _take(
    request: Request, site: Site, offered: Sequence[ListSettings], wanted: list[str], given: Fields
) -> None:
    here = network(request)
    lists = [one for one in offered if one.key in wanted]
    form = form_named(given.one("form", 64), lists)
    asked = {
        "email": given.one("email"),
        "lists": [one.key for one in lists],
        "form": [form.version, form.text],
        "network": here,
        "agent": agent_of(request),
        "language": site.pages.voice(request.scope, lists[0]).language,
        "name": given.one("name", 200),
    }
    worked = await proven(site, given.one("altcha", 2000))
    await site.intake.take("subscribe", here, asked, proven=worked)


def _offered(request: Request, site: Site, wanted: Sequence[str]) -> Sequence[ListSettings] | None:
    """Give the lists that the form shows: those at this host and those asked for; None for one that nobody can join."""
    open_ = site.open_lists
    here = [one for one in site.lists_at(request.headers.get("host", "")) if one.key in open_]
    if not here or any(key not in open_ for key in wanted):
        return None
    named = [open_[key] for key in dict.fromkeys(wanted)]
    if len(named) == 1:
        return named
    brand = (named or here)[0].brand  # one form is for one sender
    siblings = [one for one in here if one.brand == brand]
    return [*siblings, *(one for one in named if one not in siblings)]


def _form(
    request: Request, site: Site, offered: Sequence[ListSettings], wanted: Sequence[str], **more: Any
) -> Response:
    one = offered[0] if len(offered) == 1 else None
    voice = site.pages.voice(request.scope, one, looks=offered[0])
    title = one.name if one else site.pages.name_of(offered[0])
    page = site.pages.page(
        voice,
        "subscribe",
        422 if more.get("wrong") else 200,
        scripts=site.web.proof_of_work,
        proof=site.web.proof_of_work,
        title=title,
        choices=offered,
        chosen=set(wanted),
        form=form_shown("page", voice.language, offered),
        email=more.get("email", ""),
        wrong=more.get("wrong", ""),
    )
    page.headers["X-Robots-Tag"] = "all"  # the one page that search engines may show
    return page
