"""Three months of a newsletter, as four policies would have it: who loses living readers, and who keeps dead ones.

100,000 readers, 13 weekly issues. What happens to each address is drawn once, with a fixed seed, and every policy sees
the same reports; a policy is a pure function of what a server said. Ours is `mailer.feedback.policy.decide` itself.
The others are written from their defaults, with the sources beside them; none of their code stands here. What happens
to the addresses stands in mailboxes.py.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.mailboxes import WEEKS, lives, weather
from mailer.feedback.model import Kind, Notice, Permanence
from mailer.feedback.policy import Day, Effect, Standing, cause_of, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.mailboxes import Life, Said
    from benchmarks.table import Options, Wanted

READERS: Final = 100_000
BEGIN: Final = datetime(2026, 1, 6, 9, 0, tzinfo=UTC)
FIGURE: Final = Path(__file__).parents[1] / "docs" / "bounces.svg"


class Ours:
    """What this program does: the policy that it runs."""

    name = "mailer"

    def __init__(self) -> None:
        self.days: list[Day] = []

    def hears(self, said: Said | None, now: datetime) -> bool:
        """Take one issue's fate; true if the address is mailed no more."""
        if said is None:
            self.days = []
            return False
        kind = Kind.COMPLAINT if said.complaint else Kind.BOUNCE
        permanence = Permanence.PERMANENT if said.code == 5 else Permanence.TEMPORARY
        notice = Notice(kind, "", said.reason, permanence, final=True, hardbounce=said.hard)
        effect = decide(notice, Standing(days=tuple(self.days)), now)
        if effect in {Effect.COUNTED, Effect.WORN_OUT}:
            self.days.append(Day(now.date(), cause_of(said.reason)))
        return effect in {Effect.LOST, Effect.WORN_OUT, Effect.COMPLAINED}


class Listmonk:
    """listmonk, with bounces switched on: a hard one or a complaint blocklists at the first, soft ones do nothing.

    Its defaults: `bounce.actions` in schema.sql: hard {count 1, blocklist}, soft {count 2, none}, complaint {count 1,
    blocklist}. Its mailbox reader, internal/bounce/mailbox/pop.go, calls 5.x.x hard and 4.x.x soft, whatever the rest.
    """

    name = "listmonk"

    def hears(self, said: Said | None, _now: datetime) -> bool:
        """Take one issue's fate."""
        return said is not None and (said.complaint or said.code == 5)


class Mailman:
    """Mailman: one point a day for any bounce, out at the threshold of 5; stale after 7 days without one.

    Mailman 3's defaults: bounce_score_threshold 5.0, bounce_info_stale_after 7 days (styles/base.py; model/bounce.py
    adds 1 for any bounce, and disables at the threshold). It reads no complaints. A weekly issue's bounces come 7
    days apart, just in time.
    """

    name = "Mailman"

    def __init__(self) -> None:
        self.score = 0.0
        self.last: datetime | None = None

    def hears(self, said: Said | None, now: datetime) -> bool:
        """Take one issue's fate."""
        if said is None or said.complaint:
            return False
        stale = self.last is not None and now - self.last > timedelta(days=7)
        self.score = 1.0 if stale else self.score + 1.0
        self.last = now
        return self.score >= 5


class Postal:
    """Postal: who could not be reached in 18 attempts is suppressed for 30 days, so is a second 5xx within 24 hours.

    The second never comes to who gets one mail a week: the failure itself is not counted yet when it looks
    (outgoing_message_processor.rb, single_message_processor.rb and suppression_list.rb). It reads no complaints.
    """

    name = "Postal"

    def __init__(self) -> None:
        self.until: datetime | None = None

    def hears(self, said: Said | None, now: datetime) -> bool:
        """Take one issue's fate; true while it is suppressed."""
        if self.until is not None and now < self.until:
            return True
        self.until = now + timedelta(days=30) if said is not None and said.code == 4 else None
        return self.until is not None


POLICIES: Final[tuple[Callable[[], Ours | Listmonk | Mailman | Postal], ...]] = (
    Ours,
    Listmonk,
    Mailman,
    Postal,
)


@dataclass(slots=True)
class Sum:
    """What a policy came to: living readers not mailed at the end, dead ones still mailed, mails to the dead."""

    lost: list[int] = field(default_factory=lambda: [0] * WEEKS)  # living readers without the issue of a week
    kept: list[int] = field(default_factory=lambda: [0] * WEEKS)  # dead addresses that were mailed in a week
    complained: int = 0  # mails to people who had complained


def simulate(readers: int, seed: int = 72) -> dict[str, Sum]:
    """Let three months pass for every policy alike."""
    chance = random.Random(seed)
    sums = {make().name: Sum() for make in POLICIES}
    for one in lives(chance, readers):
        fates = [weather(chance, week, one) for week in range(WEEKS)]
        for make in POLICIES:
            _live(make(), one, fates, sums[make().name])
    return sums


def _live(
    policy: Ours | Listmonk | Mailman | Postal, one: Life, fates: list[Said | None], found: Sum
) -> None:
    out = False
    for week, fate in enumerate(fates):
        now = BEGIN + timedelta(weeks=week)
        if isinstance(policy, Postal) and policy.until is not None and now < policy.until:
            out = True
        elif isinstance(policy, Postal):
            out = False
        alive = week < one.dies and week <= one.complains
        if out:
            found.lost[week] += alive
            continue
        found.kept[week] += week >= one.dies
        found.complained += one.complains < week < one.dies
        out = policy.hears(fate, now)


def table(sums: dict[str, Sum], readers: int) -> Iterator[str]:
    """Give the table of docs/bounces.md."""
    yield (
        f"| {readers:,} readers, {WEEKS} issues | living readers lost at the end | issues they missed "
        "| mails to dead addresses | mails after a complaint |"
    )
    yield "|---|---|---|---|---|"
    for name, one in sums.items():
        cells = (one.lost[-1], sum(one.lost), sum(one.kept), one.complained)
        yield f"| {name} | " + " | ".join(f"{cell:,}" for cell in cells) + " |"


def figure(sums: dict[str, Sum]) -> str:
    """Draw living readers who do not get the week's issue, as text of an SVG."""
    most = max(max(one.lost) for one in sums.values()) or 1
    colours = dict(zip(sums, ("#0b6e4f", "#b3261e", "#6750a4", "#b26a00"), strict=True))
    left, top, width, height = 70, 30, 560, 260
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 340" font-family="sans-serif" font-size="13">',
        "<title>Living readers who do not get the issue of a week, by policy</title>",
        '<rect width="760" height="340" fill="#fff"/>',
        f'<text x="{left}" y="18">Living readers who do not get the issue of a week</text>',
    ]
    for step in range(5):
        y = top + height - step * height / 4
        lines.append(f'<path d="M{left} {y:.0f}H{left + width}" stroke="#ddd"/>')
        lines.append(f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{most * step // 4:,}</text>')
    for week in range(WEEKS):
        x = left + week * width / (WEEKS - 1)
        lines.append(f'<text x="{x:.0f}" y="{top + height + 20}" text-anchor="middle">{week + 1}</text>')
    ends: Counter[int] = Counter()
    for name, one in sums.items():
        points = " ".join(
            f"{left + week * width / (WEEKS - 1):.1f},{top + height - lost * height / most:.1f}"
            for week, lost in enumerate(one.lost)
        )
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colours[name]}" stroke-width="2.5"/>')
        y = int(top + height - one.lost[-1] * height / most)
        while any(abs(y - other) < 15 for other in ends):
            y -= 15
        ends[y] += 1
        lines.append(
            f'<text x="{left + width + 8}" y="{y + 4}" fill="{colours[name]}">{name} {one.lost[-1]:,}</text>'
        )
    lines.append(
        f'<text x="{left + width / 2:.0f}" y="{top + height + 42}" text-anchor="middle">issue</text></svg>'
    )
    return "\n".join(lines) + "\n"


def measure(options: Options) -> list[Wanted]:
    """Print the table; nothing here is a matter of speed."""
    readers = 5_000 if options.quick else READERS
    print("\n".join(table(simulate(readers), readers)))
    return []


def main(arguments: list[str] | None = None) -> None:
    """Run the simulation, print its table and draw its figure."""
    parser = argparse.ArgumentParser(prog="benchmarks bounces", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5,000 readers, and no figure")
    wanted = parser.parse_args(arguments)
    readers = 5_000 if wanted.quick else READERS
    sums = simulate(readers)
    print("\n".join(table(sums, readers)))
    if not wanted.quick:
        FIGURE.write_text(figure(sums), encoding="utf-8")


if __name__ == "__main__":
    main()
