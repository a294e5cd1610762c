"""The ground for the pages in another ASGI server: the newsletter around the working folder, and the environment."""

from __future__ import annotations

import os
from pathlib import Path

from mailer.database import open_newsletter
from mailer.delivery.ground import Ground
from mailer.keys import load_keys
from mailer.message.dkim import load_signers
from mailer.settings import find_folder, load_settings


def ground_here() -> Ground:
    """Give what the pages need; they send nothing themselves, so no relay is among it. Raises UserError."""
    settings = load_settings(find_folder(Path.cwd()), os.environ)
    keys = load_keys(settings.secret_file, settings.secret)
    database = open_newsletter(settings.database, settings.id)
    return Ground(settings, keys, database, (), load_signers(settings.state / "dkim"))
