"""Sums for Prometheus, read from the database, where every process writes down what it does.

Promises: labels are bounded (the newest mailings, the largest domains, receivers and hooks of mailer.toml) and name no
reader; what takes a look at every row of a mailing is read at most once in half a minute. Sums that go down when an old
mailing leaves the view are gauges, and are named so: the ledger is the record, this is the dial.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from mailer.database import reading
from mailer.errors import MailerError
from mailer.web.monitor import sums

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import Metric

    from mailer.delivery.ground import Ground

FRESH: Final = 30.0  # seconds that a look at the sums is good for


class Sums(Collector):
    """What one scrape gives."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._lock = threading.Lock()
        self._known: list[Metric] = []
        self._read_at = -FRESH

    def collect(self) -> Iterable[Metric]:
        """Give the sums, read anew if they are half a minute old; `mailer_up` is 0 where they cannot be read."""
        with self._lock:
            up = 1.0
            if time.monotonic() - self._read_at >= FRESH:
                try:
                    self._known = self._read()
                    self._read_at = time.monotonic()
                except MailerError:
                    self._known, up = [], 0.0
            yield GaugeMetricFamily("mailer_up", "Whether the database could be read.", up)
            yield from self._known

    def _read(self) -> list[Metric]:
        now = self._ground.clock()
        with reading(self._ground.database) as connection:
            return [_metric(one) for one in sums.every(connection, self._ground.settings, now)]


def _metric(one: sums.Sum) -> Metric:
    made = GaugeMetricFamily(one.name, one.about, labels=one.labels)
    for labels, value in one.values.items():
        made.add_metric(labels, value)
    return made
