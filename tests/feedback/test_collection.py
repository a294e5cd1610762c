"""A folder of real mails, where there is one: MAILER_BOUNCES names it. None is copied here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailer.feedback.model import Kind
from mailer.feedback.reading import read

FOLDER = os.environ.get("MAILER_BOUNCES")
FILES = sorted(Path(FOLDER).rglob("*.eml")) if FOLDER else []


def test_the_folder_holds_mails():
    """A MAILER_BOUNCES without mails in it is a mistake, not a success."""
    assert bool(FILES) or FOLDER is None


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_real_mail_is_read_and_every_cut_of_it(file: Path):
    """D21: whole, and cut off at every hundredth octet, it is read and nothing raises."""
    raw = file.read_bytes()
    assert read(raw).kind in Kind
    for end in range(0, len(raw), 100):
        assert read(raw[:end]).kind in Kind
