"""What went out: the mailings of this newsletter by list, number and slug, in one query; none where no database is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailer.cli.workplace import Workplace
    from mailer.delivery.mailing import Mailing
    from mailer.issue.find import Found


class Gone:
    """The mailings, found by issue."""

    def __init__(self, mailings: Iterable[Mailing] = ()) -> None:
        self._by_name: dict[tuple[str, int | str], list[Mailing]] = {}
        for one in mailings:
            for name in (one.slug, one.number):
                if name is not None:
                    self._by_name.setdefault((one.list_key, name), []).append(one)

    def of(self, list_key: str, issue: Found) -> list[Mailing]:
        """Give the mailings of an issue of a list, oldest first."""
        names = (issue.slug, issue.number)
        found = {
            one.id: one
            for name in names
            if name is not None
            for one in self._by_name.get((list_key, name), ())
        }
        return [found[key] for key in sorted(found)]


def gone_out(place: Workplace) -> Gone:
    """Give what went out."""
    from mailer.database import reading  # noqa: PLC0415 - SQLAlchemy costs 150 ms
    from mailer.delivery import mailing  # noqa: PLC0415

    if not place.has_database:
        return Gone()
    with reading(place.engine) as connection:
        return Gone(mailing.every(connection))
