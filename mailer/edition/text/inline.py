"""The running text of one block: elements in, one string with marks (see marks.py) out.

It goes through the tree with a stack of its own, so that no nesting can exhaust Python's, and takes blocks in
its way as lines. Nothing of the prose is lost; what is dropped is decoration: pictures with an empty alt
text, links within the page, and the way back from a footnote.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.edition.text.links import SHORT, bracketed, mail_address, safe_url, same_place
from mailer.edition.text.marks import (
    BREAK,
    CODE,
    DELETED,
    EMPHASIS,
    ENDS,
    GLUE,
    STRONG,
    bare,
    clean,
    tidy,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lxml.etree import _Element

    from mailer.edition.text.links import Links
    from mailer.edition.text.measure import Measure

BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "caption", "center", "dd", "details", "div", "dl"),
        *("dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4"),
        *("h5", "h6", "header", "hgroup", "hr", "legend", "li", "main", "nav", "ol"),
        *("p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead"),
        *("tr", "ul"),
    )
)
SILENT = frozenset(("script", "style", "template", "head", "title", "noscript", "rp"))
_MARK = {
    **dict.fromkeys(("strong", "b"), STRONG),
    **dict.fromkeys(("em", "i"), EMPHASIS),
    **dict.fromkeys(("del", "s", "strike"), DELETED),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), CODE),
}
_AROUND = {"q": ("“", "”"), "rt": ("(", ")")}
_RAISED = str.maketrans("0123456789+-=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ")
_LOWERED = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_EDGES = " " + BREAK
_BACK = re.compile("[↩⤴↑^][\ufe0e\ufe0f]?")
_NOTE = re.compile(r"#fn:?-?(\d+)$")


def raised(text: str) -> str:
    """Give text as superscript where Unicode has it; ordinals and trade marks (2nd, TM) stay as they are."""
    if not re.search("[^0-9+=()ni-]", text):
        return text.translate(_RAISED)
    if text.isalpha() and (len(text) > 1 or text in "aeorsº"):
        return text
    return f"^{text}" if " " not in text else f"^({text})"


def lowered(text: str) -> str:
    """Give text as subscript where Unicode has it."""
    return text.translate(_LOWERED) if not re.search("[^0-9+=()-]", text) else text


def is_element(node: _Element) -> bool:
    """Say whether the node is an element, and not a comment or an instruction."""
    return isinstance(node.tag, str)


def words_of(element: _Element) -> str:
    """Give all text inside an element as it stands."""
    return "".join(map(str, element.itertext()))


class Inline:
    """Running text of a mail; what it learns of links goes to `links`."""

    def __init__(self, links: Links, measure: Measure, labels: Mapping[str, str]) -> None:
        self._links = links
        self._measure = measure
        self._labels = labels
        self.undescribed = 0  # pictures without words that were passed over

    def render(
        self, parts: Iterable[str | _Element], *, marks: bool = True, short: int = SHORT, known: str = ""
    ) -> str:
        """Give texts and elements (without their tails) as tidy text.

        `marks=False` leaves emphasis away, as in headings; a link of more than `short` columns gets a number;
        the URL `known` was already given and gets none.
        """
        run = _Run(self, marks=marks, short=short, known=known)
        for part in parts:
            if isinstance(part, str):
                run.text(part)
            else:
                run.element(part)
        return tidy("".join(run.parts))

    def reference(self, url: str, label: str, short: int) -> str:
        """Give what follows a link's text so that nobody loses the URL."""
        address = mail_address(url)
        if address is not None:
            return "" if bare(label).lower() == address.lower() else f"{GLUE}<{address}>"
        if self._measure(url) <= short:
            return GLUE + bracketed(url, self._measure)
        return f"{GLUE}[{self._links.number(url)}]"

    def alone(self, url: str) -> str:
        """Give what stands for a link whose text is its URL, or nothing."""
        return bracketed(url, self._measure)

    def picture(self, image: _Element) -> str:
        """Give `[image: alt]`; nothing for decoration, and the alt text alone where it is an emoji."""
        alt = clean(image.get("alt") or "").strip()
        if not alt:
            self.undescribed += 1
            return ""
        return f"[{self._labels['image']}: {alt}]" if any(map(str.isalnum, alt)) else alt


class _Run:
    """One walk through one run of text."""

    def __init__(self, inline: Inline, *, marks: bool, short: int, known: str) -> None:
        self.parts: list[str] = []
        self._inline = inline
        self._short = short
        self._known = known
        self._marks = marks
        self._open: dict[str, int] = {}
        self._link: int | None = None

    def text(self, text: str | None) -> None:
        if text:
            self.parts.append(clean(text))

    def element(self, element: _Element) -> None:
        """Walk through one element, without its tail."""
        path: list[tuple[_Element, Iterator[_Element], Callable[[], None] | None]] = []
        current: _Element | None = element
        while current is not None:
            if is_element(current) and current.tag not in SILENT and not self._whole(current):
                path.append((current, iter(current), self._enter(current)))
                self.text(current.text)
            elif current is not element:
                self.text(current.tail)
            current = self._next(path, element)

    def _next(
        self, path: list[tuple[_Element, Iterator[_Element], Callable[[], None] | None]], top: _Element
    ) -> _Element | None:
        while path:
            parent, children, leave = path[-1]
            for child in children:
                return child
            path.pop()
            if leave is not None:
                leave()
            if parent is not top:
                self.text(parent.tail)
        return None

    def _whole(self, element: _Element) -> bool:
        """Write an element that has no inside of its own; say whether it was one."""
        tag = element.tag
        if tag == "br":
            self.parts.append(BREAK)
        elif tag == "img":
            self.parts.append(self._inline.picture(element))
        elif tag in ("sup", "sub"):
            return self._shifted(element)
        else:
            return tag == "a" and _is_way_back(element)
        return True

    def _shifted(self, element: _Element) -> bool:
        link = element.find("a")
        note = _NOTE.search(link.get("href") or "") if link is not None else None
        if note is not None:
            self.parts.append(raised(note[1]))
            return True
        if len(element) and any(child.get("href") for child in element.iter("a")):
            return False  # a source in brackets: the link counts for more than its height
        text = clean(words_of(element)).strip()
        self.parts.append(raised(text) if element.tag == "sup" else lowered(text))
        return True

    def _enter(self, element: _Element) -> Callable[[], None] | None:
        """Write how an element begins; give what writes its end."""
        tag = str(element.tag)
        if tag in BLOCKS:
            self.parts.append(BREAK)
            return lambda: self.parts.append(BREAK)
        if tag in _AROUND:
            before, after = _AROUND[tag]
            self.parts.append(before)
            return lambda: self.parts.append(after)
        if tag == "a" and self._link is None:
            return self._enter_link(element)
        return self._enter_mark(_MARK.get(tag)) if self._marks else None

    def _enter_mark(self, mark: str | None) -> Callable[[], None] | None:
        if mark is None or self._open.get(mark):
            return None
        self._open[mark] = 1
        self.parts.append(mark)

        def leave() -> None:
            self._open[mark] = 0
            self.parts.append(ENDS[mark])

        return leave

    def _enter_link(self, element: _Element) -> Callable[[], None] | None:
        url = safe_url(element.get("href") or "")
        if not url or url.startswith("#") or url == self._known:
            return None
        self._link = start = len(self.parts)

        def leave() -> None:
            self._link = None
            self._close_link(start, url)

        return leave

    def _close_link(self, start: int, url: str) -> None:
        """Replace the link's text, from the part `start` on, by the text and where it leads."""
        written = "".join(self.parts[start:])
        label = written.strip(_EDGES)
        words = bare(label)
        if words and not same_place(words, url):
            shown = label + self._inline.reference(url, label, self._short)
        else:
            shown = self._inline.alone(url)
        lead, _, trail = written.partition(label) if label else ("", "", written)
        self.parts[start:] = [lead, shown, trail]


def _is_way_back(link: _Element) -> bool:
    """Say whether this is the arrow from a footnote back to its text: nothing can be jumped to here."""
    if "footnote-backref" in (link.get("class") or ""):
        return True
    text = words_of(link).strip()
    return (link.get("href") or "").startswith("#fnref") and bool(_BACK.fullmatch(text))
