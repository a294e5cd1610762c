"""Obsidian's notes: wikilinks, embeds, comments, highlights, block ids, image sizes.

A wikilink has no address in a mail, so its words stay; an embedded picture becomes an image, any other embedded note is
dropped with a finding. `[[1]](url)` and reference links are Markdown and stay.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from mailer.issue.page import Edit, info, warning

if TYPE_CHECKING:
    from mailer.issue.page import Note, Page

_EMBED = re.compile(r"!\[\[([^\[\]|\n]{1,300})((?:\|[^\[\]|\n]{0,200}){0,3})\]\]")
# Brackets that touch a word are code's, as in x[[1]].
_LINK = re.compile(
    r"(?<![!\[\])A-Za-z0-9_])\[\[([^\[\]|\n#^]{0,300})([#^][^\[\]|\n]{0,300})?(?:\|([^\[\]\n]{1,300}))?\]\](?![\[(:])"
)
_SIZED = re.compile(r"!\[([^\[\]|\n]{0,300})\|(\d{1,4})(?:x\d{1,4})?\]\(([^()\s]{1,2000})\)")
_PICTURE = re.compile(r"\.(?:png|jpe?g|gif|webp|svg|avif|bmp)$", re.IGNORECASE)
_SIZE = re.compile(r"(\d{1,4})(?:x\d{1,4})?$")
_COMMENT = re.compile(r"(?<![\w%])%%[^%]{0,5000}%%(?![\w%])")  # "50%% or 60%%" is none
_BLOCK_ID = re.compile(r"[ \t]\^(?=[0-9-]{0,40}[A-Za-z])[A-Za-z0-9-]{4,40}$", re.MULTILINE)
_DEFINED = re.compile(r"^[ \t]{0,3}\[([^\[\]\n]{1,100})\]:", re.MULTILINE)
_HIGHLIGHT = re.compile(r"(?<![=A-Za-z0-9_])==(?=[^\s=])([^=\n]{1,1000})(?<=[^\s=])==(?![=A-Za-z0-9_])")


def obsidian(page: Page) -> Page:
    """Give the page without Obsidian's links, embeds and comments."""
    if "%%" in page.text:
        page = page.sub(_COMMENT, "", info("residue", "A comment between %% was left out."))
    if "![" in page.text and "|" in page.text:
        page = page.sub(_SIZED, lambda m: _image(m[3], m[1], m[2]))
    if "[[" in page.text:
        page = page.sub(_EMBED, _embed, _embed_note)
        page = _links(page)
    if "^" in page.text:
        page = page.sub(_BLOCK_ID, "", info("residue", "A block id of Obsidian was left out."))
    return page


def highlights(page: Page) -> Page:
    """Give `==words==` as marked words."""
    return page.sub(_HIGHLIGHT, lambda match: f"<mark>{match[1]}</mark>") if "==" in page.text else page


def _links(page: Page) -> Page:
    defined = {match[1].lower() for match in _DEFINED.finditer(page.text)}
    note = info("residue", "A wikilink has no address in a mail; its words stay.")
    edits = (
        Edit(match.start(), match.end(), words, note)
        for match in _LINK.finditer(page.text)
        if (words := _words(match)) and match[1].lower() not in defined
    )
    return page.splice(edits)


def _words(match: re.Match[str]) -> str:
    if match[3]:
        return match[3].strip()
    note = match[1].strip().rsplit("/", 1)[-1].removesuffix(".md")
    part = (match[2] or "").lstrip("#^").strip()
    return (
        f"{note}: {part}" if note and part and not (match[2] or "").startswith(("^", "#^")) else note or part
    )


def _embed(match: re.Match[str]) -> str:
    target = match[1].strip()
    if not _PICTURE.search(target):
        return ""
    words = [part.strip() for part in match[2].split("|")[1:]]
    width = next((size[1] for part in words if (size := _SIZE.match(part))), "")
    alt = next((part for part in words if part and not _SIZE.match(part)), "")
    return _image(target, alt, width)


def _embed_note(match: re.Match[str]) -> Note | None:
    if _PICTURE.search(match[1].strip()):
        return None
    return warning("residue", f"The embedded note \u201c{match[1].strip()[:60]}\u201d was dropped.")


def _image(src: str, alt: str, width: str) -> str:
    sized = f' width="{width}"' if width else ""
    return f'<img src="{escape(src.replace(" ", "%20"))}" alt="{escape(alt)}"{sized}>'
