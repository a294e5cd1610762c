"""What the subscribers refuse, and why.

SubscribersError
├── InvalidAddress     it is no mail address
├── UnknownSubscriber  nobody has that id or address
├── UnknownList        no list has that key
├── AddressTaken       somebody else has it
├── WillNotRevive      the person left, complained, is dead or blocked: nobody but they may undo that
└── BadFile            a file that cannot be imported at all
"""

from __future__ import annotations


class SubscribersError(ValueError):
    """The root. Its text is a sentence for the operator."""


class InvalidAddress(SubscribersError):  # noqa: N818 - it names what was found, as do the others
    """It is no mail address."""

    def __init__(self, email: str, why: str) -> None:
        super().__init__(f"{email!r} is not a mail address: {why}")
        self.email = email
        self.why = why


class UnknownSubscriber(SubscribersError):  # noqa: N818
    """Nobody has that id or address."""


class UnknownList(SubscribersError):  # noqa: N818
    """No list has that key."""


class AddressTaken(SubscribersError):  # noqa: N818
    """The address belongs to somebody else."""


class WillNotRevive(SubscribersError):  # noqa: N818
    """The person left, complained, is dead or blocked; `reason` says which."""

    def __init__(self, email: str, reason: str) -> None:
        super().__init__(f"{email} is not added: {reason}")
        self.email = email
        self.reason = reason


class BadFile(SubscribersError):  # noqa: N818
    """The file cannot be imported at all; nothing was done. `line` counts from 1, where one is to blame."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line
