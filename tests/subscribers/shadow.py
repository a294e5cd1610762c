"""Who left, and what they said of their own since: our own notebook, kept beside the program and never asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Request:
    """A letter that asks a mailbox: whom, where, for which lists, until when, and whether it still may be answered."""

    person: int
    email: str
    lists: tuple[str, ...]
    until: datetime
    open: bool = True


@dataclass
class Shadow:
    """Who must not be mailed until somebody says so.

    By mailbox: `gone` are (address, list) that left; `barred` are dead, erased, left behind or complained, whatever
    the list, and `final` are those of them that no file may bring back; `angry` are (address, brand) that complained;
    `blocked` are shut out by the operator; `carried` is what each import alone said. By person: `asked` are (person,
    list) with a request since they left; `left` is when they left a list that they read; `resting` is until when they
    pause.
    """

    brands: Mapping[str, str]
    gone: set[tuple[str, str]] = field(default_factory=set)
    barred: set[str] = field(default_factory=set)
    final: set[str] = field(default_factory=set)
    angry: set[tuple[str, str]] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)
    carried: dict[int, set[tuple[str, str]]] = field(default_factory=dict)
    requests: dict[int, Request] = field(default_factory=dict)
    asked: set[tuple[int, str]] = field(default_factory=set)
    left: dict[tuple[int, str], datetime] = field(default_factory=dict)
    resting: dict[tuple[int, str], datetime | None] = field(default_factory=dict)

    def forbids(self, person: int, email: str, key: str, now: datetime) -> bool:
        """Whether mail of a list to somebody would be against their word, or the operator's."""
        until = self.resting.get((person, key), now)
        return (
            (email, key) in self.gone
            or (email, self.brands[key]) in self.angry
            or email in self.barred | self.blocked
            or until is None
            or until > now
        )

    def shuts(self, email: str, key: str, *, revive: bool) -> bool:
        """Whether a file may not make a reader of a list of whoever has this address."""
        if revive:
            return email in self.final | self.blocked
        said = (email, key) in self.gone or (email, self.brands[key]) in self.angry
        return said or email in self.barred | self.blocked

    def leave(self, email: str, keys: Iterable[str]) -> None:
        """Somebody left by themselves: no undoing of an import changes that."""
        words = {(email, key) for key in keys}
        self.gone |= words
        for said in self.carried.values():
            said.difference_update(words)

    def return_(self, email: str, keys: Iterable[str]) -> None:
        """Somebody is a reader of these lists again, by a word that was recorded."""
        self.gone -= {(email, key) for key in keys}
        self.angry -= {(email, self.brands[key]) for key in keys}
        self.barred.discard(email)
        self.final.discard(email)

    def ask(self, request_id: int, request: Request) -> None:
        """A request was made in somebody's name. To leave before and to ask anew is no leaving to be taken back."""
        self.requests.setdefault(request_id, request)
        words = {(request.person, key) for key in request.lists}
        self.asked |= words
        self.still(words)

    def still(self, words: Iterable[tuple[int, str]]) -> None:
        """What they left can no more be taken back."""
        for each in words:
            self.left.pop(each, None)

    def may_confirm(self, request_id: int, reads: Iterable[str], now: datetime) -> set[str]:
        """Give what an answer to a request may make them read: nothing that they left since."""
        one = self.requests[request_id]
        if not one.open or now >= one.until or one.email in self.blocked:
            return set()
        return {key for key in one.lists if (one.person, key) in self.asked or key in reads}

    def confirm(self, request_id: int, keys: Iterable[str]) -> None:
        """The mailbox answered."""
        one = self.requests[request_id]
        self.requests[request_id] = replace(one, open=False)
        words = {(one.person, key) for key in keys}
        self.asked -= words
        self.wake(words)
        self.return_(one.email, keys)

    def wake(self, words: Iterable[tuple[int, str]]) -> None:
        """A pause is over."""
        for each in words:
            self.resting.pop(each, None)

    def unsubscribe(
        self, person: int, email: str, keys: Iterable[str], reads: set[str], now: datetime
    ) -> None:
        """They left lists, some of which they read until now."""
        words = {(person, key) for key in keys}
        self.leave(email, keys)
        self.asked -= words
        self.still(words)
        self.wake(words)
        self.left |= {(person, key): now for key in reads & set(keys)}

    def may_take_back(self, person: int, email: str, now: datetime) -> set[str]:
        """Give what they left so lately that they may take it back."""
        if email in self.barred | self.blocked:
            return set()
        late = {key for (who, key), at in self.left.items() if who == person and now - at < DAY}
        return {key for key in late if (email, self.brands[key]) not in self.angry}

    def take_back(self, person: int, email: str, keys: Iterable[str]) -> None:
        """They took a leaving back."""
        self.gone -= {(email, key) for key in keys}
        self.still({(person, key) for key in keys})

    def end(self, person: int) -> None:
        """They are erased, or never were: no link of theirs does anything any more."""
        self.void(person)
        theirs = {each for each in (*self.asked, *self.left, *self.resting) if each[0] == person}
        self.asked -= theirs
        self.still(theirs)
        self.wake(theirs)

    def void(self, person: int) -> None:
        """No letter to the mailbox that they had may be answered any more."""
        for number, one in self.requests.items():
            if one.person == person:
                self.requests[number] = replace(one, open=False)

    def move(self, person: int, email: str, other: str, reads: set[str], *, dead: bool) -> None:
        """Somebody's mail goes to another mailbox, which answered: what held for them holds there.

        What its owner had left before, they have left still, unless it is what they read now. The old mailbox gets
        nothing any more.
        """
        self.void(person)
        self.gone -= {(other, key) for key in reads}
        self.leave(other, [key for key in self.brands if (email, key) in self.gone])
        self.angry -= {(other, self.brands[key]) for key in reads}
        self.angry |= {(other, brand) for who, brand in self.angry if who == email}
        self.barred.discard(other)
        self.final.discard(other)
        if email in self.barred and not dead:
            self.barred.add(other)
        self.barred.add(email)
        self.final.add(email)
        if email in self.blocked:
            self.blocked.add(other)

    def file(self, import_id: int, said: set[tuple[str, str]]) -> None:
        """Another tool's export says that these left."""
        self.carried[import_id] = said - self.gone
        self.gone |= said

    def undo(self, import_id: int) -> None:
        """What an import alone said, its undoing takes back; nothing else comes back."""
        others = set().union(*(said for each, said in self.carried.items() if each != import_id))
        self.gone -= self.carried.pop(import_id, set()) - others
