"""Which addresses are ours: the return paths and unsubscribe mailboxes of the lists, with a genuine token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.keys import Purpose

if TYPE_CHECKING:
    from mailer.keys import Keys
    from mailer.settings import Settings


class Ours:
    """Knows the addresses of one newsletter."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        lists = settings.lists.values()
        self._keys = keys
        self._purposes = {one.return_path.lower(): Purpose.RETURN_PATH for one in lists if one.return_path}
        leaving = [one.unsubscribe_mailto.lower() for one in lists if one.unsubscribe_mailto]
        self._leaving = frozenset(leaving)

    def is_one(self, address: str) -> bool:
        """Say whether mail to an address is taken: with a token that we made, or the bare return path.

        The bare one is where letters come back to. Case does not matter (V01).
        """
        local, _, domain = address.lower().rpartition("@")
        name, plus, token = local.partition("+")
        if not plus:
            return address.lower() in self._purposes
        bare = f"{name}@{domain}"
        purposes = [self._purposes[bare]] if bare in self._purposes else []
        purposes += [Purpose.UNSUBSCRIBE] if bare in self._leaving else []
        return any(self._keys.read_mail_token(purpose, token) for purpose in purposes)
