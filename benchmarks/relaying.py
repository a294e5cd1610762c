"""What a relay of one's own takes: `mailer send` through Debian's Postfix, with the files of examples/relays/postfix.

Postfix gives what it takes to smtp-sink, as quickly as it can. Its queue is on the disk of the temporary folder, and
each message is brought to that disk before its 250; so this is a measure of the disk as well.
"""

from __future__ import annotations

import os
import sys
import time

from benchmarks import newsroom
from benchmarks.process import CHECKOUT, sink
from benchmarks.table import Wanted, alone, figure, heading, print_table, progress

sys.path.insert(0, str(CHECKOUT))  # the tests' Postfix

from benchmarks.table import Options
from tests.relays.postfix import Postfix, relaying

CONNECTIONS = (20, 80)


def measure(options: Options) -> list[Wanted]:
    count = 2_000 if options.quick else 10_000
    heading(f"A relay of one's own: Postfix, {count:,} messages of 40 KB")
    if os.geteuid():
        print("left out: Postfix starts as root alone\n")
        return []
    rows = []
    for connections in CONNECTIONS:
        progress(f"mailer send through Postfix, {connections} connections")
        taken, sent = _through(count, connections)
        rows.append(
            (f"{connections} connections", figure(taken), figure(connections / taken * 1e3), figure(sent))
        )
    print_table(("", "taken a second", "ms an answer", "sent on a second"), rows)
    return []


def _through(count: int, connections: int) -> tuple[float, float]:
    """Give how many messages a second Postfix took, and how many it had sent on, from the first to the last."""
    with (
        sink() as far,
        relaying({"*": f"smtp:[127.0.0.1]:{far}"}) as postfix,
        newsroom.newsroom(count) as room,
    ):
        began = time.monotonic()
        sent = newsroom.send(room, postfix.port, connections=connections)
        while _gone(postfix) < count:
            time.sleep(0.2)
        return sent.rate, count / (time.monotonic() - began - sent.first)


def _gone(postfix: Postfix) -> int:
    return postfix.log.count("status=sent")


if __name__ == "__main__":
    alone(measure)
