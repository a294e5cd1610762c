"""Issues on the web: a reader's own copy behind the link in their mail, and the archive that everybody may read."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode
from uuid import uuid5

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import HTMLResponse, Response

import subscribers
from mailer.delivery import ledger
from mailer.keys import Purpose
from mailer.letters import welcome
from mailer.message import Recipient
from mailer.message.links import NOWHERE
from mailer.web import archive
from mailer.web.pages.tokens import NOBODY, gone, person_of
from mailer.web.rendering import mask, path_asked
from mailer.web.site import Here, Site  # noqa: TC001 - FastAPI reads the annotation
from mailer.web.viewing import POLICY, body_of, own_page, plain_xml, public_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from mailer.settings import ListSettings
    from mailer.web.archive import Shown

router: Final = APIRouter(include_in_schema=False, default_response_class=Response)
PAGE: Final = 30
IN_FEED: Final = 20
PUBLIC: Final = {"Cache-Control": "public, max-age=300", "X-Robots-Tag": "all"}


@router.get("/view/{token}")
async def view(request: Request, token: str, site: Here) -> Response:
    """Show a reader the edition that went to them."""
    ids = site.ground.keys.read_link_token(Purpose.BROWSER, token)
    if ids is None or ids[0] == NOBODY:
        return gone(request, site, "unknown" if ids is None else "sample")
    html = await site.read(lambda connection: _own(connection, site, *ids))
    if html is None:
        return gone(request, site, "unknown")
    return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})


@router.get("/issues")
async def index(request: Request, site: Here) -> Response:
    """List the issues, newest first, a page at a time; `?list=` names one list."""
    lists = _lists(request, site)
    if not lists:
        return site.pages.problem(request.scope, 404)
    before = request.query_params.get("before", "")
    last = int(before) if before.isascii() and before.isdigit() and len(before) < 10 else None
    keys = [one.key for one in lists]
    found = await site.read(lambda c: archive.shown(c, keys, before=last, limit=PAGE + 1))
    one = lists[0] if len(lists) == 1 else None
    query = _query(lists, site)
    older = urlencode({"before": found[PAGE - 1].mailing_id}) if len(found) > PAGE else ""
    up = "./" if path_asked(request.scope).endswith("/") else "issues/"
    page = site.pages.page(
        site.pages.voice(request.scope, one),
        "issues",
        title=one.name if one else site.settings.name,
        issues=[_entry(each, site, lists, f"{up}{quote(each.slug)}") for each in found[:PAGE]],
        several=len(lists) > 1,
        feed=f"{up}feed.atom{query}",
        older=f"{up}{query or '?'}{'&' if query else ''}{older}" if older else "",
    )
    page.headers.update({**PUBLIC, "Vary": "Accept-Language"})
    return page


@router.get("/issues/feed.atom")
async def feed(request: Request, site: Here) -> Response:
    """Give the newest issues as a feed (Atom, RFC 4287)."""
    lists = _lists(request, site)
    if not lists:
        return site.pages.problem(request.scope, 404)
    found = await site.read(lambda c: _with_text(c, site, lists))
    one, base = lists[0], lists[0].public_url or NOWHERE
    keys = ",".join(sorted(each.key for each in lists))
    text = site.pages.text(
        site.pages.voice(request.scope, one, one.language),
        "feed.atom.j2",
        feed_id=uuid5(site.settings.id, f"feed {keys}").urn,
        title=one.name if len(lists) == 1 else site.settings.name,
        updated=_stamp(max((each["amended_at"] for each in found), default=datetime.fromtimestamp(0, UTC))),
        feed=f"{base}/issues/feed.atom{_query(lists, site)}",
        index=f"{base}/issues/{_query(lists, site)}",
        issues=found,
    )
    made = Response(text, 200, PUBLIC, "application/atom+xml; charset=utf-8")
    return _unless_known(request, made)


@router.get("/issues/{slug}")
async def issue(request: Request, slug: str, site: Here) -> Response:
    """Show the newest edition of an issue, with nothing of any reader."""
    lists = _lists(request, site)

    def read(connection: Connection) -> str | None:
        found = archive.named(connection, [one.key for one in lists], slug)
        return _public(connection, site, found) if found else None

    html = await site.read(read) if lists and len(slug) <= 200 and "\0" not in slug else None
    if html is None:
        return site.pages.problem(request.scope, 404)
    return _unless_known(request, HTMLResponse(html, headers={"Content-Security-Policy": POLICY, **PUBLIC}))


def _unless_known(request: Request, made: Response) -> Response:
    """Give the answer, or 304 to whoever has it already (RFC 9110, section 13.1.2): feeds are fetched all day."""
    made.headers["ETag"] = tag = f'"{blake2b(made.body, digest_size=12).hexdigest()}"'
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    return Response(status_code=304, headers={**PUBLIC, "ETag": tag}) if tag in known else made


def _lists(request: Request, site: Site) -> Sequence[ListSettings]:
    """Give the lists whose archive is open, at this host, or the one that is asked for."""
    asked = request.query_params.get("list")
    here = site.lists_at(request.headers.get("host", ""))
    return [one for one in here if one.archive and asked in {None, one.key}]


def _query(lists: Sequence[ListSettings], site: Site) -> str:
    every = [one for one in site.settings.lists.values() if one.archive]
    return "" if len(lists) == len(every) or len(lists) > 1 else f"?list={lists[0].key}"


def _own(connection: Connection, site: Site, subscriber_id: int, mailing_id: int) -> str | None:
    """Give the page of one reader; None where nothing went to them, or they are known no more."""
    if mailing_id >= welcome.FIRST:
        return _welcome(connection, site, subscriber_id, mailing_id)
    place = ledger.find(connection, mailing_id, subscriber_id)
    person = person_of(connection, subscriber_id)
    if place is None or person is None or person.email is None:
        return None
    key = next((key for key, each in subscribers.list_ids(connection).items() if each == place.list_id), "")
    one = site.settings.lists.get(key)
    # An old mail may be in other hands: it tells no newer address.
    address = place.address or mask(person.email)
    recipient = Recipient(
        subscriber_id, place.list_id, address, person.name, person.language, person.attributes
    )
    edition = archive.edition_of(connection, place.edition_id)
    public_url = (one.public_url if one else None) or NOWHERE
    return own_page(edition, recipient, site.ground.keys, mailing_id, public_url)


def _welcome(connection: Connection, site: Site, subscriber_id: int, number: int) -> str | None:
    """Give the welcome letter that a reader was sent."""
    person = person_of(connection, subscriber_id)
    edition = welcome.shown(site.ground, connection, number)
    one = site.list_of(number - welcome.FIRST)
    if person is None or person.email is None or edition is None or one is None:
        return None
    list_id = number - welcome.FIRST
    recipient = Recipient(person.id, list_id, mask(person.email), person.name, person.language)
    return own_page(edition, recipient, site.ground.keys, number, one.public_url or NOWHERE)


def _public(connection: Connection, site: Site, found: Shown) -> str:
    base = site.settings.lists[found.list_key].public_url or NOWHERE
    edition = archive.edition_of(connection, found.edition_id)
    return public_page(edition, base, f"{base}/issues/{quote(found.slug)}")


def _entry(each: Shown, site: Site, lists: Sequence[ListSettings], href: str) -> dict[str, Any]:
    one = site.settings.lists[each.list_key]
    same = [other for other in lists if other.key != each.list_key]
    return {
        "subject": each.subject,
        "at": each.at,
        "amended_at": each.amended_at,
        "preheader": each.preheader,
        "language": each.language,
        "direction": each.direction,
        "list_name": one.name,
        "href": f"{href}?list={each.list_key}" if same else href,
    }


def _with_text(connection: Connection, site: Site, lists: Sequence[ListSettings]) -> list[dict[str, Any]]:
    entries = []
    for each in archive.shown(connection, [one.key for one in lists], limit=IN_FEED):
        one = site.settings.lists[each.list_key]
        entry = _entry(each, site, lists, f"{one.public_url or NOWHERE}/issues/{quote(each.slug)}")
        identity = uuid5(site.settings.id, f"issue {each.list_key} {each.slug}").urn
        entry = {name: plain_xml(text) if isinstance(text, str) else text for name, text in entry.items()}
        html = plain_xml(body_of(_public(connection, site, each)))
        times = {"published": _stamp(each.at), "updated": _stamp(each.amended_at)}
        entries.append({**entry, **times, "id": identity, "url": entry["href"], "html": html})
    return entries


def _stamp(moment: datetime) -> str:
    """Give a moment as Atom wants it (RFC 3339)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
