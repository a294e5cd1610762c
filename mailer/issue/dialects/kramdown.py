r"""kramdown's and Pandoc's additions: attribute lists, options, comments, the table of contents.

`{: .class}` and `{#id}` style a web page and go, but for a picture's width and a button; `{:toc}` and `[TOC]` go with
the list item they stand in. Footnotes, definition lists and `\|` are understood by the edition as they are.
Abbreviations go.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from mailer.issue.page import Edit, enclosed, info

if TYPE_CHECKING:
    from mailer.issue.page import Page

_TOC_ITEM = re.compile(
    r"^[ \t]{0,3}(?:[-*+]|\d+[.)])[ \t]+[^\n]{0,80}\n[ \t]*\{:[ \t]*toc\b[^{}\n]{0,100}\}[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_TOC = re.compile(
    r"^[ \t]*(?:\[\[?_?toc_?\]?\]|\{\{TOC(?::[\d-]+)?\}\}|\$\{toc\}|@\[toc\](?:\([^()\n]*\))?)[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_EXTENSION = re.compile(
    r"\{::(?:options|nomarkdown|comment)?\b[^{}\n]{0,300}/\}[ \t]*"
    r"|\{:/?:?/?(?:nomarkdown|comment|options)?\}|\{::nomarkdown\}"
)
_COMMENT, _END_COMMENT = re.compile(r"\{::comment\}"), re.compile(r"\{:/(?:comment)?\}")
_IAL = re.compile(r"[ \t]?\{:(?=[\s.#:\w-])[^{}\n]{0,500}\}")
# Of a picture the declared width is kept, of a link that it is a button; `{: …}` is kramdown's, `{…}` Pandoc's.
_PICTURE = re.compile(
    r"!\[([^\[\]\n]{0,500})\]\(([^()\s]{1,2000})(?:[ \t]+\"([^\"\n]{0,300})\")?\)[ \t]?\{:?(?=[\s.#\w-])"
    r"[^{}\n]{0,300}?\bwidth=[\"']?(\d{1,4}(?:px|%)?)[^{}\n]{0,300}\}"
)
_BUTTON = re.compile(
    r"(?<!!)\[([^\[\]\n]{1,300})\]\(([^()\s]{1,2000})(?:[ \t]+\"[^\"\n]{0,300}\")?\)"
    r"[ \t]?\n?\{:?(?=[\s.#\w-])[^{}\n]{0,300}?\.(?:btn|button|cta)(?![a-z0-9])[^{}\n]{0,300}\}"
)
_PANDOC = re.compile(
    r"(?<=[^\s\\])[ \t]*\{(?:[.#][\w:.-]{1,80}|-)(?:[ \t]+[^{}\n]{0,300})?\}(?=[ \t]*$|[\s.,;:!?)])",
    re.MULTILINE,
)
_EOB = re.compile(r"^\^[ \t]*$", re.MULTILINE)
_ABBREVIATION = re.compile(r"^\*\[[^\]\n]{1,60}\]:[^\n]*$", re.MULTILINE)
_NOTE = info("kramdown", "An attribute list was taken off: it styles a web page, not a mail.")
_TOC_NOTE = info("residue", "A table of contents was dropped: links inside a mail do not work everywhere.")


def kramdown(page: Page) -> Page:
    """Give the page without attribute lists, options and tables of contents."""
    text = page.text
    if "{:" in text:
        page = page.splice(Edit(o.start(), c.end(), "") for o, c in enclosed(text, _COMMENT, _END_COMMENT))
        page = page.sub(_TOC_ITEM, "", _TOC_NOTE)
        page = page.sub(_EXTENSION, "", info("kramdown", "Options of kramdown were taken off."))
    if "{" in text and "](" in text:
        page = page.sub(_PICTURE, _picture).sub(_BUTTON, _button)
    if "{:" in text:
        page = page.sub(_IAL, "", _NOTE)
    if "{#" in text or "{." in text or "{-}" in text:
        page = page.sub(_PANDOC, "", _NOTE)
    if "toc" in text or "TOC" in text:
        page = page.sub(_TOC, "", _TOC_NOTE)
    if "\n*[" in text:
        page = page.sub(_ABBREVIATION, "", info("kramdown", "An abbreviation's explanation was dropped."))
    return page.sub(_EOB, "") if "\n^" in text else page


def _picture(match: re.Match[str]) -> str:
    title = f' title="{escape(match[3])}"' if match[3] else ""
    return f'<img src="{escape(match[2])}" alt="{escape(match[1])}"{title} width="{match[4]}">'


def _button(match: re.Match[str]) -> str:
    return f'<a class="button" href="{escape(match[2])}">{match[1]}</a>'
