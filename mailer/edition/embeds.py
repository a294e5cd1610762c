"""Embeds -> linked cards: no mail program plays an iframe, a video or a script, every one opens a link.

Promises: each embed leaves a card that names what it was and where it is (`<div class="card">`, see content.py), at
its place in the text, also when it stood inside a paragraph; nothing is fetched. Tweets keep their words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from mailer.edition.players import Player, recognise
from mailer.edition.tree import classes, drop, elements, hoist, line_of, make, replace, text_of, unwrap
from mailer.edition.words import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.html import HtmlElement

    from mailer.edition.report import Report

_MEDIA = {"video": "video", "audio": "audio"}
_QUOTED = {
    "twitter-tweet": "X",
    "twitter-video": "X",
    "instagram-media": "Instagram",
    "tiktok-embed": "TikTok",
    "mastodon-embed": "Mastodon",
    "bluesky-embed": "Bluesky",
}


def card_embeds(root: HtmlElement, words: Mapping[str, str], base: str | None, report: Report) -> None:
    """Replace every iframe, video, audio, object and embed by a card, and tidy the posts quoted from elsewhere."""
    for element in elements(root, "iframe", "video", "audio", "object", "embed"):
        if element.getparent() is not None and not _inside_embed(element):
            _card(element, words, base, report)
    for paragraph in elements(root, "p", "div"):
        if url := _bare_video(paragraph):
            card = _card_of(recognise(url, "iframe"), "", None, words)
            replace(paragraph, card)
            report.note("embed", "the bare address of a video became a linked card", line_of(card))
    for quote in elements(root, "blockquote"):
        if names := classes(quote) & _QUOTED.keys():
            _post(quote, _QUOTED[names.pop()], words)


def _inside_embed(element: HtmlElement) -> bool:
    return next(element.iterancestors("iframe", "video", "audio", "object"), None) is not None


def _card(element: HtmlElement, words: Mapping[str, str], base: str | None, report: Report) -> None:
    line = line_of(element)
    url = _address(element, base)
    if url is None:
        report.warn("embed-empty", f"removed a <{element.tag}> that names no page to open", line)
        drop(element)
        return
    player = recognise(url, _MEDIA.get(str(element.tag), "iframe"))
    title = _title(element)
    card = _card_of(player, title, _poster(element, base), words)
    if line:
        card.set("data-line", str(line))
    report.note("embed", f"an embed of {player.site} became a linked card", line)
    replace(element, card)
    hoist(card)


def _card_of(player: Player, title: str, poster: str | None, words: Mapping[str, str]) -> HtmlElement:
    label = f"{title} ({player.site})" if title else say(words[player.verb], site=player.site)
    card = make("div", class_="card", data_kind=player.kind, data_url=player.url, data_title=label)
    if thumbnail := player.thumbnail or poster:
        card.append(_picture(player.url, thumbnail, title or player.site))
    card.append(_caption(player, label))
    return card


def _bare_video(paragraph: HtmlElement) -> str | None:
    """Give the address of a video that has a paragraph to itself, as blogs embed them."""
    words = text_of(paragraph)
    children = list(paragraph)
    if (
        not words.startswith("https://")
        or " " in words
        or [child.tag for child in children] not in ([], ["a"])
    ):
        return None
    if children and children[0].get("href") != words:
        return None
    return words if recognise(words, "iframe").kind == "youtube" else None


def _address(element: HtmlElement, base: str | None) -> str | None:
    """Give the absolute address of what is embedded, or None."""
    candidates = [element.get(name) for name in ("src", "data-src", "data")]
    candidates += [child.get("src") for child in element.iter("source", "embed", "iframe")]
    candidates += [
        child.get("value") for child in element.iter("param") if child.get("name") in ("movie", "src")
    ]
    for candidate in candidates:
        address = (candidate or "").strip()
        if address.startswith("//"):
            address = "https:" + address
        elif base and address and ":" not in address.split("/")[0]:
            address = urljoin(base, address)
        if address.lower().startswith(("https://", "http://")):
            return address
    return None


def _title(element: HtmlElement) -> str:
    title = element.get("title") or element.get("aria-label") or ""
    return " ".join(title.split())[:200] if "player" not in title.lower() else ""


def _poster(element: HtmlElement, base: str | None) -> str | None:
    poster = element.get("poster", "").strip()
    absolute = urljoin(base, poster) if base and poster else poster
    return absolute if absolute.startswith(("https://", "http://")) else None


def _picture(url: str, thumbnail: str, alt: str) -> HtmlElement:
    paragraph = make("p", class_="card-picture")
    link = make("a", href=url)
    link.append(make("img", src=thumbnail, alt=alt, width="504"))
    paragraph.append(link)
    return paragraph


def _caption(player: Player, label: str) -> HtmlElement:
    caption = make("p", class_="card-caption")
    sign = "▶ " if player.verb in ("watch", "listen") else ""
    caption.append(make("a", sign + label, href=player.url))
    return caption


def _post(quote: HtmlElement, site: str, words: Mapping[str, str]) -> None:
    """Tidy a quoted post: its words stay, its last link says where it is."""
    quote.set("class", "post")
    links = quote.findall(".//a[@href]")
    if not links and quote.get("cite", "").startswith("https://"):
        paragraph = make("p")
        paragraph.append(make("a", say(words["post"], site=site), href=quote.get("cite")))
        quote.append(paragraph)
    for link in links:
        if not text_of(link) and link.find(".//img") is None:
            unwrap(link)
