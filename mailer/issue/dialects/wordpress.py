"""What WordPress and Ghost leave in an exported post: block comments, shortcodes, HTML comments.

`[caption]` becomes a figure, `[embed]` and its like an embed; galleries are dropped with a finding. All HTML
comments go, but `<!--more-->` first becomes a mark; one that is never closed would swallow what follows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.issue.dialects import embeds
from mailer.issue.page import MORE_MARK, Edit, enclosed, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailer.issue.page import Page

_MORE = re.compile(
    r"<!--[ \t]*(?:more|excerpt|end[ _-]?excerpt|truncate|read[ _-]more)\b[^<>]{0,100}?-->"
    r"|<!--[ \t]*wp:more[^<>]{0,100}-->",
    re.IGNORECASE,
)
_COMMENT, _END_COMMENT = re.compile(r"<!--"), re.compile(r"-->")
_CAPTION, _END_CAPTION = re.compile(r"\[caption\b([^\[\]\n]{0,500})\]"), re.compile(r"\[/caption\]")
_IMAGE = re.compile(
    r"((?:<a\b[^<>]{0,2000}>)?[ \t]*"
    r"(?:<img\b[^<>]{0,3000}>|!\[[^\[\]\n]{0,500}\]\([^()\n]{1,2000}\))[ \t]*(?:</a>)?)(.*)$",
    re.DOTALL,
)
_EMBED = re.compile(
    r"\[(embed|youtube|vimeo|video|audio|tweet|twitter|soundcloud|spotify|playlist)\b([^\[\]\n]{0,500})\]"
    r"(?:([^\[\]\n]{1,1000})\[/\1\])?"
)
_GALLERY = re.compile(
    r"\[(?:gallery|contact-form(?:-7)?|jetpack[\w-]*|mc4wp_form|subscribe2?|subscription_form|recent-posts|sitemap|wpforms|gravityform)\b[^\[\]\n]{0,500}\](?!\()"
)
_LAYOUT = re.compile(
    r"\[/?(?:vc_|et_pb_|fusion_|av_|su_|one_half|one_third|two_third|col\b|row\b|columns?\b|dropcap\b|spacer\b)[^\[\]\n]{0,500}\](?!\()"
)


def more(page: Page) -> Page:
    """Put a mark where the first `<!--more-->` stands, and take all HTML comments off."""
    if "<!--" not in page.text:
        return page
    match = _MORE.search(page.text)
    if match:
        page = page.splice([Edit(match.start(), match.end(), MORE_MARK)])
    edits = [Edit(o.start(), c.end(), "") for o, c in enclosed(page.text, _COMMENT, _END_COMMENT)]
    page = page.splice(edits)
    note = warning(
        "html-comment", "A comment opens here and never closes; its text is part of the issue now."
    )
    return page.sub(_COMMENT, "", note)


def wordpress(page: Page) -> Page:
    """Give the page without WordPress's shortcodes."""
    if "[/caption]" in page.text:
        page = page.splice(_captions(page.text))
    if "[" in page.text and _EMBED.search(page.text):
        page = page.splice(_embeds(page.text))
    if "[" in page.text:
        note = warning("residue", "A shortcode that only WordPress can fill was dropped.")
        page = page.sub(_GALLERY, "", note)
        page = page.sub(
            _LAYOUT, "", warning("residue", "A layout shortcode was taken off; its content stays.")
        )
    return page


def _captions(text: str) -> Iterator[Edit]:
    for opening, closing in enclosed(text, _CAPTION, _END_CAPTION):
        inner = " ".join(text[opening.end() : closing.start()].split())
        parts = _IMAGE.match(inner)
        image, words = (parts[1].strip(), parts[2].strip()) if parts else (inner, "")
        words = words or embeds.first(embeds.attributes(opening[1]), "caption")
        if image.startswith("!["):
            src = image[image.index("](") + 2 : -1].split(" ")[0]
            html = embeds.figure({"src": src, "alt": image[2 : image.index("](")]}, words) or inner
        else:
            html = f"<figure>{image}<figcaption>{words}</figcaption></figure>"
        yield embeds.block(text, opening.start(), closing.end(), html)


def _embeds(text: str) -> Iterator[Edit]:
    for match in _EMBED.finditer(text):
        if text[match.end() : match.end() + 1] in {"(", "["} and match[3] is None:
            continue  # a Markdown link whose text is one of these words
        values = embeds.attributes(match[2].lstrip("= "))
        url = (match[3] or embeds.first(values, "src", "url", "mp4", "mp3", "id", "0")).strip()
        html = embeds.embedded(url) or (
            embeds.video(match[1], {"id": url}) if match[1] in {"youtube", "vimeo"} else None
        )
        if html or url.startswith("http"):
            yield embeds.block(text, match.start(), match.end(), html or embeds.link(url))
