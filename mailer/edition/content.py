# ruff: noqa: SIM905 - one word a line would be a page of words
"""Issue -> the content tree, which the HTML and the text of the mail are both made from.

The tree is one lxml.html `<div>`. Contract with everything behind it:

- Blocks: p h1-h6 ul ol li blockquote pre hr table(thead tbody tr th td) dl dt dd figure figcaption. Phrases: em strong
  del sub sup mark code a img br. Task items begin with ☐ or ☑. A quoted post is `<blockquote class="post">`.
- An embed is `<div class="card" data-kind="youtube|vimeo|audio|tweet|iframe" data-url data-title>`, holding
  `<p class="card-picture"><a><img></a></p>` where there is a thumbnail, and
  `<p class="card-caption"><a>▶ title</a></p>`.
- A button is `<p class="button"><a>`. The picture of the front matter is `<figure class="hero">`, first.
- A footnote is `<sup class="footnote-ref"><a href="#fnN">[N]</a></sup>`; notes end the tree in
  `<section class="footnotes"><ol><li id="fnN">`.
- Every URL is absolute, http(s), mailto or tel. `img` has `alt` (empty: decorative) and, where known, `width`.
- Attributes besides: align, dir, lang, start, reversed, type, colspan, rowspan, scope, and `data-line`
  (the source line).

Nothing else is in it (`seal` sees to that last), and no element is nested deeper than 60.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from mailer.edition.markdown import render_inline, render_markdown
from mailer.edition.sanitise import removed_parts, sanitise, sanitise_phrase
from mailer.edition.tree import elements, parse, unwrap

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from mailer.edition.report import Report
    from mailer.issue.model import Hero, Issue

TAGS = frozenset(
    """
    p h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code em strong del sub sup mark a img hr br table thead
    tbody tr th td dl dt dd figure figcaption section div
    """.split()
)
_EVERYWHERE = frozenset({"align", "dir", "lang", "data-line"})
_ATTRIBUTES = {
    "a": frozenset({"href"}),
    "img": frozenset({"src", "alt", "width", "height"}),
    "ol": frozenset({"start", "reversed", "type"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
    "div": frozenset({"data-kind", "data-url", "data-title"}),
}
_CLASSES = {
    "div": frozenset({"card"}),
    "p": frozenset({"button", "card-picture", "card-caption"}),
    "sup": frozenset({"footnote-ref"}),
    "section": frozenset({"footnotes"}),
    "blockquote": frozenset({"post"}),
    "figure": frozenset({"hero"}),
}
_VALUES = {
    "align": re.compile(r"(?:left|right|center)\Z"),
    "dir": re.compile(r"(?:ltr|rtl|auto)\Z"),
    "lang": re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}\Z"),
    "data-line": re.compile(r"\d{1,7}\Z"),
    "start": re.compile(r"-?\d{1,6}\Z"),
    "reversed": re.compile(r"\Z"),
    "type": re.compile(r"[1aAiI]\Z"),
    "colspan": re.compile(r"[1-9]\d?\Z"),
    "rowspan": re.compile(r"[1-9]\d?\Z"),
    "scope": re.compile(r"(?:row|col|rowgroup|colgroup)\Z"),
    "width": re.compile(r"\d{1,3}\Z"),
    "height": re.compile(r"\d{1,3}\Z"),
    "id": re.compile(r"fn\d{1,4}\Z"),
}
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\ufffe\uffff\ud800-\udfff]")


def render(issue: Issue, report: Report) -> str:
    """Give the issue's hero and body as HTML that is not safe yet; a note that shows nowhere is a finding."""

    def lost(name: str, line: int | None) -> None:
        report.warn("footnote", f"nothing calls for the footnote [^{name[:40]}]: readers do not get it", line)

    hero = _hero(issue.hero) if issue.hero else ""
    return hero + render_markdown(_UNPRINTABLE.sub("", issue.body), issue.lines, lost)


def clean(raw: str, report: Report) -> HtmlElement:
    """Give the sanitised tree of `raw`; what was taken out of it is a finding."""
    for tag, line in removed_parts(raw):
        report.warn("html-active", f"<{tag}> was taken out: mail programs do not run it", line)
    return parse(sanitise(raw))


def _hero(hero: Hero) -> str:
    source, alt = (html.escape(_UNPRINTABLE.sub("", text)) for text in (hero.src, hero.alt))
    credit = sanitise_phrase(render_inline(_UNPRINTABLE.sub("", hero.credit))).strip()
    caption = f"<figcaption>{credit}</figcaption>" if credit else ""
    return f'<figure class="hero"><img src="{source}" alt="{alt}" width="100%">{caption}</figure>\n'


def seal(root: HtmlElement) -> None:
    """Hold the tree to its contract: whatever is not named there goes, its text stays."""
    for element in elements(root):
        if element.tag not in TAGS:
            unwrap(element)
            continue
        tag = str(element.tag)
        kept = _EVERYWHERE | _ATTRIBUTES.get(tag, frozenset())
        for name, value in list(element.attrib.items()):
            if name == "class":
                _keep_classes(element, tag, value)
            elif name == "id" and tag == "li" and _VALUES["id"].match(value):
                continue
            elif name not in kept or (name in _VALUES and not _VALUES[name].match(value)):
                del element.attrib[name]


def _keep_classes(element: HtmlElement, tag: str, value: str) -> None:
    known = " ".join(name for name in value.split() if name in _CLASSES.get(tag, ()))
    if known:
        element.set("class", known)
    else:
        del element.attrib["class"]
