"""What the kill-test reads in the database while it goes on, beside the program: never through it."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, select

from mailer.database import open_engine, reading
from mailer.delivery import ledger
from mailer.delivery.audience import left_to_plan
from mailer.delivery.states import DeliveryState
from mailer.delivery.tables import deliveries, mailings, workers
from mailer.errors import MailerError


class Ledger:
    """The database of the test. While it does not answer, nothing is known: None."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)

    def done(self) -> bool:
        """Say whether the newest mailing is planned and sent to its end."""
        try:
            with reading(self._engine) as connection:
                newest = connection.execute(select(mailings.c.id).order_by(mailings.c.id.desc())).scalar()
                if newest is None or left_to_plan(connection, newest) is not None:
                    return False
                return not ledger.counts(connection, newest).unsettled
        except MailerError:
            return False  # it is being restarted

    def alive(self, pid: int) -> bool | None:
        """Say whether a process counts as a worker that lives; None if nothing is known."""
        mine = select(workers.c.epoch).where(workers.c.pid == pid, workers.c.ended_at.is_(None))
        try:
            with reading(self._engine) as connection:
                return connection.execute(mine.limit(1)).first() is not None
        except MailerError:
            return None

    def doubts(self) -> Counter[int]:
        """Give how many are uncertain of those that each process had in its hands."""
        rows = (
            select(workers.c.pid, func.count())
            .join(deliveries, deliveries.c.epoch == workers.c.epoch)
            .where(deliveries.c.state == DeliveryState.UNCERTAIN)
            .group_by(workers.c.pid)
        )
        with reading(self._engine) as connection:
            return Counter({row[0]: row[1] for row in connection.execute(rows)})

    def close(self) -> None:
        """Close its connections."""
        self._engine.dispose()
