"""Pictures: absolute addresses, widths that fit every client, alt text, and whether one is a block or part of a line.

Promises: every `<img>` that is left has an absolute http(s) `src`, an `alt`, and a width of at most 536 CSS pixels
where one is known or can be assumed: Outlook reads only the attribute, so a missing one overflows there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.edition.address import is_web
from mailer.edition.imagesize import measure
from mailer.edition.tree import drop, elements, hoist, line_of, make, replace, text_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from mailer.edition.address import Addresses
    from mailer.edition.imagesize import PictureFile
    from mailer.edition.report import Report

COLUMN = 536  # CSS pixels: 600 less the padding
SMALL = 100  # below this a picture stays in its line
_PIXELS = re.compile(r"\s*(\d{1,5})(?:\.\d+)?\s*(?:px)?\s*\Z", re.IGNORECASE)
_PERCENT = re.compile(r"\s*(\d{1,3})(?:\.\d+)?\s*%\s*\Z")
_STYLE_WIDTH = re.compile(r"(?:^|;)\s*(?:max-)?width\s*:\s*([\d.]+(?:px|%))", re.IGNORECASE)
_BADGE = re.compile(
    r"img\.shields\.io|badge|/emoji/|emojis?/|gravatar\.com|twemoji|\bicon|avatar|latex\.php|/latex\b",
    re.IGNORECASE,
)
_UNSHOWN = re.compile(r"\.(svg|avif|heic|tiff?|bmp)(?:[?#]|\Z)", re.IGNORECASE)
_FILE_NAME = re.compile(
    r"\s*(?:[\w%.-]+\.(?:png|jpe?g|gif|webp|svg|avif)|(?:image|img|picture|photo|screenshot|untitled|dsc|img_)[\s_-]*\d*)\s*\Z",
    re.IGNORECASE,
)
_HEAVY = 1_000_000


def place_images(root: HtmlElement, addresses: Addresses, report: Report) -> None:
    """Give every picture its address, width and place; what cannot be shown becomes its alt text."""
    for image in elements(root, "img"):
        source = (image.get("src") or image.get("data-src") or "").strip()
        file = _file(source, addresses, report, line_of(image))
        if _address(image, source, addresses, report):
            _describe(image, report)
            _size(image, file)
    for image in elements(root, "img"):
        _stand(image)


def _file(source: str, addresses: Addresses, report: Report, line: int | None) -> PictureFile | None:
    path = addresses.local(source) if source else None
    file = measure(path) if path else None
    if file and file.octets > _HEAVY:
        report.warn(
            "img-heavy", f"{source} has {file.octets / 1e6:.1f} MB; readers on the move wait for it", line
        )
    return file


def _address(image: HtmlElement, source: str, addresses: Addresses, report: Report) -> bool:
    line = line_of(image)
    url = addresses.absolute(source) if source else None
    if url and is_web(url):
        image.set("src", url)
        if found := _UNSHOWN.search(url):
            report.warn(
                "img-format",
                f"{found[1].upper()} pictures are not shown by Gmail or Outlook: use PNG or JPEG",
                line,
            )
        return True
    if not source:
        report.warn(
            "img-src",
            "a picture has no address; it was left out (data: pictures are not shown by Gmail)",
            line,
        )
    elif url is None:
        report.error(
            "img-relative", f"{source[:120]} is relative: set base_url, or write the whole address", line
        )
    else:
        report.warn("img-src", f"{source[:60]} is not a web address; the picture was left out", line)
    _to_text(image)
    return False


def _to_text(image: HtmlElement) -> None:
    alt = " ".join(image.get("alt", "").split())
    if alt:
        replace(image, make("em", alt))
    else:
        drop(image)


def _describe(image: HtmlElement, report: Report) -> None:
    alt = " ".join(image.get("alt", "").split())
    name = image.get("src", "").split("?")[0].rsplit("/", 1)[-1][:80]
    if not alt and not _is_hero(image):
        report.warn("alt-missing", f"{name} has no alt text: say what it shows", line_of(image))
    elif alt and _FILE_NAME.match(alt):
        report.warn(
            "alt-missing", f"the alt text of {name} is a file name: say what it shows", line_of(image)
        )
        alt = ""
    image.set("alt", alt)


def _is_hero(image: HtmlElement) -> bool:
    return "hero" in (image.getparent().get("class") or "")


def _size(image: HtmlElement, file: PictureFile | None) -> None:
    """Set `width` to what the author says, else the file, else the column where the picture stands alone."""
    declared = _pixels(image.get("width")) or _pixels(_styled(image))
    height = _pixels(image.get("height"))
    if declared is None and height and file:
        declared = max(1, round(file.width * height / file.height))
    if declared is None and height and height < SMALL:
        image.set("height", str(height))
    else:
        image.attrib.pop("height", None)
    width = declared or (file.width if file else None)
    if width is None and not _BADGE.search(image.get("src", "")) and not height:
        width = COLUMN if _alone(image) else None
    image.attrib.pop("width", None)
    if width:
        image.set("width", str(min(width, COLUMN)))


def _pixels(value: str | None) -> int | None:
    if value and (found := _PIXELS.match(value)):
        return int(found[1]) or None
    if value and (found := _PERCENT.match(value)):
        return max(1, COLUMN * min(int(found[1]), 100) // 100)
    return None


def _styled(image: HtmlElement) -> str | None:
    found = _STYLE_WIDTH.search(image.get("style", ""))
    return found[1] if found else None


def _holder(image: HtmlElement) -> HtmlElement:
    """Give the link or emphasis that holds nothing but this picture, or the picture itself."""
    holder = image
    while (
        (parent := holder.getparent()).tag in ("a", "em", "strong", "code")
        and len(parent) == 1
        and not text_of(parent)
    ):
        holder = parent
    return holder


def _alone(image: HtmlElement) -> bool:
    """Say whether `image` has its lines to itself: nothing but line ends before and behind it."""
    holder = _holder(image)
    parent = holder.getparent()
    if parent.tag not in ("p", "figure", "div", "li", "td", "th", "dd", "blockquote"):
        return False
    return _line_ends(holder, -1) and _line_ends(holder, 1)


def _line_ends(holder: HtmlElement, side: int) -> bool:
    sibling = holder.getnext() if side > 0 else holder.getprevious()
    if side > 0:
        between = holder.tail or ""
    else:
        between = (sibling.tail if sibling is not None else holder.getparent().text) or ""
    if between.strip():
        edge = between if side > 0 else between[::-1]
        return "\n" in edge[: len(edge) - len(edge.lstrip())]
    return sibling is None or sibling.tag in ("br", "figcaption", "img", "p") or "\n" in between


def _stand(image: HtmlElement) -> None:
    """Take a big picture out of its paragraph; a title becomes its caption. A small one stays in its line."""
    holder, width = _holder(image), int(image.get("width") or 0)
    title = " ".join(image.attrib.pop("title", "").split())
    parent = holder.getparent()
    if parent.tag != "p" or "card" in parent.get("class", "") or width < SMALL or not _alone(image):
        return
    figure = make("figure")
    if line := line_of(image):
        figure.set("data-line", str(line))
    _trim_breaks(holder)
    replace(holder, figure)
    figure.append(holder)
    if title and title != image.get("alt"):
        figure.append(make("figcaption", title))
    hoist(figure)


def _trim_breaks(holder: HtmlElement) -> None:
    """Take away the line breaks around a picture that becomes a block of its own."""
    for neighbour in (holder.getprevious(), holder.getnext()):
        if neighbour is not None and neighbour.tag == "br":
            drop(neighbour)
