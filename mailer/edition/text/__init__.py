"""The plain-text part of an edition, made from the content tree that the HTML is made of.

The title and the sections are underlined, sub-heads marked; links are numbered and listed at the end of their
section, short ones stand in the text; tables are aligned where they fit; code is never wrapped. Lines are at
most 76 columns wide, except where a URL, a word or a line of code is wider. It promises that no word of the
content is lost and that no URL or slot token is broken, and takes time linear in the tree. The lines are what
a reader sees: transfer encodings and format=flowed (RFC 3676) are the message room's affair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.edition.text.blocks import Blocks
from mailer.edition.text.frame import LABELS, WIDTH, TextFrame, closing, opening
from mailer.edition.text.measure import Measure

if TYPE_CHECKING:
    from lxml.html import HtmlElement

__all__ = ["TextFrame", "render_text"]


def render_text(content: HtmlElement, frame: TextFrame) -> str:
    r"""Give the text part: lines that end in "\n", without trailing spaces but for `-- ` and flowed prose.

    `content` is the finished content tree (a `div`); it is not changed.
    """
    measure = Measure(frame.token_widths)
    labels = {key: frame.label(key) for key in LABELS}
    body = Blocks(measure, labels, flowed=frame.flowed).page(content, WIDTH)
    blocks = [*opening(frame, measure), body, closing(frame, measure)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"
