"""Hugo's shortcodes, `{{< name … >}}` and `{{% name … %}}`.

Players, tweets, figures and buttons become embeds, notices become quotes with a bold label, `ref` becomes
Hugo's default address; of an unknown shortcode the content stays, and a finding names it.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from mailer.issue.dialects import embeds
from mailer.issue.dialects.callouts import quoted
from mailer.issue.page import Edit, Page, enclosed, warning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mailer.issue.page import Note

_CODE = re.compile(r"\{\{(?:<([^<>]{0,3000})>|%([^%]{0,3000})%)\}\}")
_NAME = re.compile(r"(/?)[ \t\n]*([\w./-]{1,100})([^\0]*)")
# `{{</* name */>}}` is how an author shows a shortcode to the reader.
_SHOWN = re.compile(r"\{\{[<%]/\*(.*)\*/[>%]\}\}", re.DOTALL)
_NOTICES = (
    "notice|alert|callout|admonition|hint|tip|warning|note|info|important|caution|danger|details|expand|"
    "collapse|quote|blockquote|aside|success|question|example"
)
_OPEN_NOTICE = re.compile(rf"\{{\{{[<%][ \t]*({_NOTICES})\b([^<>%{{}}]{{0,500}})(?<!/)[>%]\}}\}}")
_CLOSE_NOTICE = re.compile(rf"\{{\{{[<%][ \t]*/[ \t]*(?:{_NOTICES})[ \t]*[>%]\}}\}}")
_OPEN_BUTTON = re.compile(r"\{\{[<%][ \t]*(button|btn|link|cta)\b([^<>%{}]{0,500})(?<!/)[>%]\}\}")
_CLOSE_BUTTON = re.compile(r"\{\{[<%][ \t]*/[ \t]*(?:button|btn|link|cta)[ \t]*[>%]\}\}")


def hugo(page: Page) -> Page:
    """Give the page without shortcodes."""
    if "{{<" not in page.text and "{{%" not in page.text:
        return page
    page = page.splice(_buttons(page.text))
    page = page.splice(_notices(page.text))
    return page.splice(_codes(page.text))


def _buttons(text: str) -> Iterator[Edit]:
    for opening, closing in enclosed(text, _OPEN_BUTTON, _CLOSE_BUTTON):
        url = embeds.first(embeds.attributes(opening[2]), "href", "url", "link", "relref", "0")
        words = " ".join(text[opening.end() : closing.start()].split())
        if url and opening[1] != "link":
            yield embeds.button(text, opening.start(), closing.end(), url, words)
        else:
            yield Edit(opening.start(), closing.end(), f"[{words}]({url})" if url else words)


def _notices(text: str) -> Iterator[Edit]:
    for opening, closing in enclosed(text, _OPEN_NOTICE, _CLOSE_NOTICE):
        values = embeds.attributes(opening[2])
        kind = embeds.first(values, "type", "icon") or opening[1]
        title = embeds.first(values, "title", "summary", "1") or ""
        if opening[1] in {"notice", "alert", "callout", "admonition", "hint"}:
            kind = embeds.first(values, "type", "context", "0") or kind
        elif opening[1] in {"details", "expand", "collapse"}:
            title = title or embeds.first(values, "0")
        inner = text[opening.end() : closing.start()].strip("\n")
        name = "" if opening[1] in {"quote", "blockquote", "aside"} else title or embeds.label(kind)
        yield Edit(opening.start(), closing.end(), f"\n{quoted(inner, name)}\n")


def _codes(text: str) -> Iterator[Edit]:
    for match in _CODE.finditer(text):
        shown = _SHOWN.match(match[0])
        if shown:
            yield Edit(
                match.start(), match.end(), f"&#123;{{{match[0][2]} {shown[1].strip()} {match[0][-3]}}}}}"
            )
            continue
        parts = _NAME.match((match[1] or match[2] or "").strip().removesuffix("/"))
        if not parts:
            yield Edit(match.start(), match.end(), "", warning("residue", "An empty shortcode was dropped."))
            continue
        name, values = parts[2].lower().rsplit("/", 1)[-1], embeds.attributes(parts[3])
        if parts[1]:
            yield Edit(match.start(), match.end(), "")
        elif name in _BUTTONS and (url := embeds.first(values, "href", "url", "link", "relref", "0")):
            words = embeds.first(values, "text", "title", "label", "1")
            yield embeds.button(text, match.start(), match.end(), url, escape(words))
        elif name in {"ref", "relref"}:
            yield Edit(match.start(), match.end(), *_address(embeds.first(values, "path", "0")))
        else:
            html = _embed(name, values)
            if html:
                yield embeds.block(text, match.start(), match.end(), html)
            else:
                note = None if name in {"rawhtml", "html", "raw"} else _dropped(name)
                yield Edit(match.start(), match.end(), "", note)


def _dropped(name: str) -> Note:
    return warning(
        "residue", f"The shortcode \u201c{name[:40]}\u201d is unknown; it was dropped, its content stays."
    )


def _address(target: str) -> tuple[str, Note]:
    path, mark, anchor = target.partition("#")
    path = re.sub(r"(?:/?_?index)?\.(?:md|markdown|html)$", "", path.strip("\"' ")).strip("/")
    address = (f"/{path}/" if path else "") + mark + anchor
    return address, warning("residue", f"The link to {target[:60]} was guessed: {address[:80]}.")


def _embed(name: str, values: Mapping[str, str]) -> str | None:
    make = _EMBEDS.get(name)
    if make:
        return make(values)
    if "youtube" in name or "vimeo" in name:
        return embeds.video("vimeo" if "vimeo" in name else "youtube", values)
    return embeds.figure(values) if name in _PICTURES else None


def _gist(values: Mapping[str, str]) -> str | None:
    user, number = embeds.first(values, "user", "0"), embeds.first(values, "id", "1")
    return embeds.link(f"https://gist.github.com/{user}/{number}".rstrip("/"), "Gist") if user else None


def _instagram(values: Mapping[str, str]) -> str | None:
    number = embeds.first(values, "id", "0")
    return embeds.link(f"https://www.instagram.com/p/{number}/", "Instagram") if number else None


def _media(values: Mapping[str, str]) -> str | None:
    url = embeds.first(values, "src", "url", "mp4", "webm", "mp3", "0")
    found = embeds.video_of(url)
    return found or (embeds.link(url, embeds.first(values, "title", "caption")) if url else None)


def _anchor(values: Mapping[str, str]) -> str | None:
    url = embeds.first(values, "url", "href", "src", "0")
    return f'<p><a href="{escape(url)}">{escape(url)}</a></p>' if url.startswith("http") else None


_BUTTONS = frozenset({"button", "btn", "cta"})
_PICTURES = frozenset({"figure", "image", "img", "picture", "imgproc", "photo", "fig", "lightbox", "imgcap"})
_EMBEDS: dict[str, Callable[[Mapping[str, str]], str | None]] = {
    "tweet": embeds.tweet,
    "x": embeds.tweet,
    "twitter": embeds.tweet,
    "twitter_simple": embeds.tweet,
    "gist": _gist,
    "instagram": _instagram,
    "video": _media,
    "audio": _media,
    "podcast": _media,
    "embed": _anchor,
    "iframe": _media,
    "soundcloud": _media,
    "spotify": _media,
}
