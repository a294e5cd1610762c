"""What the dialects' videos, tweets, figures and callouts become: plain HTML that the edition understands.

A player is an `<iframe src title>`, a tweet a `<blockquote class="twitter-tweet">` with a link, a picture a
`<figure>`. `block` puts such HTML on a line of its own and keeps the quote or list it stands in.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from mailer.issue.page import Edit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailer.issue.page import Note, Page

_YOUTUBE_URL = re.compile(
    r"https?://(?:www\.|m\.)?(?:youtube(?:-nocookie)?\.com/(?:watch\?(?:[\w=%-]*&){0,9}v=|"
    r"embed/|shorts/|live/|v/)|youtu\.be/)([\w-]{6,20})"
)
_VIMEO_URL = re.compile(r"https?://(?:www\.|player\.)?vimeo\.com/(?:video/)?(\d{4,12})")
_TWEET_URL = re.compile(
    r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/\w{1,20}/status(?:es)?/\d{1,25}[^\s<>\"']*$"
)
_ID = re.compile(r"[\w-]{3,40}$")
_LONE_URL = re.compile(r"^[ \t]*<?(https?://[^\s<>]{8,300})>?[ \t]*$", re.MULTILINE)
_CONTAINER = re.compile(r"(?:[ \t]{0,3}>[ \t]?)*[ \t]*")
_ATTRIBUTE = re.compile(
    r"""(?:(?<=[\s,])|^)([\w.-]+)[ \t\n]*[=:](?!//)[ \t\n]*(?:"([^"]{0,2000})"|'([^']{0,2000})'"""
    r"""|\{([^{}"']{0,500})\}|([^\s"'{}|,>]{1,2000}))"""
)
_WORD = re.compile(r"""(?:^|[\s,])(?:"([^"]{0,2000})"|'([^']{0,2000})'|([^\s"',=]{1,2000}))(?=$|[\s,])""")


def attributes(text: str) -> dict[str, str]:
    """Give the named values of a shortcode, include or tag; values without a name are "0" and so on."""
    found = {match[1].lower(): _value(match) for match in _ATTRIBUTE.finditer(text)}
    rest = _ATTRIBUTE.sub(" ", text)
    for index, match in enumerate(_WORD.finditer(rest)):
        found.setdefault(str(index), next((part for part in match.groups() if part is not None), ""))
    return found


def _value(match: re.Match[str]) -> str:
    return next((part for part in match.groups()[1:] if part is not None), "")


def first(values: Mapping[str, str], *names: str) -> str:
    """Give the first value of these names that is not empty."""
    return next((values[name] for name in names if values.get(name)), "")


def player(url: str, title: str = "") -> str:
    """Give the frame of a player."""
    named = f' title="{escape(title)}"' if title else ""
    return f'<iframe src="{escape(url)}"{named}></iframe>'


def video(kind: str, values: Mapping[str, str]) -> str | None:
    """Give the frame of a YouTube or Vimeo video that is named by id or address."""
    what = first(values, "id", "video", "videoid", "video_id", "youtubeid", "src", "url", "href", "link", "0")
    found = video_of(what, first(values, "title", "caption", "alt"))
    if found or not _ID.match(what):
        return found
    if kind == "vimeo":
        return player(f"https://player.vimeo.com/video/{what}", first(values, "title", "caption"))
    return player(f"https://www.youtube.com/embed/{what}", first(values, "title", "caption"))


def video_of(url: str, title: str = "") -> str | None:
    """Give the frame of the video at an address, or None for any other address."""
    youtube = _YOUTUBE_URL.match(url)
    if youtube:
        return player(f"https://www.youtube.com/embed/{youtube[1]}", title)
    vimeo = _VIMEO_URL.match(url)
    return player(f"https://player.vimeo.com/video/{vimeo[1]}", title) if vimeo else None


def tweet(values: Mapping[str, str]) -> str | None:
    """Give a tweet as a quote with its link."""
    url = first(values, "url", "src", "href", "tweeturl", "0")
    if not url.startswith("http"):
        number = first(values, "id", "tweetid", "tweet_id", "1", "0")
        user = first(values, "user", "username") or "i/web"
        if not number.isdecimal():
            return None
        url = f"https://twitter.com/{user}/status/{number}"
    return f'<blockquote class="twitter-tweet"><a href="{escape(url)}">{escape(url)}</a></blockquote>'


def link(url: str, text: str = "") -> str:
    """Give a paragraph of one link."""
    return f'<p><a href="{escape(url)}">{escape(text or url)}</a></p>'


def button(text: str, start: int, end: int, url: str, words: str) -> Edit:
    """Give the edit that puts a button into a paragraph of its own; `words` may be Markdown."""
    html = f'<a class="button" href="{escape(url)}">{words or escape(url)}</a>'
    return block(text, start, end, html, apart=True)


def figure(values: Mapping[str, str], caption: str = "") -> str | None:
    """Give a picture with what is known of it; `caption` is Markdown or HTML."""
    src = first(values, "src", "image_path", "image", "img", "url", "path", "file", "filename", "source", "0")
    if not src:
        return None
    caption = caption or first(values, "caption", "title", "attr")
    width = first(values, "width", "w").removesuffix("px")
    sized = f' width="{width}"' if width.isdecimal() else ""
    image = f'<img src="{escape(src)}" alt="{escape(first(values, "alt"))}"{sized}>'
    target = first(values, "link", "href")
    if target and not target.startswith("#"):
        image = f'<a href="{escape(target)}">{image}</a>'
    return (
        f"<figure>{image}<figcaption>{caption}</figcaption></figure>"
        if caption
        else f"<figure>{image}</figure>"
    )


def embedded(url: str) -> str | None:
    """Give the embed of a video's or a tweet's address, or None."""
    return video_of(url) or (tweet({"url": url}) if _TWEET_URL.match(url) else None)


def lone_urls(page: Page) -> Page:
    """Turn the address of a video or a tweet that stands alone on its line into an embed, as oEmbed does."""
    if "youtu" not in page.text and "vimeo" not in page.text and "/status" not in page.text:
        return page
    return page.sub(_LONE_URL, lambda match: _alone(page.text, match))


def _alone(text: str, match: re.Match[str]) -> str | None:
    before = (
        text[: match.start()][-1:] in {"", "\n"}
        and text[max(0, match.start() - 2) : match.start()].strip() == ""
    )
    html = embedded(match[1]) if before else None
    return f"\n{html}\n" if html else None


def block(
    text: str, start: int, end: int, html: str, note: Note | None = None, *, apart: bool = False
) -> Edit:
    """Give the edit that puts block HTML in the place of text[start:end], on lines of its own.

    With `apart`, a blank line parts it from what is above: phrases need one where blocks do not.
    """
    opening = text.rfind("\n", 0, start) + 1
    container = _CONTAINER.match(text, opening, start)
    prefix = container[0] if container else ""
    alone = len(prefix) == start - opening and not (apart and text[:opening].rstrip(" \t")[-2:].strip())
    quiet = prefix.rstrip(" \t") if ">" in prefix else ""
    closing = text.find("\n", end)
    tail = text[end : closing if closing >= 0 else len(text)].strip()
    before = "" if alone else f"\n{quiet}\n{prefix}"
    after = f"\n{quiet}\n{prefix}" if tail else f"\n{quiet}"
    return Edit(start, end, f"{before}{html}{after}", note)


def label(kind: str) -> str:
    """Give the words for a kind of callout: `note` is "Note"."""
    return kind.replace("-", " ").replace("_", " ").strip().capitalize()[:60]
