"""Where templates and migrations are: at the top of a checkout, or inside the installed package.

Promises: the same two functions serve both; the checkout wins, so that an edited template is the one in use.
Never: reads a file itself, or looks at the working directory.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    """Give the folder `name` beside the package if that is a checkout, else the one that the wheel carries."""
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    return _PACKAGE / name


def templates_dir() -> Path:
    """Give the folder that holds `email/` and `web/`."""
    return _folder("templates")


def migrations_dir() -> Path:
    """Give the folder of Alembic's `env.py`."""
    return _folder("migrations")
