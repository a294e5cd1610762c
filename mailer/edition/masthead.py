"""The masthead of a list's editions, as mailer.toml describes the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.edition.model import Masthead

if TYPE_CHECKING:
    from mailer.settings import ListSettings


def masthead_for(settings: ListSettings) -> Masthead:
    """Give what an edition needs to know of its list; templates are named only where the folder has any."""
    return Masthead(
        list_key=settings.key,
        list_name=settings.name,
        sender_name=settings.sender.name,
        language=settings.language,
        time_zone=settings.time_zone,
        base_url=settings.base_url,
        permalink=settings.permalink,
        public_url=settings.public_url,
        postal_address=settings.postal_address,
        why=settings.why,
        theme=settings.theme,
        templates=settings.templates if settings.templates.is_dir() else None,
        folder=settings.folder,
    )
