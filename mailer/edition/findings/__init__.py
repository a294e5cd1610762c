"""What is wrong, or may be, with an edition: on the content tree, and on the finished mail.

Promises: decided offline, one finding a cause, with the line of the source where the tree knows it. Levels: an error
would embarrass the author or lose readers for certain; a warning may; the rest is worth knowing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.edition.findings.links import check_links
from mailer.edition.findings.mail import check_edition
from mailer.edition.findings.structure import check_structure
from mailer.edition.findings.wording import check_wording

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from mailer.edition.report import Report

__all__ = ["check_edition", "check_tree"]


def check_tree(root: HtmlElement, report: Report) -> None:
    """Look at everything that the finished content tree decides."""
    check_links(root, report)
    check_structure(root, report)
    check_wording(root, report)
