"""A slash more at the end of a link: whoever follows it wants the same page."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import httpx
import pytest

from mailer.keys import Purpose
from mailer.web.guards import Guards
from tests.web.conftest import PUBLIC, visit

if TYPE_CHECKING:
    from tests.web.conftest import House

ENDS = ["", "/", "//"]


@pytest.mark.parametrize("end", ENDS)
def test_a_link_with_a_slash_at_its_end_leaves(house: House, end: str):
    """A button in the mail program and one on the page work as ever; the page's own links lead where they should."""
    reader = house.reader().id
    path = f"/unsubscribe/{house.token(Purpose.UNSUBSCRIBE, reader)}"

    async def story() -> None:
        async with visit(house) as browser:
            shown = await browser.get(path + end)
            assert shown.status_code == 200
            links = re.findall(r'(?:action|href)="([^"]+)"', shown.text)
            assert PUBLIC + path in {str(shown.url.join(link)) for link in links}
            assert (await browser.post(path + end, {"List-Unsubscribe": "One-Click"})).status_code == 200

    asyncio.run(story())
    assert house.state(reader) == "unsubscribed"


@pytest.mark.parametrize("end", ENDS)
def test_no_page_is_a_redirect(house: House, end: str):
    """Nothing repeats a path with its token; below a path of the proxy's neither."""
    token = house.token(Purpose.PREFERENCES, house.reader().id)

    async def story() -> None:
        async with visit(house):
            transport = httpx.ASGITransport(Guards(house.app, ["/letters"]))
            async with httpx.AsyncClient(transport=transport, base_url="https://example.org") as client:
                for path in ("/manage", "/subscribe/main", f"/preferences/{token}", "/healthz"):
                    said = await client.get(f"/letters{path}{end}")
                    assert (said.status_code, said.headers.get("location")) == (200, None)
                said = await client.post(
                    f"/letters/api/v1/subscribe/{end}", json={"email": "ada@example.org"}
                )
                assert (said.status_code, said.headers.get("location")) == (404, None)

    asyncio.run(story())
