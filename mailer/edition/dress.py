"""The content tree -> the HTML of the mail's middle: what only HTML needs, then our style sheet inlined.

Promises: premailer sees the fragment alone and only our own CSS, so it is offline and its rewriting of heads, media
queries and doctypes never happens. Fonts and colours are inherited from the container; inlined is only what
differs, because Gmail clips at 102 KB.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import cssutils
import lxml.html
from premailer import Premailer

from mailer.edition.images import SMALL
from mailer.edition.tree import classes, elements, make, replace

if TYPE_CHECKING:
    from lxml.html import HtmlElement

cssutils.log.setLevel(logging.CRITICAL)  # it knows no mso- property and warns of each
_WIDE = 4  # columns that fit a phone


def dress(root: HtmlElement, css: str, direction: str) -> str:
    """Give the HTML of `root`, styled by `css`. The tree is changed; make the text part first."""
    root.set("class", "content")
    root.set("dir", direction)
    for image in elements(root, "img"):
        _image(image)
    for card in elements(root, "div"):
        _card(card)
    for button in elements(root, "p"):
        if button.get("class") == "button":
            _button(button)
    for table in elements(root, "table"):
        _table(table)
    _edges(root)
    _inline(root, css)
    for element in (root, *elements(root)):
        for name in ("data-line", "data-url", "data-title"):
            element.attrib.pop(name, None)
    return str(lxml.html.tostring(root, encoding="unicode", with_tail=False))


def _inline(root: HtmlElement, css: str) -> None:
    # premailer looks for a document around what it is given.
    Premailer(
        lxml.html.Element("html") if root is None else root,
        css_text=css,
        disable_leftover_css=True,
        strip_important=False,
        remove_unset_properties=False,
        disable_validation=True,
        align_floating_images=False,
        allow_network=False,
        disable_basic_attributes=[
            "width",
            "height",
            "align",
            "valign",
            "bgcolor",
            "cellpadding",
            "cellspacing",
        ],
        cssutils_logging_level=logging.CRITICAL,
    ).transform()


def _image(image: HtmlElement) -> None:
    width = int(image.get("width") or 0)
    if image.get("height") and not width:
        image.set("style", f"height:{image.get('height')}px;width:auto;vertical-align:middle")
    elif not width:
        image.set("style", "max-width:100%;height:auto;vertical-align:middle")
    elif width < SMALL and image.getparent().tag != "figure":
        image.set("style", f"width:{width}px;max-width:100%;height:auto;vertical-align:middle")
    else:
        image.set("style", f"width:100%;max-width:{width}px;height:auto")


def _card(card: HtmlElement) -> None:
    """Make a card a table, because Outlook gives a `<div>` neither padding nor ground."""
    if "card" not in classes(card):
        return
    table = make(
        "table",
        role="presentation",
        class_="card",
        width="100%",
        cellpadding="0",
        cellspacing="0",
        border="0",
    )
    row = make("tr")
    cell = make("td", class_="card-cell")
    cell.extend(list(card))
    row.append(cell)
    table.append(row)
    replace(card, table)


def _button(button: HtmlElement) -> None:
    align = button.get("align")
    table = make("table", role="presentation", class_="button", cellpadding="0", cellspacing="0", border="0")
    if align:
        table.set("align", align)
    row = make("tr")
    cell = make("td", class_="button-cell")
    cell.extend(list(button))
    row.append(cell)
    table.append(row)
    replace(button, table)


def _table(table: HtmlElement) -> None:
    if table.get("role") == "presentation":
        return
    columns = max((len(list(row)) for row in table.iter("tr")), default=0)
    table.set("class", "data wide" if columns > _WIDE else "data")
    for name, value in (("cellpadding", "0"), ("cellspacing", "0"), ("border", "0"), ("width", "100%")):
        table.set(name, value)
    for head in table.iter("th"):
        if "scope" not in head.attrib:
            head.set("scope", "col" if head.getparent().getparent().tag == "thead" else "row")


def _edges(root: HtmlElement) -> None:
    """Take the air above the first block away: the masthead has given it."""
    if len(root):
        root[0].set("class", f"{root[0].get('class', '')} first".strip())
