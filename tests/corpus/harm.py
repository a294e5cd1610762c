"""What must never be found in an edition, whatever it was made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.corpus.active import active_content, misplaced_slots
from tests.corpus.rules import filled

if TYPE_CHECKING:
    from mailer.edition.model import Edition


def harm(edition: Edition) -> list[str]:
    """Give what is active in the HTML, and what must not be in subject and text."""
    faults = active_content(filled(edition.html))
    subject = filled(edition.subject)
    faults += [f"the subject holds {subject!r}"] if re.search(r"[\r\n\0]", subject) else []
    return faults + misplaced_slots(edition)
