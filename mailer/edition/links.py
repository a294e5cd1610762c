"""Links: absolute, of a scheme that mail programs open, with something to press; then numbered.

Promises: every `<a>` that is left has an `href` of http, https, mailto or tel, or names a footnote of this mail.
A link that cannot work is unwrapped, so its words stay, and leaves a finding.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailer.edition.model import Image, Link
from mailer.edition.tree import drop, elements, line_of, make, rename, replace, text_of, unwrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.html import HtmlElement

    from mailer.edition.address import Addresses
    from mailer.edition.report import Report

_OPENABLE = re.compile(r"(?:https?://[^/?#\s]|mailto:[^\s]|tel:\+?[\d(])", re.IGNORECASE)
_OURS = ("button", "card-caption", "card-picture")
_NOTE = re.compile(r"#fn\d+\Z")
_BUTTON = re.compile(r"^(?:btn|button|wp-block-button__link|cta)(?:$|[-_])")


def mend_links(root: HtmlElement, addresses: Addresses, report: Report) -> None:
    """Make every link work, or take it out and say so."""
    ids = {element.get("id") for element in root.iter() if element.get("id")}
    for link in elements(root, "a"):
        href = (link.get("href") or "").strip()
        if href.startswith("#"):
            _anchor(link, href, ids, addresses, report)
        elif not href:
            _without_address(link, report)
        else:
            _address(link, href, addresses, report)
    for link in elements(root, "a"):
        _needs_text(link, report)


def _anchor(link: HtmlElement, href: str, ids: set[str | None], addresses: Addresses, report: Report) -> None:
    """Lead a jump inside the page, which few mail programs make, to the page on the web."""
    if _NOTE.match(href) and href[1:] in ids:
        return
    if addresses.page and len(href) > 1:
        link.set("href", addresses.page + href)
        return
    if len(href) > 1:
        report.warn(
            "link-anchor",
            f"{href[:60]} jumps inside the page, which mail programs do not: the link was taken out",
            line_of(link),
        )
    unwrap(link)


def _without_address(link: HtmlElement, report: Report) -> None:
    if "name" not in link.attrib and "id" not in link.attrib and text_of(link):
        report.warn(
            "link-empty", f'the link "{text_of(link)[:60]}" leads nowhere; its words stay', line_of(link)
        )
    unwrap(link)


def _address(link: HtmlElement, href: str, addresses: Addresses, report: Report) -> None:
    url = addresses.absolute(href)
    if url is None:
        report.error(
            "link-relative",
            f"{href[:120]} is relative: set base_url, or write the whole address",
            line_of(link),
        )
        unwrap(link)
    elif url not in addresses.fields and not _OPENABLE.match(url):
        report.warn(
            "link-scheme", f"{href[:60]} is nothing that a mail program opens; its words stay", line_of(link)
        )
        unwrap(link)
    else:
        link.set("href", url)


def _needs_text(link: HtmlElement, report: Report) -> None:
    if text_of(link):
        return
    image = link.find(".//img")
    if image is None and _repeated(link):
        drop(link)
    elif image is None:
        report.warn(
            "link-empty", f"a link to {link.get('href', '')[:80]} has no text; it was left out", line_of(link)
        )
        drop(link)
    elif not image.get("alt"):
        image.set("alt", _site(link.get("href", "")))


def _repeated(link: HtmlElement) -> bool:
    """Say whether the next link goes to the same place: parsers leave an empty half where they split one."""
    following = link.xpath("following::a[1]")
    return bool(following) and following[0].get("href") == link.get("href")


def _site(href: str) -> str:
    return (urlsplit(href).hostname or "").removeprefix("www.")


def make_buttons(root: HtmlElement) -> None:
    """Make a button of a link of class button that has a paragraph to itself; of several in a row, several."""
    for link in elements(root, "a"):
        wanted = any(_BUTTON.match(name) for name in link.get("class", "").lower().split())
        parent = link.getparent()
        if not wanted or parent.tag != "p" or parent.get("class") in _OURS or not text_of(link):
            continue
        links = list(parent)
        if "".join([parent.text or "", *(child.tail or "" for child in links)]).strip() or {
            child.tag for child in links
        } - {"a", "br"}:
            continue
        for other in [child for child in links if child.tag == "a"]:
            _button(other, parent)
        drop(parent)


def _button(link: HtmlElement, paragraph: HtmlElement) -> None:
    button = make("p", class_="button")
    for name in ("align", "data-line"):
        if value := paragraph.get(name):
            button.set(name, value)
    link.tail = None
    button.append(link)
    paragraph.addprevious(button)
    for image in list(link.iter("img")):
        drop(image)


def more_button(root: HtmlElement, url: str, label: str) -> None:
    """Put "Read the full issue" at the end, before the footnotes."""
    paragraph = make("p", class_="button")
    paragraph.append(make("a", label, href=url))
    notes = root.find("section")
    if notes is not None:
        notes.addprevious(paragraph)
    else:
        root.append(paragraph)


def number_links(root: HtmlElement, shown: Callable[[str], str]) -> tuple[Link, ...]:
    """Give the links of the content in the order of the mail; jumps to footnotes are none.

    `shown` gives a text as somebody may see it who is no reader: tokens of merge fields stand for something.
    """
    found = [link for link in root.iter("a") if not link.get("href", "#").startswith("#")]
    return tuple(
        Link(number, shown(link.get("href", "")), shown(_label(link))) for number, link in enumerate(found, 1)
    )


def _label(link: HtmlElement) -> str:
    image = link.find(".//img")
    return text_of(link) or ("" if image is None else image.get("alt", ""))


def list_images(root: HtmlElement, shown: Callable[[str], str]) -> tuple[Image, ...]:
    """Give the pictures in the order of the mail; `shown` as in number_links."""
    return tuple(
        Image(shown(image.get("src", "")), shown(image.get("alt", "")), int(image.get("width") or 0) or None)
        for image in root.iter("img")
    )


__all__ = ["list_images", "make_buttons", "mend_links", "more_button", "number_links", "rename", "replace"]
