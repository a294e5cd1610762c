"""What each stage of a message costs: microseconds of CPU, measured one after the other in this one process.

Prints the table of docs/scale.md, and the two values that demand.py reckons with. A commit is paid once a group: what a
move costs and what a commit costs come from groups of two sizes.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from benchmarks import costing, newsroom, stock
from benchmarks.costing import FEW, GROUP, LANES, MANY
from benchmarks.demand import MICRO, Costs
from benchmarks.process import sink
from benchmarks.table import Wanted, alone, figure, heading, print_table, progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.costing import Spent
    from benchmarks.table import Options

KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def measure(options: Options) -> list[Wanted]:
    """Measure, print the table and the values, and give what is wanted."""
    count = 4_000 if options.quick else 40_000
    heading(f"What each stage costs: {count:,} messages of 40 KB, groups of {GROUP}")
    of = stock.edition()
    made, talked, written = (
        costing.making(of, count // 4),
        costing.talking(of, count),
        costing.journalling(count),
    )
    moved = {kind: costing.moving(kind, count, of) for kind in KINDS}
    whole = _whole(count)
    print_table(
        ("stage", "µs of CPU a message", "and of PostgreSQL"),
        list(_rows(made, talked, written, moved, whole)),
    )
    log = moved["postgresql"]["many"]
    print(f"PostgreSQL's log in groups of {MANY}: {figure(log.octets / log.messages)} octets a message\n")
    values = _values(made, talked, written, moved, whole)
    for name, costs in values.items():
        print(f"{name} = {_shown(costs)}")
    print()
    return [
        Wanted(
            "the stages of an unsigned message on SQLite",
            values["SQLITE"].interpreter / MICRO,
            "<=",
            130,
            "µs",
        )
    ]


def _whole(count: int) -> float:
    """Give the microseconds that one more message costs the whole of `mailer send`: two sends of different length."""
    cpu = []
    with sink() as port:
        for readers in (count // 2, 2 * count):
            progress(f"mailer send to {readers:,}")
            with newsroom.newsroom(readers) as room:
                cpu.append((readers, newsroom.send(room, port, connections=LANES).ran.cpu))
    (few, less), (many, more) = cpu
    return (more - less) / (many - few) / MICRO


def _rows(
    made: dict[str, float], talked: float, written: float, moved: dict[str, dict[str, Spent]], whole: float
) -> Iterator[tuple[str, str, str]]:
    both = list(moved.items())
    for kind, spent in both:
        yield _row(f"plan a row, {KINDS[kind]}", spent["plan"])
    for kind, spent in both:
        yield _row(f"claim, and read the reader, {KINDS[kind]}", spent["claim"])
    yield "make a message, unsigned", figure(made["unsigned"]), ""
    for name in ("RSA-2048", "Ed25519", "both"):
        yield f"sign it, {name}", figure(made[name] - made["unsigned"]), ""
    yield "exchange it (40 KB, pipelined, with smtp-sink)", figure(talked), ""
    yield "write it to the journal, twice", figure(written), ""
    for kind, spent in both:
        move, commit = _apart(spent, "each")
        server = _apart(spent, "each_server")
        words = figure(move + commit / GROUP), figure(server[0] + server[1] / GROUP) if server[0] else ""
        yield f"fence and outcome, {KINDS[kind]}, {GROUP} to a commit", *words
    for kind, spent in both:
        yield _row(
            f"the recorder with {LANES} connections: journal, fence, outcome, {KINDS[kind]}",
            spent["recorder"],
        )
    yield "`mailer send` on SQLite, unsigned, each further message", figure(whole), ""


def _row(name: str, spent: Spent) -> tuple[str, str, str]:
    return name, figure(spent.each), figure(spent.each_server) if spent.server else ""


def _apart(spent: dict[str, Spent], which: str) -> tuple[float, float]:
    """Give what a move costs and what a commit, from two sizes of groups."""
    few, many = getattr(spent["few"], which), getattr(spent["many"], which)
    commit = max(0.0, (few - many) / (1 / FEW - 1 / MANY))
    return max(0.0, many - commit / MANY), commit


def _values(
    made: dict[str, float], talked: float, written: float, moved: dict[str, dict[str, Spent]], whole: float
) -> dict[str, Costs]:
    """Give the two values of demand.py. What the whole program costs beyond the stages is told from the send."""
    sign = made["both"] - made["unsigned"]
    found, rest = {}, 0.0
    for kind, name in (("sqlite", "SQLITE"), ("postgresql", "MEASURED")):
        spent = moved[kind]
        plan, claim = spent["plan"], spent["claim"]
        (move, commit), (server_move, server_commit) = _apart(spent, "each"), _apart(spent, "each_server")
        few = spent["few"]
        waited = (few.clock - few.here - few.server) / (few.messages / FEW) / MICRO
        if kind == "sqlite":
            stages = plan.each + claim.each + made["unsigned"] + talked + written + move + commit / GROUP
            rest = max(0.0, whole - stages)
        found[name] = Costs(
            plan.each, claim.each, made["unsigned"], sign, talked, written, move, commit, rest,
            plan.each_server + claim.each_server, server_move, server_commit, max(0.0, waited),
        )  # fmt: skip
    return found


_GIVEN = frozenset({"gather", "patience", "enough"})  # the recorder's own, and not measured


def _shown(costs: Costs) -> str:
    words = [
        f"{each.name}={getattr(costs, each.name):.0f}" for each in fields(costs) if each.name not in _GIVEN
    ]
    return f"Costs({', '.join(words)})"


if __name__ == "__main__":
    alone(measure)
