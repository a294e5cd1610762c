"""What may stand in a mail's HTML: tags, attributes, addresses, styles, comments; and where a slot may stand.

The list is written here once more, on purpose: the program's own list is what is tested.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import lxml.html
from lxml import etree

from mailer.edition.model import Context, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from mailer.edition.model import Edition

_TAG_NAMES = (
    "html head title meta style body div span p h1 h2 h3 h4 h5 h6 a img br hr em strong b i u s del ins "
    "sub sup small code pre kbd mark blockquote ul ol li dl dt dd table caption thead tbody tfoot tr th "
    "td colgroup col center figure figcaption section article header footer main abbr cite q time wbr bdi "
    "bdo"
)
_ATTRIBUTE_NAMES = (
    "href src alt title width height align valign bgcolor border cellpadding cellspacing role class id "
    "style lang dir start reversed type colspan rowspan scope name content http-equiv charset media xmlns "
    "xmlns:v xmlns:o value target rel background hspace vspace summary datetime"
)
TAGS = frozenset(_TAG_NAMES.split())
ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())
METAS = frozenset(
    {
        "viewport",
        "color-scheme",
        "supported-color-schemes",
        "format-detection",
        "x-apple-disable-message-reformatting",
    }
)
EQUIVS = frozenset({"content-type", "x-ua-compatible"})
_STYLE = re.compile(
    r"expression\s*\(|javascript:|vbscript:|@import|-moz-binding|behaviou?r\s*:|url\s*\(|[<>]", re.IGNORECASE
)
_SHEET = re.compile(
    r"expression\s*\(|javascript:|vbscript:|@import|-moz-binding|behaviou?r\s*:|url\s*\(|</", re.IGNORECASE
)
_COMMENT = re.compile(
    r"javascript:|vbscript:|<script|\son\w+\s*=|<iframe|<object|<embed|<form|<svg", re.IGNORECASE
)


def parsed(whole: str) -> HtmlElement:
    """Parse a mail's HTML as a browser would."""
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True)
    return lxml.html.document_fromstring(whole.encode("utf-8", "surrogatepass"), parser=parser)


def active_content(whole: str) -> list[str]:
    """Give everything in a mail's HTML that is not on the list: tags, attributes, addresses, styles, comments."""
    return [fault for element in parsed(whole).iter() for fault in _faults(element)]


def misplaced_slots(edition: Edition) -> list[str]:
    """Give the slots that stand where their context does not fit: in a name, or in text instead of an attribute."""
    marks = {f"qqslot{at}qq": part for at, part in enumerate(edition.html) if isinstance(part, Slot)}
    named = (part if isinstance(part, str) else f"qqslot{at}qq" for at, part in enumerate(edition.html))
    texts, values, names = [], [], []
    for element in parsed("".join(named)).iter():
        texts += [element.text or "", element.tail or ""]
        values += element.attrib.values()
        names += [str(element.tag), *element.attrib]
    inside = {Context.HTML: "".join(texts)}
    attributes = "\n".join(values)
    return [
        f"{slot} is misplaced"
        for mark, slot in marks.items()
        if mark not in inside.get(slot.context, attributes) or mark in "".join(names)
    ]


def _faults(element: HtmlElement) -> Iterator[str]:
    if element.tag is etree.Comment:
        if _COMMENT.search(str(element.text)):
            yield f"comment {str(element.text)[:80]!r}"
        return
    if not isinstance(element.tag, str):
        yield f"a processing instruction or entity: {element!r}"
        return
    if element.tag not in TAGS:
        yield f"<{element.tag}>"
    if element.tag == "style" and _SHEET.search(element.text or ""):
        yield f"style sheet {_SHEET.findall(element.text or '')}"
    for name, value in element.attrib.items():
        yield from (
            f"<{element.tag}>: {fault}" for fault in _attribute_faults(element, str(name).lower(), str(value))
        )


def _attribute_faults(element: HtmlElement, name: str, value: str) -> Iterator[str]:
    if name not in ATTRIBUTES and not name.startswith(("data-", "aria-")):
        yield f"attribute {name}={value[:60]!r}"
    elif name in ("href", "src", "background") and not _harmless(element, name, value):
        yield f"address {name}={value[:80]!r}"
    elif name == "style" and _STYLE.search(value):
        yield f"style {value[:80]!r}"
    elif element.tag == "meta" and name == "name" and value.lower() not in METAS:
        yield f"meta {value!r}"
    elif name == "http-equiv" and value.lower() not in EQUIVS:
        yield f"meta http-equiv {value!r}"


def _harmless(element: HtmlElement, name: str, value: str) -> bool:
    schemes = r"https?://|mailto:|tel:" if element.tag == "a" and name == "href" else r"https?://"
    # A link of the reader's own that is no web address is empty: it leads nowhere.
    if element.tag == "a" and re.fullmatch(r"(?:#[\w-]+)?", value):
        return True
    return re.match(rf"(?:{schemes})[^\s\x00-\x20\"<>]+\Z", value) is not None
