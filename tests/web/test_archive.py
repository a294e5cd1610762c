from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from lxml import etree
from sqlalchemy import insert, update

from mailer.database import writing
from mailer.delivery import mailing
from mailer.delivery.states import MailingState
from mailer.delivery.tables import deliveries
from mailer.edition import Context, Edition, Slot
from mailer.keys import Purpose
from mailer.letters import welcome
from subscribers import audience, list_ids
from tests.web.conftest import KEYS, PUBLIC, visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.web.conftest import House

ATOM = "{http://www.w3.org/2005/Atom}"
OPEN = "\narchive = true\n"


def issue(number: int, words: str = "High water at noon.") -> Edition:
    """Give an edition with a place for each thing that differs per reader."""
    slots = (
        "<html><head></head><body><p>Dear ",
        Slot("subscriber.name", Context.HTML, "reader"),
        f", {words} & more</p><a href='",
        Slot("link.unsubscribe", Context.ATTRIBUTE),
        "'>u</a><a href='",
        Slot("link.preferences", Context.ATTRIBUTE),
        "'>p</a><a href='https://share.example/?u=",
        Slot("link.browser", Context.URL),
        "'>b</a></body></html>",
    )
    return Edition(
        f"issues/{number}.md", number, f"issue-{number}", (f"Issue {number} <&>",), "In short", None, "en", "ltr",
        slots, ("text",),
    )  # fmt: skip


def went_out(
    house: House, edition: Edition, *readers: int, key: str = "main", segment: str = "", again: str = ""
) -> int:
    """Let an edition go out to these readers; give the mailing's id."""
    now = house.clock()
    with writing(house.ground.database) as connection:
        made = mailing.open_mailing(connection, edition, key, now, again)
        frozen = mailing.freeze(connection, made.id, edition, None, now, committed=True)
        number = list_ids(connection)[key]
        mailing.extend(connection, made.id, audience(number, now), list_id=number, now=now, segment=segment)
        for reader in readers:
            connection.execute(
                insert(deliveries).values(
                    mailing_id=made.id,
                    subscriber_id=reader,
                    edition_id=frozen,
                    list_id=number,
                    address_id=reader,
                    address="x@example.org",
                    domain="example.org",
                    due_at=now,
                    state="accepted",
                    at=now,
                )
            )
    return made.id


@pytest.fixture
def open_house(make_house: Callable[..., House]) -> House:
    """A newsletter whose archive is open, but for one list."""
    from tests.web import conftest

    house = make_house()
    lists = {key: replace(one, archive=key != "extra") for key, one in house.ground.settings.lists.items()}
    object.__setattr__(house.ground.settings, "lists", lists)
    assert conftest.PUBLIC
    return house


def test_the_archive_is_closed_until_a_list_opens_it(house: House):
    """Without `archive = true` there is no page, no index and no feed."""
    went_out(house, issue(1), house.reader().id)

    async def story() -> None:
        async with visit(house) as browser:
            for path in ("/issues/", "/issues/issue-1", "/issues/feed.atom"):
                assert (await browser.get(path)).status_code == 404

    asyncio.run(story())


def test_an_issue_shows_nothing_of_a_reader(open_house: House):
    """The public page is the edition with its defaults; its links lead to doors without a name."""
    reader = open_house.reader(name="Ada").id
    went_out(open_house, issue(1), reader)

    async def story() -> None:
        async with visit(open_house) as browser:
            said = await browser.get("/issues/issue-1")
            assert "Dear reader, High water" in said.text
            assert set(re.findall("href='([^']*)'", said.text)) == {
                f"{PUBLIC}/manage",
                "https://share.example/?u=https%3A%2F%2Fletters.example.org%2Fissues%2Fissue-1",
            }
            assert "default-src 'none'" in said.headers["content-security-policy"]
            assert "script-src" not in said.headers["content-security-policy"]
            assert said.headers["cache-control"].startswith("public")

    asyncio.run(story())


def test_what_is_not_for_everybody_stays_out(open_house: House):
    """A mailing to a segment, one that nobody got yet, one that was cancelled, one of a closed list, a repetition."""
    reader = open_house.reader("ada@example.org", "main", "extra").id
    went_out(open_house, issue(1), reader, segment="berliners")
    went_out(open_house, issue(2))
    cancelled = went_out(open_house, issue(3), reader)
    went_out(open_house, issue(4), reader, key="extra")
    went_out(open_house, issue(5), reader, again="reminder")
    with writing(open_house.ground.database) as connection:
        mailing.move(connection, cancelled, MailingState.CANCELLED, open_house.clock())

    async def story() -> None:
        async with visit(open_house) as browser:
            for number in range(1, 6):
                assert (await browser.get(f"/issues/issue-{number}")).status_code == 404
            assert "Nothing yet" in (await browser.get("/issues/")).text

    asyncio.run(story())


def test_the_index_has_pages(open_house: House):
    """Newest first, thirty a page, each in its own language."""
    reader = open_house.reader().id
    for number in range(1, 36):
        went_out(open_house, issue(number), reader)

    async def story() -> None:
        async with visit(open_house) as browser:
            first = await browser.get("/issues/")
            found = re.findall(r'href="\./(issue-\d+)', first.text)
            assert found[0] == "issue-35"
            assert len(found) == 30
            assert "Issue 35 &lt;&amp;&gt;" in first.text
            older = re.search(r'href="\./(\?[^"]+)" rel="next"', first.text)
            assert older is not None
            second = await browser.get("/issues/" + older[1].replace("&amp;", "&"))
            assert re.findall(r'href="\./(issue-\d+)', second.text) == [f"issue-{n}" for n in range(5, 0, -1)]
            assert 'rel="next"' not in second.text
            assert (await browser.get("/issues")).status_code == 200

    asyncio.run(story())


def test_the_feed_is_atom(open_house: House):
    """RFC 4287: ids that stay, dates with a zone, one author, text that is escaped, links that are whole."""
    reader = open_house.reader().id
    for number in (1, 2):
        went_out(open_house, issue(number), reader)
        open_house.clock.pass_(days=7)

    async def story() -> None:
        async with visit(open_house) as browser:
            said = await browser.get("/issues/feed.atom")
            assert said.headers["content-type"].startswith("application/atom+xml")
            root = etree.fromstring(said.content)
            assert root.tag == f"{ATOM}feed"
            entries = root.findall(f"{ATOM}entry")
            assert [each.findtext(f"{ATOM}title") for each in entries] == ["Issue 2 <&>", "Issue 1 <&>"]
            for each in (root, *entries):
                assert str(each.findtext(f"{ATOM}id")).startswith("urn:uuid:")
                assert re.fullmatch(r"[\d-]{10}T[\d:]{8}Z", str(each.findtext(f"{ATOM}updated")))
            assert root.findtext(f"{ATOM}author/{ATOM}name") == "The Kiosk"
            assert "<p>Dear reader" in str(entries[0].findtext(f"{ATOM}content"))
            links = {each.get("rel"): each.get("href") for each in root.findall(f"{ATOM}link")}
            assert links == {"self": f"{PUBLIC}/issues/feed.atom", "alternate": f"{PUBLIC}/issues/"}
            again = etree.fromstring((await browser.get("/issues/feed.atom")).content)
            assert [e.findtext(f"{ATOM}id") for e in again.iter(f"{ATOM}entry")] == [
                e.findtext(f"{ATOM}id") for e in entries
            ]

    asyncio.run(story())


def test_who_has_it_already_is_told_so(open_house: House):
    """A feed reader that comes back every hour fetches the feed once; a new issue is fetched again."""
    reader = open_house.reader().id
    went_out(open_house, issue(1), reader)

    async def story() -> None:
        async with visit(open_house) as browser:
            for path in ("/issues/feed.atom", "/issues/issue-1"):
                first = await browser.get(path)
                again = await browser.get(path, headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'})
                assert (again.status_code, again.content) == (304, b"")
            feed = await browser.get("/issues/feed.atom")
            went_out(open_house, issue(2), reader)
            newer = await browser.get("/issues/feed.atom", headers={"If-None-Match": feed.headers["etag"]})
            assert newer.status_code == 200

    asyncio.run(story())


def test_a_reader_sees_their_own_copy(house: House):
    """Behind the link of a mail: their values, escaped, and links that act for them; a segment's mailing, too."""
    reader = house.reader(name="Ada <b>").id
    number = went_out(house, issue(1), reader, segment="berliners")

    async def story() -> None:
        async with visit(house) as browser:
            token = KEYS.link_token(Purpose.BROWSER, reader, number)
            said = await browser.get(f"/view/{token}")
            assert "Dear Ada &lt;b&gt;, High water" in said.text
            assert f"{PUBLIC}/unsubscribe/{house.token(Purpose.UNSUBSCRIBE, reader)}" in said.text
            assert said.headers["cache-control"] == "no-store"
            assert "default-src 'none'" in said.headers["content-security-policy"]
            for other in (
                KEYS.link_token(Purpose.BROWSER, reader, number + 1),
                KEYS.link_token(Purpose.BROWSER, reader + 1, number),
            ):
                assert (await browser.get(f"/view/{other}")).status_code == 404

    asyncio.run(story())


def test_an_old_mail_tells_no_new_address(house: House):
    """Its copy shows the address that it went to, a welcome letter's a hint: whoever has it may be somebody else."""
    slots = ("<html><body>", Slot("subscriber.email", Context.HTML, ""), "</body></html>")
    reader = house.reader("ada.secret@example.org").id
    number = went_out(house, replace(issue(1), html=slots), reader)

    async def story() -> None:
        async with visit(house) as browser:
            said = await browser.get(f"/view/{KEYS.link_token(Purpose.BROWSER, reader, number)}")
            assert "<body>x@example.org</body>" in said.text

    asyncio.run(story())


def test_after_an_amendment(open_house: House):
    """The archive shows the corrected edition; a reader sees the one that went to them."""
    first, second = open_house.reader().id, open_house.reader("bob@example.org").id
    number = went_out(open_house, issue(1), first, second)
    corrected = issue(1, "High water at one.")
    with writing(open_house.ground.database) as connection:
        frozen = mailing.freeze(connection, number, corrected, None, open_house.clock(), committed=True)
        row = (deliveries.c.mailing_id == number, deliveries.c.subscriber_id == second)
        connection.execute(update(deliveries).where(*row).values(edition_id=frozen))

    async def story() -> None:
        async with visit(open_house) as browser:
            assert "at one" in (await browser.get("/issues/issue-1")).text
            for reader, words in ((first, "at noon"), (second, "at one")):
                token = KEYS.link_token(Purpose.BROWSER, reader, number)
                assert words in (await browser.get(f"/view/{token}")).text

    asyncio.run(story())


def test_a_welcome_letter_can_be_viewed(house: House):
    """Its link carries the list in place of a mailing; without such a letter there is nothing to see."""
    file = house.ground.settings.folder / "welcome.md"
    file.write_text(
        "---\ntitle: Welcome aboard\n---\n\nHello {{ subscriber.name }}, at {{ subscriber.email }}.\n",
        encoding="utf-8",
    )
    lists = house.ground.settings.lists
    object.__setattr__(
        house.ground.settings, "lists", {**lists, "main": replace(lists["main"], welcome=file)}
    )
    reader = house.reader(name="Ada").id
    with writing(house.ground.database) as connection:
        ids = list_ids(connection)

    async def story() -> None:
        async with visit(house) as browser:
            token = KEYS.link_token(Purpose.BROWSER, reader, welcome.FIRST + ids["main"])
            said = await browser.get(f"/view/{token}")
            assert said.status_code == 200
            assert "Hello Ada, at a***@e***.org" in said.text
            assert f"{PUBLIC}/unsubscribe/{house.token(Purpose.UNSUBSCRIBE, reader)}" in said.text
            token = KEYS.link_token(Purpose.BROWSER, reader, welcome.FIRST + ids["extra"])
            assert (await browser.get(f"/view/{token}")).status_code == 404

    asyncio.run(story())
