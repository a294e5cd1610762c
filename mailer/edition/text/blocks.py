"""The blocks of the content, one below the other: a content tree in, lines out.

Nested blocks are laid out on a narrower page of their own and come back indented or quoted. Past DEEPEST
levels the rest of a branch is set as running text, so the depth of a tree costs neither stack nor time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml.etree import iterwalk

from mailer.edition.text.frame import underlined
from mailer.edition.text.inline import BLOCKS, SILENT, Inline, is_element, raised
from mailer.edition.text.links import Links, safe_url, same_place
from mailer.edition.text.lists import BULLET, is_task, labels_of
from mailer.edition.text.marks import bare, clean, clean_lines, tidy
from mailer.edition.text.tables import cells_of, grid, is_layout, laid_out
from mailer.edition.text.wrap import wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lxml.etree import _Element

    from mailer.edition.text.measure import Measure

DEEPEST = 40
NARROWEST = 24
RULE = "* * *"
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLANK = " \t\n\r"
_LONG_ITEM = 3  # an item of more lines than this wants air around it
_MANY_LINKS = 12  # a section without sub-heads lists its links when it owes so many


class Page:
    """Lines under way, `width` columns wide, blocks parted by blank lines."""

    def __init__(self, width: int, depth: int, *, tight: bool = False) -> None:
        self.width = max(width, NARROWEST)
        self.depth = depth
        self.tight = tight  # inside a list item: a nested list follows without a blank line
        self.lines: list[str] = []
        self.headed = False  # the last block is a heading that waits for its section

    @property
    def top(self) -> bool:
        """Whether this page is the mail itself."""
        return self.depth == 0

    def put(self, lines: Iterable[str], gap: int = 1) -> None:
        """Add a block after `gap` blank lines; an empty block adds nothing."""
        block = list(lines)
        if block:
            self.lines += [""] * (gap if self.lines else 0) + block
            self.headed = False


class Blocks:
    """What one rendering knows: how wide text is, which links there are, which headings are open."""

    def __init__(self, measure: Measure, labels: Mapping[str, str], *, flowed: bool = False) -> None:
        self._measure = measure
        self._flowed = flowed
        self._links = Links(measure)
        self._inline = Inline(self._links, measure, labels)
        self._image = labels["image"]
        self._outline: list[int] = []
        self._depth = 0
        self._passed_over = 0
        self._setters: dict[str, Callable[[_Element, Page], None]] = {
            **dict.fromkeys(_HEADINGS, self._heading),
            **dict.fromkeys(("ul", "ol"), self._list),
            "p": self._prose,
            "summary": self._prose,
            "pre": self._code,
            "blockquote": self._quote,
            "table": self._table,
            "hr": self._rule,
            "dl": self._definitions,
            "figure": self._figure,
            "div": self._division,
            "section": self._section,
        }

    def page(self, element: _Element, width: int) -> list[str]:
        """Set the whole content: its blocks, and the links of its last section."""
        page = Page(width, 0)
        self.flow(element, page)
        self._end_section(page)
        return page.lines

    def flow(self, element: _Element, page: Page) -> None:
        """Set what is inside an element on the page: blocks, and what is between them as paragraphs."""
        if self._depth >= DEEPEST:
            self._paragraph([element], page)
            return
        self._depth += 1
        run: list[str | _Element] = [element.text or ""]
        for child in element:
            if _is_block(child):
                self._paragraph(run, page)
                self._set(child, page)
                run = [child.tail or ""]
            else:
                run += [child, child.tail or ""]
        self._paragraph(run, page)
        self._depth -= 1

    def _set(self, element: _Element, page: Page) -> None:
        self._setters.get(str(element.tag), self.flow)(element, page)

    def _inner(self, element: _Element, page: Page, indent: int, *, tight: bool = False) -> list[str]:
        inner = Page(page.width - indent, page.depth + 1, tight=tight)
        self.flow(element, inner)
        return inner.lines

    def _paragraph(self, run: list[str | _Element], page: Page) -> None:
        if all(isinstance(part, str) and not part.strip(_BLANK) for part in run):
            return
        text = self._inline.render(run)
        if text:
            # Only unindented prose may flow: joined lines would carry their indent or quote mark into the text.
            page.put(wrap(text, page.width, self._measure, flowed=self._flowed and page.top))
            if page.top and self._links.owed >= _MANY_LINKS:
                self._list_links(page)

    def _heading(self, element: _Element, page: Page) -> None:
        level = self._level(_HEADINGS[str(element.tag)], page)
        if page.top and level <= 3:
            self._end_section(page)
        text = self._inline.render([element], marks=False, short=0)
        if level <= 2 and page.top:
            page.put(underlined(text, "=" if level == 1 else "-", page.width, self._measure), gap=2)
        elif text:
            page.put(_indented(wrap(text, page.width - level - 1, self._measure), "#" * level + " "))
        page.headed = bool(text)
        self._passed_over = self._inline.undescribed

    def _level(self, level: int, page: Page) -> int:
        """Give the level that a heading has in the outline: the highest of its part of the mail is a section (2).

        Authors begin with h3, skip levels and come back to h2; only an h1 stands above the sections.
        """
        above = [open_level for open_level in self._outline if open_level < level]
        if page.top:
            self._outline = [*above, level]
        return 1 if level == 1 else 2 + sum(open_level > 1 for open_level in above)

    def _end_section(self, page: Page) -> None:
        """Pay what a section owes: a word where it held nothing but pictures without words, and its links."""
        if page.headed and self._inline.undescribed > self._passed_over:
            page.put([f"[{self._image}]"])
        self._list_links(page)

    def _list_links(self, page: Page) -> None:
        page.put(self._links.listed(page.width))

    def _rule(self, _element: _Element, page: Page) -> None:
        if page.lines and page.lines[-1] != RULE:
            if page.top:
                self._list_links(page)
            page.put([RULE])

    def _prose(self, element: _Element, page: Page) -> None:
        link = element.find("a") if "button" in (element.get("class") or "").split() else None
        if link is None:
            self.flow(element, page)
            return
        url = safe_url(link.get("href") or "")
        self._pointer("→", self._inline.render([element], known=url), url, page)

    def _pointer(self, sign: str, label: str, url: str, page: Page) -> None:
        """Set what is there to be pressed: a sign, what it is, and where it leads."""
        words = "" if same_place(bare(label), url) else label
        text = " ".join(part for part in (sign, words, f"<{url}>" if url else "") if part)
        page.put(_indented(wrap(tidy(text), page.width - 2, self._measure), "", 2))

    def _division(self, element: _Element, page: Page) -> None:
        if "card" not in (element.get("class") or "").split():
            self.flow(element, page)
            return
        url = element.get("data-url") or ""
        title = clean(element.get("data-title") or "").strip()
        told: list[str | _Element] = [element.text or ""]
        for part in element:
            told += (
                [part.tail or ""] if "card-picture" in (part.get("class") or "") else [part, part.tail or ""]
            )
        text = self._inline.render(told, known=safe_url(url))
        title = title or bare(text).strip("▶ ")
        self._pointer("▶", title, safe_url(url), page)
        lines = filter(None, wrap(text, page.width - 2, self._measure))
        page.put(_indented([line for line in lines if line.strip("▶ ") not in title], "  "), gap=0)

    def _section(self, element: _Element, page: Page) -> None:
        if "footnotes" not in (element.get("class") or "").split():
            self.flow(element, page)
            return
        if page.top:
            self._end_section(page)
        self._rule(element, page)
        notes = [item for item in element.iter("li") if (item.get("id") or "").startswith("fn")]
        if not notes:
            self.flow(element, page)
        for number, note in enumerate(notes, 1):
            named = re.fullmatch(r"fn:?-?(\d+)", note.get("id") or "")
            label = raised(named[1] if named else str(number)) + " "
            page.put(_indented(self._inner(note, page, len(label)), label), gap=1 if number == 1 else 0)

    def _quote(self, element: _Element, page: Page) -> None:
        lines = self._inner(element, page, 2)
        page.put(">" + line if line.startswith(">") else f"> {line}".rstrip() for line in lines)

    def _list(self, element: _Element, page: Page) -> None:
        labels = iter(labels_of(element))
        room = max(map(len, labels_of(element)), default=2) if element.tag == "ol" else len(BULLET)
        items = [
            (next(labels) if child.tag == "li" else "", self._item(child, page, room))
            for child in element
            if is_element(child)
        ]
        airy = any(len(lines) > _LONG_ITEM or "" in lines for _, lines in items)
        self._paragraph([element.text or ""], page)
        gap = 0 if page.tight else 1
        for label, lines in items:
            sign = "" if is_task(lines) else label.rjust(room)
            page.put(_indented(lines, sign, room), gap=gap)
            gap = 1 if airy else 0

    def _item(self, child: _Element, page: Page, room: int) -> list[str]:
        """Set an item, or what careless editors put between items, with the text that strayed behind it."""
        inner = Page(page.width - room, page.depth + 1, tight=True)
        (self.flow if child.tag == "li" else self._set)(child, inner)
        self._paragraph([child.tail or ""], inner)
        return inner.lines

    def _definitions(self, element: _Element, page: Page) -> None:
        gap = 1
        for part in filter(is_element, element):
            if part.tag == "dt":
                page.put(self._inner(part, page, 0), gap=gap)
            elif part.tag == "dd":
                page.put(_indented(self._inner(part, page, 4), "    "), gap=0)
            else:
                (self._definitions if part.tag == "div" else self._set)(part, page)
            gap = 0 if part.tag == "dt" else 1
            self._paragraph([part.tail or ""], page)

    def _code(self, element: _Element, page: Page) -> None:
        code = clean_lines("".join(_verbatim(element))).strip("\n")
        if code:
            page.put(f"    {line}".rstrip() for line in code.split("\n"))
        urls = dict.fromkeys(safe_url(link.get("href") or "") for link in element.iter("a"))
        page.put(f"<{url}>" for url in urls if url and not url.startswith("#"))

    def _figure(self, element: _Element, page: Page) -> None:
        lines = self._inner(element, page, 0)
        page.put(line for line in lines if line)

    def _table(self, element: _Element, page: Page) -> None:
        if is_layout(element):
            for cell in cells_of(element):
                self.flow(cell, page)
            return
        for caption in element.iter("caption"):
            self._paragraph([caption], page)
        rows = grid(element, lambda cell: self._inline.render([cell], marks=cell.tag != "th", short=0))
        if rows:
            page.put(laid_out(rows, page.width, self._measure))


def _indented(lines: list[str], sign: str, room: int | None = None) -> list[str]:
    """Give lines with a sign before the first and as much room before the others."""
    space = " " * (len(sign) if room is None else room)
    return [(space if index else sign) + line if line else "" for index, line in enumerate(lines)]


def _verbatim(element: _Element) -> Iterator[str]:
    """Give the text of a code block as it stands; `br` ends a line, and so does a block."""
    written = "\n"
    for event, part in iterwalk(element, events=("start", "end")):
        text = (part.text if event == "start" else part.tail if part is not element else "") or ""
        if part.tag == "br":
            text = "\n" + text if event == "start" else text
        elif part.tag in BLOCKS and not written.endswith("\n"):
            text = "\n" + text
        written = text or written
        yield text


def _is_block(node: _Element) -> bool:
    """Say whether a node stands on lines of its own; a wrapper with blocks inside does, a link never."""
    if not is_element(node) or node.tag in SILENT or node.tag == "a":
        return False
    return node.tag in BLOCKS or any(child.tag in BLOCKS for child in node)
