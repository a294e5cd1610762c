# ruff: noqa: SIM905 - one word a line would be a page of words
"""Whatever HTML an author pasted -> HTML without anything active, and never deeper than a mail needs.

Promises: no script, style, form, event handler, comment or foreign content survives; URLs have one of a few schemes.
Works on strings, with nh3 (ammonia, html5ever), before any tree of ours is built. Embeds (iframe, video, object)
pass as inert elements, because embeds.py has to see them; structure.py lets none of them out.
"""

from __future__ import annotations

import re
from itertools import accumulate

import nh3

from mailer.issue.elements import BLOCKS, EMBEDS, PHRASES
from mailer.issue.merge import tokens

_GONE = frozenset(
    """
    applet base button canvas dialog frame frameset head link map math meta noembed noframes noscript
    optgroup option progress script select style svg template textarea title xmp
    """.split()
)
_REPORTED = frozenset(
    """
    applet button canvas dialog form frameset noscript script select style svg textarea
    """.split()
)
_ATTRIBUTES = {
    "*": {
        "align",
        "class",
        "data-line",
        "dir",
        "height",
        "id",
        "lang",
        "style",
        "width",
        "aria-hidden",
        "hidden",
    },
    "a": {"href", "name"},
    "audio": {"src", "title"},
    "col": {"span"},
    "embed": {"src", "title", "type"},
    "iframe": {"src", "title", "data-src", "name", "aria-label"},
    "img": {"alt", "src", "title", "data-src"},
    "input": {"type", "checked"},
    "object": {"data", "title", "type"},
    "ol": {"start", "reversed", "type"},
    "param": {"name", "value"},
    "source": {"src", "srcset", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "video": {"src", "poster", "title"},
    "blockquote": {"cite"},
}
_STYLES = {"display", "visibility", "text-align", "width", "max-width", "height", "mso-hide"}
_SCHEMES = {"http", "https", "mailto", "tel"}
# Elements that hide what follows until they are closed; of the first, everything up to the end tag is text.
_RAW_TEXT = frozenset(
    ["iframe", "noembed", "noframes", "noscript", "plaintext", "script", "style", "textarea", "title", "xmp"]
)
_SWALLOWING = _GONE | _RAW_TEXT | {"audio", "form", "object", "video"}
_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9:._-]*)")
_SWALLOWER = re.compile(rf"<(/?)({'|'.join(sorted(_SWALLOWING))})(?=[\s/>])[^>]*>?", re.IGNORECASE)
_KNOWN = PHRASES | BLOCKS | EMBEDS | _SWALLOWING
_ANY_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:._-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
_PLACEHOLDER = re.compile(r"(?: data-line=\"\d+\")?\s*\Z")
_LINE = re.compile(r'data-line="(\d{1,7})"')
_GIST = re.compile(
    r"<script[^>]{0,200}?\ssrc\s*=\s*[\"']?(https://gist\.github\.com/[\w.-]+/[0-9a-f]+)(?:\.js[^\s\"'>]*)?[^>]{0,200}>\s*</script\s*>",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)((?:[^>\"]|\"[^\"]*\")*)>")
_VOID = frozenset(["br", "col", "embed", "hr", "img", "input", "param", "source", "wbr"])
_NESTING = re.compile(rf"<(/?)(?!(?:{'|'.join(_VOID)})[\s>/])[a-z]")
_STEP = {"": 1, "/": -1}
_DEPTH = 60
# Void in HTML 5, but libxml2 takes what follows them for their content.
_VOID_LATELY = re.compile(r"<(embed|source|wbr)((?:[^>\"]|\"[^\"]*\")*)>")

_cleaner = nh3.Cleaner(
    tags=set(PHRASES | BLOCKS | EMBEDS),
    clean_content_tags=set(_GONE),
    attributes=_ATTRIBUTES,
    filter_style_properties=_STYLES,
    url_schemes=_SCHEMES,
    link_rel=None,
    strip_comments=True,
)
_form_cleaner = nh3.Cleaner(
    tags=set(PHRASES | BLOCKS | EMBEDS),
    clean_content_tags=set(_GONE) | {"form"},
    attributes=_ATTRIBUTES,
    filter_style_properties=_STYLES,
    url_schemes=_SCHEMES,
    link_rel=None,
    strip_comments=True,
)
_phrase_cleaner = nh3.Cleaner(
    tags={"a", "b", "em", "i", "strong", "br", "code"},
    clean_content_tags=set(_GONE),
    attributes={"a": {"href"}},
    url_schemes=_SCHEMES,
    link_rel=None,
)


def sanitise(html: str) -> str:
    """Give `html` without anything active, balanced, at most 60 elements deep; all text that shows stays."""
    names = tag_names(html)
    if "script" in names:
        html = _GIST.sub(r'<iframe src="\1"></iframe>', html)
    if names - _KNOWN:
        html = _without_strangers(html)
    if names & _SWALLOWING or "<!--" in html:
        html = _without_open_ends(html)
    cleaner = _form_cleaner if "<form" in html.lower() else _cleaner
    return _flattened(_VOID_LATELY.sub(r"<\1\2></\1>", cleaner.clean(html)))


def sanitise_phrase(html: str) -> str:
    """Give `html` with links and emphasis alone: for a line such as a picture's credit."""
    return _phrase_cleaner.clean(html)


def tag_names(html: str) -> set[str]:
    """Give the names of everything that looks like a tag, in lower case: most issues hold nothing to look into."""
    return {name.lower() for name in set(_NAME.findall(html))}


def removed_parts(html: str) -> list[tuple[str, int | None]]:
    """Give what `sanitise` takes out and a reader would have seen or run: (tag, source line), in order."""
    parts: list[tuple[str, int | None]] = []
    if not tag_names(html) & _REPORTED:
        return parts
    for match in _SWALLOWER.finditer(html):
        tag = match[2].lower()
        if not match[1] and tag in _REPORTED:
            line = _LINE.search(match[0])
            parts.append((tag, int(line[1]) if line else None))
    return parts


def _without_strangers(html: str) -> str:
    """Drop the tags of elements that we do not know, and show those that were never meant as tags.

    `<filename>` in a sentence is a placeholder. The cleaner would take it, or what is named like a part of SVG or
    MathML (`<text>`, `<filter>`), out with everything behind it.
    """
    closed = {match[2].lower() for match in _ANY_TAG.finditer(html) if match[1]}

    def judge(match: re.Match[str]) -> str:
        name = match[2].lower()
        if name in _KNOWN:
            return match[0]
        meant = match[1] or name in closed or not _PLACEHOLDER.match(match[3])
        word = name.isalpha() or tokens(name) == [name]  # `<{{ subscriber.email }}>` is a token in brackets
        return "" if meant or not word else f"&lt;{match[2]}&gt;"

    return _ANY_TAG.sub(judge, html)


def _without_open_ends(html: str) -> str:
    """Drop opening tags that would swallow the rest of the issue because nothing closes them.

    A browser reads everything after an unclosed `<script>` or `<!--` as its content; an author meant none of that.
    """
    waiting: dict[str, list[re.Match[str]]] = {}
    for match in _SWALLOWER.finditer(html):
        tag = match[2].lower()
        opened = waiting.setdefault(tag, [])
        if match[1]:
            del opened[-1:]
        elif tag not in _RAW_TEXT or not opened:
            opened.append(match)
    unclosed = {match.start() for opened in waiting.values() for match in opened}
    html = _SWALLOWER.sub(lambda match: _ended(match) if match.start() in unclosed else match[0], html)
    start = html.find("<!--", html.rfind("-->") + 1)
    return html if start < 0 else html[:start] + html[start:].replace("<!--", "")


def _ended(match: re.Match[str]) -> str:
    """Give an unclosed opening tag closed at once where it may become a card, else nothing."""
    return f"{match[0]}</{match[2]}>" if match[2].lower() in EMBEDS and match[0].endswith(">") else ""


def _flattened(html: str) -> str:
    """Drop the tags that nest deeper than 60, and keep their text: lxml would cut it off at 256."""
    if max(accumulate(map(_STEP.__getitem__, _NESTING.findall(html))), default=0) <= _DEPTH:
        return html
    depth = 0

    def flatten(match: re.Match[str]) -> str:
        nonlocal depth
        if match[2] in _VOID:
            return match[0]
        if match[1]:
            depth -= 1
            return match[0] if depth < _DEPTH else ""
        depth += 1
        return match[0] if depth <= _DEPTH else ""

    return _TAG.sub(flatten, html)
