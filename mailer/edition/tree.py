# ruff: noqa: SIM905 - one word a line would be a page of words
"""Small surgery on the content tree: unwrap, drop, split, wrap. What lxml leaves undone about text and tails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lxml.html

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

# Elements that may hold blocks; everything else holds text and phrases.
FLOW = frozenset({"blockquote", "li", "td", "th", "dd", "figure", "section", "div", "details", "center"})
BLOCKS = frozenset(
    """
    p h1 h2 h3 h4 h5 h6 ul ol li blockquote pre hr table thead tbody tr th td dl dt dd figure figcaption div
    section
    """.split()
)


def parse(html: str) -> HtmlElement:
    """Give one `<div>` that holds the fragment."""
    return lxml.html.fragment_fromstring(html, create_parent="div")


def make(tag: str, text: str | None = None, **attributes: str) -> HtmlElement:
    """Make an element; `class_` and `data_kind` stand for `class` and `data-kind`."""
    element: HtmlElement = lxml.html.Element(tag)
    element.text = text
    for name, value in attributes.items():
        element.set(name.rstrip("_").replace("_", "-"), value)
    return element


def line_of(element: HtmlElement) -> int | None:
    """Give the source line of `element`, or of the nearest one around it that knows."""
    node: HtmlElement | None = element
    while node is not None:
        if (line := node.get("data-line", "")).isdecimal() and len(line) < 8:
            return int(line) or None
        node = node.getparent()
    return None


def text_of(element: HtmlElement) -> str:
    """Give the text inside `element`, its white space run together."""
    return " ".join(str(element.text_content()).split())


def classes(element: HtmlElement) -> set[str]:
    """Give the class names, in lower case."""
    return set(element.get("class", "").lower().split())


def drop(element: HtmlElement) -> None:
    """Remove `element` with all it holds; the text behind it stays."""
    if element.getparent() is not None:
        element.drop_tree()


def unwrap(element: HtmlElement) -> None:
    """Remove `element`; what it holds stays in its place."""
    element.drop_tag()


def replace(old: HtmlElement, new: HtmlElement) -> None:
    """Put `new` where `old` stands, with the text behind it."""
    new.tail, old.tail = old.tail, None
    parent = old.getparent()
    parent.replace(old, new)


def rename(element: HtmlElement, tag: str) -> None:
    """Make `element` a `tag`; attributes are swept up at the end."""
    element.tag = tag


def is_empty(element: HtmlElement) -> bool:
    """Say whether `element` shows nothing: no text, no picture, no rule, no embed."""
    return (
        not element.text_content().strip()
        and next(element.iter("img", "hr", "iframe", "video", "audio", "input"), None) is None
    )


def has_blocks(element: HtmlElement) -> bool:
    """Say whether a block stands directly inside `element`."""
    return any(child.tag in BLOCKS for child in element)


def elements(root: HtmlElement, *tags: str) -> Iterator[HtmlElement]:
    """Give the elements below `root`, in document order, safe against changes while looping."""
    return iter([element for element in root.iter(*tags) if element is not root])


def hoist(element: HtmlElement) -> None:
    """Split the paragraph and phrases around `element`, so that it stands between their halves as a block."""
    while (
        (parent := element.getparent()) is not None
        and parent.tag not in FLOW
        and parent.getparent() is not None
    ):
        grandparent = parent.getparent()
        rest = parent.makeelement(parent.tag, dict(parent.attrib))
        rest.text, element.tail = element.tail, None
        for sibling in list(element.itersiblings()):
            rest.append(sibling)
        rest.tail, parent.tail = parent.tail, None
        place = grandparent.index(parent)
        grandparent.insert(place + 1, element)
        grandparent.insert(place + 2, rest)
        for half in (parent, rest):
            if is_empty(half):
                drop(half)


def wrap_runs(container: HtmlElement) -> None:
    """Put the loose text and phrases between the blocks of `container` into paragraphs."""
    blocks: list[HtmlElement] = []
    paragraph: HtmlElement | None = None
    text, container.text = container.text, None
    if text and text.strip():
        paragraph = make("p", text.lstrip())
        blocks.append(paragraph)
    for child in list(container):
        tail, child.tail = child.tail, None
        if child.tag in BLOCKS:
            paragraph = None
            blocks.append(child)
        elif child.tag != "br" or paragraph is not None:
            if paragraph is None:
                paragraph = make("p")
                blocks.append(paragraph)
            paragraph.append(child)
            child.tail = tail
            continue
        if tail and tail.strip():
            paragraph = make("p", tail.lstrip())
            blocks.append(paragraph)
    container[:] = blocks
