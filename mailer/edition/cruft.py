"""What came along with a pasted page and is not the issue: tracking pixels, share widgets, hidden parts.

Promises: only elements that are invisible, one or two pixels big, from a known counter, or named as a widget by
their class go; each leaves a finding.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailer.edition.tree import classes, drop, elements, line_of, text_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from mailer.edition.report import Report

_COUNTERS = (
    "pixel.wp.com",
    "stats.wordpress.com",
    "google-analytics.com",
    "doubleclick.net",
    "googleadservices.com",
    "pixel.quantserve.com",
    "b.scorecardresearch.com",
    "statcounter.com",
    "sitemeter.com",
    "feedsportal.com",
    "pheedo.com",
    "analytics.twitter.com",
    "px.ads.linkedin.com",
    "bat.bing.com",
    "pixel.mtrcs.samba.tv",
    "open.convertkit-mail.com",
    "open.substack.com",
    "mailtrack.io",
    "track.hubspot.com",
)
_COUNTER_PATHS = re.compile(
    r"^https?://(?:[\w.-]+\.list-manage\d*\.com/track/open|(?:www\.)?facebook\.com/tr\b|medium\.com/_/stat"
    r"|(?:[\w.-]+\.)?substack\.com/o/|feeds\.feedburner\.com/~r/|feeds\.[\w.-]+/~r/|[\w.-]+/wf/open\b|[\w.-]+/open\.aspx\b)",
    re.IGNORECASE,
)
_WIDGETS = re.compile(
    r"^(?:sharedaddy|sd-sharing.*|sharing-.*|jp-relatedposts.*|jp-post-flair|addtoany.*|a2a_kit.*|addthis.*|social-share.*"
    r"|share-buttons?|sharethis.*|st-sharing.*|fb-like|fb-share-button|twitter-share-button|wpl-likebox|wp-block-jetpack-like"
    r"|jetpack-likes.*|g-plusone|disqus.*|post-navigation|screen-reader-text|sr-only|visually-hidden|noprint)$"
)
_SHARE = re.compile(r"share this:?|like this:(?: ?like)?(?: ?loading(?:\.{3}|…)?)?", re.IGNORECASE)
_TITLES = ("h1", "h2", "h3", "h4", "h5", "h6")
_SHARE_WORDS = re.compile(r"click to (?:share|print|e-?mail)\b.*\(opens in new window\)\Z", re.IGNORECASE)
_SHARE_LINK = re.compile(
    r"[?&]share=[\w-]+|facebook\.com/(?:sharer|dialog/share)|(?:twitter|x)\.com/(?:intent/|share\b)"
    r"|linkedin\.com/(?:shareArticle|sharing/)|pinterest\.com/pin/create|reddit\.com/submit|tumblr\.com/(?:share|widgets/share)"
    r"|getpocket\.com/(?:save|edit)|(?:api\.whatsapp|web\.whatsapp)\.com/send|t\.me/share|telegram\.me/share|wa\.me/\?text",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_TINY = re.compile(r"\s*0*[0-2](?:px)?\s*\Z")


def remove_cruft(root: HtmlElement, report: Report) -> None:
    """Take out what is not the issue."""
    for element in elements(root):
        if element.tag == "img" and is_pixel(element):
            report.warn(
                "foreign-pixel",
                f"removed a tracking pixel of {_host(element) or 'someone else'}",
                line_of(element),
            )
            drop(element)
        elif any(_WIDGETS.match(name) for name in classes(element)):
            report.note(
                "cruft", f"removed a share or reader-only widget ({element.get('class')})", line_of(element)
            )
            drop(element)
        elif "hidden" in element.attrib or _HIDDEN.search(element.get("style", "")):
            report.note("hidden", "removed a hidden part of the page", line_of(element))
            drop(element)

    for title in elements(root, "p", *_TITLES):
        if _SHARE.fullmatch(text_of(title)):
            _share(title, report)
    for link in elements(root, "a"):
        if _SHARE_WORDS.match(text_of(link)):
            item = link.getparent()
            drop(item if item.tag == "li" and text_of(item) == text_of(link) else link)


def _share(title: HtmlElement, report: Report) -> None:
    """Take out a heading of a share widget with the links below it; a heading with nothing below it goes as well."""
    below = title.getnext()
    listed = below is not None and _only_shares(below)
    if listed or below is None or below.tag in _TITLES:
        report.note("cruft", f"removed “{text_of(title)}”, which shares a web page", line_of(title))
        if listed:
            drop(below)
        drop(title)


def _only_shares(block: HtmlElement) -> bool:
    """Say whether all words of `block` are those of links that share the page somewhere."""
    links = list(block.iter("a"))
    words = sum(len(text_of(link).replace(" ", "")) for link in links)
    return (
        bool(links)
        and words == len(text_of(block).replace(" ", ""))
        and all(
            _SHARE_LINK.search(link.get("href", "")) or _SHARE_WORDS.match(text_of(link)) for link in links
        )
    )


def is_pixel(image: HtmlElement) -> bool:
    """Say whether `image` is there to count readers, not to be seen."""
    if any(_TINY.match(image.get(side, "x")) for side in ("width", "height")):
        return True
    host = _host(image)
    return host.endswith(_COUNTERS) or _COUNTER_PATHS.match(image.get("src", "")) is not None


def _host(image: HtmlElement) -> str:
    try:
        return urlsplit(image.get("src", "").strip()).hostname or ""
    except ValueError:
        return ""
