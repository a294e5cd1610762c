"""Jekyll's Liquid tags: includes, raw, highlight (code.py), post_url, link, and what only a site can answer.

Includes and tags of videos, tweets and pictures become embeds; links to posts get Jekyll's default permalinks; control
flow goes, its content stays; everything else is dropped with a finding. `{{ … }}` is merge.py's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.issue.dialects import embeds
from mailer.issue.page import Edit, between, enclosed, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailer.issue.page import Note, Page

_TAG = re.compile(r"\{%[-~]?[ \t\n]*([A-Za-z_][\w-]*)(.*?)[-~]?%\}$", re.DOTALL)
_RAW, _END_RAW = re.compile(r"\{%-?[ \t]*raw[ \t]*-?%\}"), re.compile(r"\{%-?[ \t]*endraw[ \t]*-?%\}")
_HIDING = {
    name: (
        re.compile(rf"\{{%-?[ \t]*{name}\b[^%]{{0,300}}%\}}"),
        re.compile(rf"\{{%-?[ \t]*end{name}[ \t]*-?%\}}"),
    )
    for name in ("comment", "capture", "for", "style", "schema")
}
_BRACES = re.compile(r"\{(?=[{%])")
_POST = re.compile(r"(?:_posts/)?(?:[\w/-]*/)?(\d{4})-(\d\d)-(\d\d)-([^\s\"'/]{1,200}?)(?:\.\w+)?$")
_FLOW = frozenset(
    {"if", "elsif", "else", "endif", "unless", "endunless", "case", "when", "endcase", "assign", "increment"}
    | {
        "decrement",
        "break",
        "continue",
        "cycle",
        "capture",
        "endcapture",
        "for",
        "endfor",
        "tablerow",
        "liquid",
    }
)
_OCTOPRESS = re.compile(
    r"(?:(?:left|right|center|full|[\w-]+)[ \t]+)?((?:https?:/)?/?\S+\.\w{2,5}|https?://\S+)"
    r"(?:[ \t]+(\d+))?(?:[ \t]+\d+)?[ \t]*(.*)$"
)
_VIDEOS = ("youtube", "youtu", "vimeo", "video", "yt")
_TWEETS = ("twitter", "tweet")
_IMAGES = ("figure", "image", "img", "picture", "photo", "responsive")


def liquid(page: Page) -> Page:
    """Give the page without Liquid tags."""
    if "{%" not in page.text:
        return page
    page = _raw(page)
    for opening, closing in _HIDING.values():
        pairs = list(enclosed(page.text, opening, closing))
        note = warning("residue", "A Liquid block that only a site can fill was dropped.")
        page = page.splice(
            Edit(o.start(), c.end(), "", None if "comment" in o[0] else note) for o, c in pairs
        )
    return page.splice(_tags(page.text))


def _raw(page: Page) -> Page:
    pairs = enclosed(page.text, _RAW, _END_RAW)
    return page.splice(
        Edit(o.start(), c.end(), _BRACES.sub("&#123;", page.text[o.end() : c.start()])) for o, c in pairs
    )


def _tags(text: str) -> Iterator[Edit]:
    for start, end in between(text, "{%", "%}"):
        tag = _TAG.match(text[start:end])
        name, rest = (tag[1].lower(), tag[2].strip()) if tag else ("", "")
        if name in {"post_url", "link"}:
            yield Edit(start, end, *_address(rest))
            continue
        html = _embed(name, rest)
        if html:
            yield embeds.block(text, start, end, html)
        elif name in _FLOW:
            yield Edit(
                start, end, "", warning("residue", "Liquid control flow was dropped; what it enclosed stays.")
            )
        else:
            shown = " ".join(text[start:end].split())[:60]
            yield Edit(start, end, "", warning("residue", f"The Liquid tag {shown} was dropped."))


def _address(rest: str) -> tuple[str, Note]:
    post = _POST.match(rest.strip("\"' "))
    if not post:
        path = "/" + re.sub(r"\.(?:md|markdown)$", ".html", rest.strip("\"' ")).lstrip("/_")
        return path, warning("residue", f"The link to {rest[:60]} was guessed: {path[:80]}.")
    address = f"/{post[1]}/{post[2]}/{post[3]}/{post[4]}.html"
    return address, warning(
        "residue", f"The link to {rest[:60]} has Jekyll's default permalink: {address[:80]}."
    )


def _embed(name: str, rest: str) -> str | None:
    if name in {"include", "include_relative", "include_cached", "render"}:
        file, _, rest = rest.partition(" ")
        return _by_name(file.strip("\"'").rsplit("/", 1)[-1].rsplit(".", 1)[0].lower(), rest)
    if name == "img":
        parts = _OCTOPRESS.match(rest[:500])
        values = {"src": parts[1], "width": parts[2] or "", "alt": parts[3].strip("\"' ")} if parts else {}
        return embeds.figure(values)
    if name == "embed" and rest.startswith("http"):
        return embeds.embedded(rest.split()[0]) or embeds.link(rest.split()[0])
    if name == "gist":
        return embeds.link(f"https://gist.github.com/{rest.split()[0]}", "Gist") if rest else None
    return _by_name(name, rest)


def _by_name(name: str, rest: str) -> str | None:
    values = embeds.attributes(rest)
    if any(word in name for word in _VIDEOS):
        return embeds.video("vimeo" if "vimeo" in name else "youtube", values)
    if any(word in name for word in _TWEETS):
        return embeds.tweet(values)
    if any(word in name for word in _IMAGES):
        return embeds.figure(values)
    if name == "gist":
        return embeds.link(f"https://gist.github.com/{embeds.first(values, 'id', '0')}", "Gist")
    return None
