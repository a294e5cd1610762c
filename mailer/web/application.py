"""The application: pages, the doors of providers and operators, and what stands before all of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import FastAPI

from mailer.errors import UserError
from mailer.letters import joining
from mailer.web import api, hooks, signing
from mailer.web import proof as proving
from mailer.web.cors import Readable
from mailer.web.guards import Guards
from mailer.web.hooks.router import reception
from mailer.web.intake import Intake
from mailer.web.pages import (
    confirm,
    issues,
    manage,
    moving,
    plain,
    preferences,
    question,
    subscribe,
    unsubscribe,
    yours,
)
from mailer.web.problems import refuse
from mailer.web.rendering import Pages
from mailer.web.site import Site
from mailer.web.writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mailer.delivery.ground import Ground
    from mailer.settings import Settings

ROUTERS = (
    *(plain.router, unsubscribe.router, confirm.router, subscribe.router, manage.router, preferences.router),
    *(moving.router, yours.router, issues.router, question.router, proving.router, hooks.router),
)
API = "/api/v1"
log = logging.getLogger("mailer.web")


def create_app(ground: Ground) -> FastAPI:
    """Give the application; see mailer.web.create_app."""
    site = Site(ground, Writer(ground.database), Pages(ground.settings))
    site.intake = Intake(site)
    site.pages.check()
    app = FastAPI(
        title=ground.settings.name,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    app.state.ground, app.state.site = ground, site
    if ground.settings.hooks:
        reception(app.state)  # a secret that is missing is told before anybody needs it
    for router in ROUTERS:
        app.include_router(router)
    programs = api.app(ground, signing.router)
    programs.state.site = site
    app.mount(API, Readable(programs, f"{API}/subscribe", ground.settings.web.origins))
    refuse(app)
    app.add_middleware(Guards, prefixes=_prefixes(ground.settings))
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Work off what readers ask for, as long as the pages are served."""
    site: Site = app.state.site
    await site.write(site.know_lists)
    for key in (key for key, one in site.settings.lists.items() if not one.public_url):
        log.warning("the list %s has no public_url: its letters could hold no link, so none is sent", key)
    working = asyncio.create_task(_work(site), name="intake")
    try:
        yield
    finally:
        site.intake.stop()
        await working
        await asyncio.to_thread(site.writer.stop)


async def _work(site: Site) -> None:
    """Compile the letters, which takes a second or two, while the first pages are served; then work off requests."""
    try:
        await asyncio.to_thread(joining.prepare, site.ground)
    except UserError as error:
        log.error("letters cannot be made: %s", error)  # noqa: TRY400 - its words are for a person, no traceback
    await site.intake.run()


def _prefixes(settings: Settings) -> list[str]:
    """Give the paths of the public URLs: a proxy may take them away before us, or leave them to us."""
    paths = {urlsplit(one.public_url or "").path.rstrip("/") for one in settings.lists.values()}
    return sorted(path for path in paths if path)
