"""Findings about links: where they say they go, and where they do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailer.edition.tree import elements, line_of, text_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from mailer.edition.report import Report

_SHORTENERS = frozenset(
    {
        "bit.ly",
        "buff.ly",
        "cutt.ly",
        "dlvr.it",
        "fb.me",
        "goo.gl",
        "is.gd",
        "lnkd.in",
        "ow.ly",
        "rebrand.ly",
        "t.co",
        "t.ly",
        "tiny.cc",
        "tinyurl.com",
    }
)
_GENERIC = frozenset(
    {
        "here",
        "click here",
        "click",
        "link",
        "this",
        "this link",
        "read more",
        "more",
        "learn more",
        "hier",
        "hier klicken",
        "mehr",
        "ici",
        "cliquez ici",
        "aquí",
        "haz clic aquí",
        "这里",
        "点击这里",
        "こちら",
        "هنا",
        "اضغط هنا",
        "כאן",
        "لینک",
        "اینجا",
        "यहाँ",
        "यहां",
    }
)
_DOMAIN = re.compile(r"(?:https?://)?(?:www\.)?((?:[a-z0-9-]+\.)+[a-z]{2,24})(?:[/?#:]\S*)?\Z", re.IGNORECASE)


def check_links(root: HtmlElement, report: Report) -> None:
    """Look at every link of the content."""
    plain = []
    for link in elements(root, "a"):
        href, text, line = link.get("href", ""), text_of(link), line_of(link)
        if href.startswith("#"):
            continue
        host = _host(href)
        if href.lower().startswith("http:"):
            plain.append(line)
        if host in _SHORTENERS:
            report.warn("link-shortener", f"{host} hides where the link goes, and spam filters know it", line)
        if text.strip(" .!…»→").casefold() in _GENERIC:
            report.note("link-generic", f'"{text}" does not say where the link goes', line)
        if (shown := _DOMAIN.match(text)) and host and not _same_site(shown[1].lower(), host):
            report.warn("link-mismatch", f"the text shows {shown[1]}, the link goes to {host}", line)
    if plain:
        many = f"{len(plain)} links are" if len(plain) > 1 else "a link is"
        report.note("link-http", f"{many} http: and not https:", plain[0])


def _host(href: str) -> str:
    try:
        return (urlsplit(href).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _same_site(shown: str, host: str) -> bool:
    return shown == host or host.endswith("." + shown) or shown.endswith("." + host)
