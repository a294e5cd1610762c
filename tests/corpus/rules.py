# ruff: noqa: RUF001 - mis-decoded characters are what it looks for
"""The general rules that every mail must keep, whatever the issue it was made of.

Each rule is a function that gives the sentences of what is wrong, so that a failing test lists everything at once.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from mailer.edition.model import Context, Slot
from tests.corpus import prose
from tests.corpus.active import active_content, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from mailer.edition.model import Edition, Slotted

CLIP = 102_400
PREHEADER = 140
_RESIDUE = (
    "{{<",
    "{{%",
    "{%",
    "<iframe",
    "&lt;iframe",
    "Like Loading",
    "pixel.wp.com",
    "stats.wordpress.com",
)
_LITERAL = re.compile(
    r"\*\*|\[\[[^\]\n]+\]\]|\{\{|\{: ?[.#\w]|\[\^[\w-]+\]|^\s*(?:#{5,}|\${5,})\s*$", re.MULTILINE
)
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z]{2,8});", re.IGNORECASE)
_MOJIBAKE = re.compile(r"â€[™œ\x9d“”˜¦]|Ã[¤¶¼ŸÄÖ©¨ ]|Â[ «»°]|[\x80-\x9f\ufffd]")


def filled(slotted: Slotted, link: str = "https://reader.example.org/leave") -> str:
    """Give the text as a reader of whom nothing is known would get it."""
    return "".join(part if isinstance(part, str) else _value(part, link) for part in slotted)


def _value(slot: Slot, link: str) -> str:
    if slot.name.startswith("link."):
        return link
    if slot.context in (Context.LINK, Context.ADDRESS):
        url = slot.default if re.match(r"(?:https?://|mailto:)", slot.default) else ""
        return html.escape(url) if slot.context is Context.LINK else url and f" <{url}>"
    if slot.context is Context.URL:
        return quote(slot.default, safe="")
    return html.escape(slot.default) if slot.context in (Context.HTML, Context.ATTRIBUTE) else slot.default


@dataclass(frozen=True)
class Mail:
    """An edition as one reader sees it: HTML, its tree, text."""

    edition: Edition
    html: str
    text: str
    tree: HtmlElement

    @classmethod
    def of(cls, edition: Edition) -> Mail:
        """Fill the slots with nothing, and parse the HTML as a browser would."""
        whole = filled(edition.html)
        return cls(edition, whole, filled(edition.text), parsed(whole))

    @property
    def shown(self) -> str:
        """What the HTML shows, without code and note marks, blocks apart from each other."""
        return "".join(_shown(self.tree.find("body"), code=True))

    @property
    def shown_prose(self) -> str:
        """The same without code: there anything may stand."""
        return "".join(_shown(self.tree.find("body"), code=False))

    @property
    def addresses(self) -> list[str]:
        """The addresses of the HTML's links, in order."""
        return [str(link.get("href")) for link in self.tree.iter("a") if link.get("href")]


_INLINE_NAMES = (
    "a em strong b i u s del ins sub sup small code span mark kbd abbr bdi bdo q cite time font wbr"
)
_INLINE = frozenset(_INLINE_NAMES.split())


def _shown(element: HtmlElement, *, code: bool) -> Iterator[str]:
    if not isinstance(element.tag, str) or element.tag in ("style", "title", "sup"):
        return
    if element.tag in ("pre", "code") and not code:
        yield " \n"
        return
    edge = "" if element.tag in _INLINE else "\n"
    yield edge
    yield element.text or ""
    for child in element:
        yield from _shown(child, code=code)
        yield child.tail or ""
    yield edge


def preheader(mail: Mail) -> Iterator[str]:
    """The preheader has at most 140 characters, no tag, no entity, no line break."""
    said = mail.edition.preheader
    if len(said) > PREHEADER:
        yield f"the preheader has {len(said)} characters"
    if re.search(r"</?[a-z][^>]*>", said, re.IGNORECASE) or _ENTITY.search(said) or "\n" in said:
        yield f"the preheader holds markup: {said!r}"
    if _LITERAL.search(said) or _MOJIBAKE.search(said):
        yield f"the preheader holds residue: {said!r}"


def residue(mail: Mail, source: bytes) -> Iterator[str]:
    """Nothing of a site generator, of front matter or of Markdown itself is left."""
    front, body = prose.split(prose.decoded(source))
    in_code = "**" in "".join(
        re.findall(r"(?ms)^(?:```|~~~).*?^(?:```|~~~)|`[^`\n]+`|^    .*?$|\{% highlight.*?endhighlight", body)
    )
    for what, shown in (("HTML", mail.shown_prose), ("text", mail.text)):
        for mark in _RESIDUE:
            if mark in shown and not (
                what == "text" and mark in "".join(re.findall(r"`[^`]*`|```.*?```", body, re.DOTALL))
            ):
                yield f"the {what} shows {mark!r}"
        for match in _LITERAL.finditer(shown):
            if what == "HTML" or (match[0] == "**" and not in_code):
                yield f"the {what} shows {shown[max(0, match.start() - 30) : match.end() + 30]!r}"
    lines = {line.strip() for line in mail.text.splitlines()}
    for line in front.splitlines():
        if len(line.strip()) > 7 and line.strip() in lines and line.strip() not in body:
            yield f"a line of front matter is in the text: {line!r}"


def encoding(mail: Mail) -> Iterator[str]:
    """No mis-decoded character is left outside code."""
    for what, shown in (("HTML", mail.shown_prose), ("subject", filled(mail.edition.subject))):
        if _MOJIBAKE.search(shown):
            match = _MOJIBAKE.search(shown)
            yield f"the {what} is mis-decoded: {shown[max(0, match.start() - 20) : match.end() + 20]!r}"


def nothing_lost(mail: Mail, source: bytes) -> Iterator[str]:
    """Every sentence and every link of the source is in the HTML and in the text."""
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", " ", mail.text)
    text = re.sub(
        r"<?\b(?:https?://|mailto:|tel:)[^\s<>]+>?|\[\d+\]|^(?:>\s?)+", " ", text, flags=re.MULTILINE
    )
    text = re.sub(r"(?m)^(?=[ \t]*(?:\d+[.)]|[-☐☑])\s)", "\n", text)
    shown = re.sub(r"\bhttps?://\S+", " ", mail.shown)
    yield from (f"HTML lacks the sentence: {run}" for run in prose.missing(source, shown))
    yield from (f"text lacks the sentence: {run}" for run in prose.missing(source, text))
    linked = {prose.same_address(url) for url in mail.addresses}
    written = prose.same_address(mail.text)
    for url in map(prose.same_address, prose.links(source)):
        if url not in linked:
            yield f"HTML lacks the link {url}"
        if url.removeprefix("mailto:").split("?")[0] not in written:
            yield f"text lacks the link {url}"


def shape(mail: Mail) -> Iterator[str]:
    """The HTML is a whole document that says its language and direction; no line of text is too long for SMTP."""
    if not mail.html.startswith("<!DOCTYPE html"):
        yield f"the HTML begins with {mail.html[:20]!r}"
    if mail.tree.get("lang") != mail.edition.language or mail.tree.get("dir") != mail.edition.direction:
        yield f"the HTML says {dict(mail.tree.attrib)}, the edition {mail.edition.language}, {mail.edition.direction}"
    if max(map(len, mail.text.splitlines()), default=0) > 900:
        yield "the text has a line of more than 900 characters"
    size = len(mail.html.encode())
    clipped = "size-clip" in {finding.rule for finding in mail.edition.findings}
    if size > CLIP and not clipped:
        yield f"the HTML has {size} bytes, and no finding says so"


def broken(mail: Mail, source: bytes) -> list[str]:
    """Give everything that is wrong with this mail."""
    return [
        *preheader(mail),
        *residue(mail, source),
        *encoding(mail),
        *nothing_lost(mail, source),
        *shape(mail),
        *active_content(mail.html),
    ]
