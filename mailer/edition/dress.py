"""The content tree -> the HTML of the mail's middle: what only HTML needs, then our style sheet inlined.

Promises: premailer sees the fragment alone and only our own CSS, so it is offline and its rewriting of heads, media
queries and doctypes never happens. Fonts and colours are inherited from the container; inlined is only what
differs, because Gmail clips at 102 KB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lxml.html

from mailer.edition.images import SMALL
from mailer.edition.inline import inline
from mailer.edition.tree import classes, elements, has_blocks, make, replace, text_of, unwrap

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_COLUMNS = 7  # that fit a phone
_LETTERS = 44  # of the longest words side by side, with the gaps


def dress(root: HtmlElement, css: str, direction: str) -> str:
    """Give the HTML of `root`, styled by `css`. The tree is changed; make the text part first."""
    root.set("class", "content")
    root.set("dir", direction)
    for tag, put_on in _DRESSERS:
        for element in elements(root, tag):
            put_on(element)
    _edges(root)
    inline(root, css)
    for element in (root, *elements(root)):
        if style := element.get("style"):
            # Double quotes (cssutils writes them around font names) would make lxml write style='…'.
            element.set("style", style.replace('"', "'").replace("; ", ";"))
        for name in ("data-line", "data-url", "data-title"):
            element.attrib.pop(name, None)
    return str(lxml.html.tostring(root, encoding="unicode", with_tail=False))


def _image(image: HtmlElement) -> None:
    width = int(image.get("width") or 0)
    if image.get("height") and not width:
        image.set("style", f"height:{image.get('height')}px;width:auto;vertical-align:middle")
    elif not width:
        image.set("style", "max-width:100%;height:auto;vertical-align:middle")
    elif width < SMALL and image.getparent().tag != "figure":
        image.set("style", f"width:{width}px;max-width:100%;height:auto;vertical-align:middle")
    else:
        image.set("style", f"display:block;width:100%;max-width:{width}px;height:auto")


def _code(code: HtmlElement) -> None:
    if code.getparent().tag == "pre":
        unwrap(code)


def _item(item: HtmlElement) -> None:
    if text_of(item).startswith(("☐", "☑")):
        item.set("class", "task" if has_blocks(item) else "task line")


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
    if button.get("class") != "button":
        return
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
    wide = _too_wide(table)
    table.set("class", "data wide" if wide else "data")
    _label_cells(table)
    for row in _rows(table):
        for cell in row:
            # A column of short words would be broken to one letter a line for the sake of a long one beside it.
            names = [*([] if wide else ["whole"]), *(["end"] if cell is row[-1] else [])]
            cell.set("class", " ".join(names))
    for name, value in (("cellpadding", "0"), ("cellspacing", "0"), ("border", "0"), ("width", "100%")):
        table.set(name, value)
    for head in table.iter("th"):
        if "scope" not in head.attrib:
            head.set("scope", "col" if head.getparent().getparent().tag == "thead" else "row")


def _rows(table: HtmlElement) -> list[list[HtmlElement]]:
    return [[cell for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]


def _too_wide(table: HtmlElement) -> bool:
    """Say whether a phone has to stack the cells: more columns, or longer words side by side, than fit."""
    rows = _rows(table)
    columns = max(map(len, rows), default=0)
    widest = [
        max((max(map(len, text_of(row[at]).split()), default=0) for row in rows if at < len(row)), default=0)
        for at in range(columns)
    ]
    return columns > _COLUMNS or sum(widest) + 2 * columns > _LETTERS


def _label_cells(table: HtmlElement) -> None:
    """Tell each cell of a stacked table what column it was in."""
    rows = _rows(table)
    if "wide" not in classes(table) or not rows or any(cell.tag == "td" for cell in rows[0]):
        return
    for row in rows[1:]:
        for head, cell in zip(rows[0], row, strict=False):
            if label := text_of(head):
                cell.set("data-label", label)


def _edges(root: HtmlElement) -> None:
    """Take the air above the first block away: the masthead has given it."""
    if len(root):
        root[0].set("class", f"{root[0].get('class', '')} first".strip())
    for holder in elements(root, "blockquote", "li", "dd", "td"):
        if len(holder) and holder[-1].tag == "p" and not (holder[-1].tail or "").strip():
            holder[-1].set("class", f"{holder[-1].get('class', '')} last".strip())


_DRESSERS = (
    ("img", _image),
    ("div", _card),
    ("p", _button),
    ("table", _table),
    ("code", _code),
    ("li", _item),
)
