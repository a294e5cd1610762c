"""A mailing: the sending of one issue. Opening it freezes the edition; extending it adds readers, never repeats one.

Promises: an issue's identity is (list, number or slug) and is fixed at the first send: a file that no longer agrees
with what went out under its name is refused, never guessed about. Each verb runs in the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import Select, func, insert, or_, select, update

from mailer.delivery.states import MAILING_MOVES, MailingState
from mailer.delivery.tables import audiences, editions, mailings
from mailer.edition import Edition
from mailer.errors import Problem, UserError

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Connection, Row

    from mailer.delivery.waves import Waves

_m = mailings.c
_OPENING: Final = 0x6F70656E  # one process opens mailings at a time on PostgreSQL; the number is ours alone


@dataclass(frozen=True, slots=True)
class Mailing:
    """One row of `mailings`."""

    id: int
    name: str
    list_key: str
    number: int | None
    slug: str
    again: str
    subject: str
    state: MailingState
    reason: str
    edition_id: int
    created_at: datetime
    changed_at: datetime
    finished_at: datetime | None
    key_id: int | None = None  # the key that makes its tokens; None before its first message


def hold(connection: Connection, mailing_id: int) -> Mailing:
    """Give the mailing as it is, and let nobody plan, extend, move or close it before the transaction ends.

    Whoever is doing so is waited for, and what they did is seen by the next statement. Deliveries that the transaction
    changes come before it: so does whoever claims the first of a mailing, and whoever hears of a bounce.
    """
    return _mailing(connection.execute(select(mailings).where(_m.id == mailing_id).with_for_update()).one())


def attend(connection: Connection, mailing_id: int) -> MailingState:
    """Give its state, and let nobody who calls `hold` pass by what the transaction plans."""
    ours = select(_m.state).where(_m.id == mailing_id)
    return MailingState(connection.execute(ours.with_for_update(read=True, key_share=True)).scalar_one())


def name_of(list_key: str, number: int | None, slug: str, again: str = "") -> str:
    """Give `72.main`, or `72.main.AGAIN`: what people type."""
    return ".".join(part for part in (str(number) if number is not None else slug, list_key, again) if part)


def plain_subject(edition: Edition) -> str:
    """Give the subject as text, each slot as its default or its name in braces."""
    return "".join(
        part if isinstance(part, str) else part.default or f"{{{part.name}}}" for part in edition.subject
    )


def get(connection: Connection, mailing_id: int) -> Mailing:
    """Give the mailing with this id; it must exist."""
    return _mailing(connection.execute(select(mailings).where(_m.id == mailing_id)).one())


def named(connection: Connection, name: str) -> Mailing | None:
    """Give the mailing that people call `name`, or None."""
    row = connection.execute(select(mailings).where(_m.name == name)).first()
    return _mailing(row) if row else None


def every(connection: Connection, *states: MailingState) -> list[Mailing]:
    """Give all mailings, or those in `states`, oldest first."""
    query = select(mailings).order_by(_m.id)
    if states:
        query = query.where(_m.state.in_(states))
    return [_mailing(row) for row in connection.execute(query)]


def of_issue(
    connection: Connection, list_key: str, number: int | None, slug: str, again: str = ""
) -> Mailing | None:
    """Give the mailing of an issue, or None; raises UserError where number and slug name different ones."""
    same = _m.slug == slug if number is None else or_(_m.slug == slug, _m.number == number)
    rows = connection.execute(select(mailings).where(_m.list_key == list_key, _m.again == again, same)).all()
    for row in rows:
        if row.slug != slug or row.number != number:
            raise UserError(
                Problem(
                    f"this file is number {number}, slug {slug!r}; but {row.name} went out as number {row.number}, "
                    f"slug {row.slug!r}: give the file back its number and slug, or choose others"
                )
            )
    return _mailing(rows[0]) if rows else None


def agree(mailing: Mailing, edition: Edition) -> None:
    """Raise UserError when the file's subject is no longer the one that went out."""
    subject = plain_subject(edition)
    if subject != mailing.subject:
        raise UserError(
            Problem(
                f"{mailing.name} went out as {mailing.subject!r}, and the file now says {subject!r}: "
                f"if it is a correction, `mailer resume {mailing.name} --amend` brings it to those who wait",
                file=edition.file,
            )
        )


def opening(connection: Connection) -> None:
    """Let nobody else open a mailing before the transaction ends, and see those that were. Ask `of_issue` behind it."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_OPENING)))


def open_mailing(
    connection: Connection, edition: Edition, list_key: str, now: datetime, again: str = ""
) -> Mailing:
    """Make the mailing, running and without readers. The caller freezes its edition and extends it."""
    row = {
        "name": name_of(list_key, edition.number, edition.slug, again),
        "list_key": list_key,
        "number": edition.number,
        "slug": edition.slug,
        "again": again,
        "subject": plain_subject(edition),
        "state": MailingState.RUNNING,
        "created_at": now,
        "changed_at": now,
    }
    made = connection.execute(insert(mailings).values(**row).returning(_m.id))
    return get(connection, made.scalar_one())


def freeze(
    connection: Connection,
    mailing_id: int,
    edition: Edition,
    commit: str | None,
    now: datetime,
    *,
    committed: bool,
) -> int:
    """Keep the edition for good and make it what new readers of the mailing get; the same content is kept once."""
    e = editions.c
    same = (e.mailing_id == mailing_id, e.content_hash == edition.content_hash)
    edition_id: int | None = connection.execute(select(e.id).where(*same)).scalar()
    if edition_id is None:
        row = {
            "mailing_id": mailing_id,
            "content_hash": edition.content_hash,
            "document": edition.to_json(),
            "file": edition.file,
            "commit_hash": commit,
            "committed": committed,
            "created_at": now,
        }
        edition_id = connection.execute(insert(editions).values(**row).returning(e.id)).scalar_one()
    values = {"edition_id": edition_id, "subject": plain_subject(edition)}
    connection.execute(update(mailings).where(_m.id == mailing_id).values(**values))
    return edition_id


def edition(connection: Connection, edition_id: int) -> Edition:
    """Give a frozen edition."""
    document = connection.execute(select(editions.c.document).where(editions.c.id == edition_id)).scalar_one()
    return Edition.from_json(document)


def pin_key(connection: Connection, mailing_id: int, newest: int) -> int:
    """Give the id of the key that makes the mailing's tokens: its first message's, else `newest` from now on."""
    unset = (_m.id == mailing_id, _m.key_id.is_(None))
    connection.execute(update(mailings).where(*unset).values(key_id=newest))
    pinned: int = connection.execute(select(_m.key_id).where(_m.id == mailing_id)).scalar_one()
    return pinned


def move(
    connection: Connection, mailing_id: int, target: MailingState, now: datetime, reason: str = ""
) -> bool:
    """Move a mailing if its state allows it; false if it does not, or is there already."""
    allowed = [state for state in MailingState if target in MAILING_MOVES[state]]
    values: dict[str, object] = {"state": target, "reason": reason, "changed_at": now}
    if target is MailingState.FINISHED:
        values["finished_at"] = now
    condition = (_m.id == mailing_id, _m.state.in_(allowed))
    return bool(connection.execute(update(mailings).where(*condition).values(**values)).rowcount)


def extend(  # noqa: PLR0913 - each is a column of the audience
    connection: Connection,
    mailing_id: int,
    readers: Select[Any],
    *,
    list_id: int,
    now: datetime,
    segment: str = "",
    condition: str = "",
    first: int | None = None,
    not_before: datetime | None = None,
    waves: Waves | None = None,
) -> None:
    """Give a mailing an audience, still to be planned. Who joins after this moment is a new reader, not in it.

    `first` draws so many at random; `not_before` holds the planning back; `waves` gives each zone its due time.
    `condition` is the segment's text, frozen: editing segments.toml changes nobody of a mailing that began.
    """
    newest = readers.order_by(None).order_by(readers.selected_columns.subscriber_id.desc()).limit(1)
    last = connection.execute(newest).first()
    row = {
        "mailing_id": mailing_id,
        "list_id": list_id,
        "segment": segment,
        "condition": condition,
        "first": first,
        "not_before": not_before,
        "waves": waves.to_json() if waves else None,
        "ceiling": last.subscriber_id if last else 0,
        "done": last is None,
        "created_at": now,
    }
    connection.execute(insert(audiences).values(**row))


def _mailing(row: Row[Any]) -> Mailing:
    return Mailing(**{**row._asdict(), "state": MailingState(row.state)})
