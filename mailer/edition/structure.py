"""Whatever elements the author's HTML used -> the few of the content tree (content.py lists them).

Promises: no text is lost; loose text becomes paragraphs; blocks never stand inside phrases; nothing empty is left.
Old and web-only elements get the nearest thing that mail programs know: `<center>`, `<details>`, `<kbd>`, `<ruby>`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.edition.tree import BLOCKS, drop, elements, has_blocks, is_empty, make, rename, unwrap, wrap_runs
from mailer.issue.elements import PHRASES

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_RENAMED = {
    "b": "strong",
    "i": "em",
    "cite": "em",
    "dfn": "em",
    "var": "em",
    "strike": "del",
    "s": "del",
    "tt": "code",
    "kbd": "code",
    "samp": "code",
    "dir": "ul",
    "menu": "ul",
    "summary": "p",
    "legend": "p",
    "address": "div",
    "article": "div",
    "aside": "div",
    "center": "div",
    "details": "div",
    "fieldset": "div",
    "footer": "div",
    "header": "div",
    "hgroup": "div",
    "main": "div",
    "nav": "div",
    "tfoot": "tbody",
}
_UNWRAPPED = (
    "abbr",
    "acronym",
    "bdi",
    "bdo",
    "big",
    "font",
    "ins",
    "nobr",
    "picture",
    "small",
    "span",
    "time",
    "u",
)
_USELESS = ("col", "colgroup", "param", "source", "wbr")
_ALIGN = re.compile(r"(?:^|;)\s*text-align\s*:\s*(left|right|center)", re.IGNORECASE)
_ALIGNED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th"})
_KEPT_WHEN_EMPTY = frozenset({"td", "th", "br", "hr", "img", "input"})
_PHRASES = frozenset(PHRASES) - {"br", "wbr"}


def normalise(root: HtmlElement) -> None:
    """Leave only elements of the content tree, each where it may stand."""
    _align(root)
    _tasks(root)
    _rename(root)
    _lift_blocks(root)
    _paragraphs(root)
    _tables(root)
    _figures(root)
    remove_empty(root)


def _align(root: HtmlElement) -> None:
    """Carry the alignment that a block inherits from `<center>` and `<div align>` down to it."""
    for element in elements(root):
        if element.tag == "center":
            element.set("align", "center")
        elif found := _ALIGN.search(element.get("style", "")):
            element.set("align", found[1].lower())
        parent = element.getparent()
        inherited = parent.get("align") if parent is not None and parent.tag in ("div", "center") else None
        if inherited and "align" not in element.attrib and (element.tag in _ALIGNED or element.tag == "div"):
            element.set("align", inherited)


def _tasks(root: HtmlElement) -> None:
    for box in elements(root, "input"):
        if box.get("type", "").lower() == "checkbox":
            mark = make("span", "☑" if "checked" in box.attrib else "☐")
            mark.tail = box.tail if (box.tail or "").startswith((" ", "\n")) else " " + (box.tail or "")
            box.tail = None
            box.getparent().replace(box, mark)
        else:
            drop(box)


def _rename(root: HtmlElement) -> None:
    for summary in elements(root, "summary", "legend"):
        _embolden(summary)
    for caption in elements(root, "caption"):
        table = caption.getparent()
        rename(caption, "p")
        drop_keeping(caption)
        table.addprevious(caption)
    _ruby(root)
    for quote in elements(root, "q"):
        quote.text = "“" + (quote.text or "")
        quote.tail = "”" + (quote.tail or "")
        unwrap(quote)
    for element in elements(root, *_RENAMED):
        rename(element, _RENAMED[str(element.tag)])
    for element in elements(root, *_USELESS):
        drop(element)
    for element in elements(root, *_UNWRAPPED):
        unwrap(element)


def drop_keeping(element: HtmlElement) -> None:
    """Take `element` out of its parent, to be put elsewhere; the text behind it stays."""
    tail, element.tail = element.tail, None
    previous, parent = element.getprevious(), element.getparent()
    if previous is not None:
        previous.tail = (previous.tail or "") + (tail or "")
    else:
        parent.text = (parent.text or "") + (tail or "")
    parent.remove(element)


def _embolden(element: HtmlElement) -> None:
    strong = make("strong", element.text)
    element.text = None
    strong.extend(list(element))
    element.insert(0, strong)


def _ruby(root: HtmlElement) -> None:
    """漢字 with its reading in brackets, once, whether or not the author gave `<rp>` brackets."""
    for element in elements(root, "rp"):
        drop(element)
    for element in elements(root, "rt"):
        element.text = "(" + (element.text or "")
        element.tail = ")" + (element.tail or "")
        unwrap(element)
    for element in elements(root, "ruby"):
        unwrap(element)


def _lift_blocks(root: HtmlElement) -> None:
    """Unwrap a block inside a phrase (`<a><h3>…`): its text stays there, on a line of its own."""
    for phrase in reversed(list(elements(root, *_PHRASES))):
        if has_blocks(phrase) and not _loose(phrase):
            _push_down(phrase)
    for element in elements(root, "p", "h1", "h2", "h3", "h4", "h5", "h6", "div"):
        parent = element.getparent()
        if parent is None or parent.tag not in _PHRASES:
            continue
        if element.getprevious() is not None or (parent.text or "").strip():
            element.addprevious(make("br"))
        unwrap(element)


def _loose(phrase: HtmlElement) -> bool:
    """Say whether text or phrases stand beside the blocks inside `phrase`."""
    texts = [phrase.text or "", *(child.tail or "" for child in phrase)]
    return bool("".join(texts).strip()) or any(child.tag not in BLOCKS for child in phrase)


def _push_down(phrase: HtmlElement) -> None:
    """Turn `<a><h3>…</h3><p>…</p></a>` into `<h3><a>…</a></h3><p><a>…</a></p>`."""
    for block in list(phrase):
        inner = block.makeelement(phrase.tag, dict(phrase.attrib))
        inner.text, block.text = block.text, None
        inner.extend(list(block))
        block.append(inner)
    unwrap(phrase)


def _paragraphs(root: HtmlElement) -> None:
    """Unwrap `<div>`s from the inside out, and leave paragraphs where they held text."""
    for element in reversed(list(elements(root, "div"))):
        if "card" in element.get("class", ""):
            continue
        if has_blocks(element):
            wrap_runs(element)
            unwrap(element)
        else:
            rename(element, "p")
    for quote in elements(root, "blockquote", "section"):
        wrap_runs(quote)
    for section in elements(root, "section"):
        if section.get("class") != "footnotes":
            unwrap(section)
    wrap_runs(root)


def _tables(root: HtmlElement) -> None:
    """Dissolve tables that only arrange things, and loose parts of tables."""
    for table in elements(root, "table"):
        cells = list(table.iter("td", "th"))
        if cells and not any(cell.tag == "th" for cell in cells) and (_is_layout(table) or len(cells) == 1):
            _dissolve(table)
    for part in elements(root, "thead", "tbody", "tr", "td", "th"):
        if next(part.iterancestors("table"), None) is None:
            unwrap(part)


def _is_layout(table: HtmlElement) -> bool:
    """Say whether `table` arranges blocks instead of showing data."""
    return any(child.tag in BLOCKS and child.tag != "p" for cell in table.iter("td") for child in cell)


def _dissolve(table: HtmlElement) -> None:
    for cell in list(table.iter("td")):
        if has_blocks(cell):
            wrap_runs(cell)
            unwrap(cell)
        else:
            rename(cell, "p")
    for part in list(table.iter("thead", "tbody", "tr")):
        unwrap(part)
    unwrap(table)


def _figures(root: HtmlElement) -> None:
    for caption in elements(root, "figcaption"):
        if next(caption.iterancestors("figure"), None) is None:
            rename(caption, "p")
    for figure in elements(root, "figure"):
        if next(figure.iter("img", "table", "pre", "blockquote"), None) is None:
            for caption in figure.findall("figcaption"):
                rename(caption, "p")
            wrap_runs(figure)
            unwrap(figure)


def remove_empty(root: HtmlElement) -> None:
    """Take out blocks and phrases that show nothing, from the inside out."""
    for element in reversed(list(elements(root))):
        if element.tag not in _KEPT_WHEN_EMPTY and not len(element) and not (element.text or "").strip():
            if element.tag == "a" and element.get("href"):
                continue  # links.py reports it
            if element.text and element.tag in _PHRASES:
                element.tail = element.text + (element.tail or "")
            drop(element)
        elif (
            element.tag in ("p", "tr", "table", "ul", "ol")
            and is_empty(element)
            and not list(element.iter("a"))
        ):
            drop(element)
