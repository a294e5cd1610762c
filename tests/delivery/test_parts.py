"""The pure parts: pace, desk, gate, tripwire, journal, outcome."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.delivery.desk import ASIDE, Desk
from mailer.delivery.journal import Journal, read_journal
from mailer.delivery.model import Claim, Settlement
from mailer.delivery.outcome import RETRIES, Signal, judge_final, judge_loss, judge_refusal, next_try
from mailer.delivery.pace import Pace
from mailer.delivery.sharing import Sums
from mailer.delivery.states import DeliveryState
from mailer.delivery.tripwire import Alarm, Tally, tripped
from mailer.settings import Tripwire
from mailer.smtp import Reply, SessionLost
from mailer.smtp.relay import Kind

NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)


def claim(subscriber: int = 1, domain: str = "a.example", attempts: int = 0) -> Claim:
    """Give a claim."""
    return Claim(1, subscriber, 1, 1, f"p{subscriber}@{domain}", domain, attempts)


def test_a_fixed_limit_is_never_passed() -> None:
    """At 10 a second, an eager sender gets 100 through in 10 seconds, give or take one."""
    pace, sent = Pace(10), 0
    for tick in range(10_000):
        now = 100 + tick / 1000
        if pace.wait(now) == 0:
            pace.spend(now)
            sent += 1
    assert 100 <= sent <= 102


def test_a_plea_rests_and_success_recovers() -> None:
    """After a plea nothing goes for a second; the rate comes back by successes until it is free again."""
    pace = Pace()
    for tick in range(100):
        pace.spend(tick / 100)
    pace.busy(1.0)
    pace.busy(1.5)
    assert pace.wait(1.9) > 0
    now, sent = 2.0, 0
    while not pace.free:
        now += max(pace.wait(now), 1e-6)
        pace.spend(now)
        pace.success(now)
        sent += 1
        assert sent < 1000
    assert pace.wait(now) == 0


def test_pleas_double_the_rest_up_to_five_minutes() -> None:
    """Each new plea doubles the rest."""
    pace, now, rests = Pace(), 0.0, []
    for _ in range(12):
        pace.busy(now)
        rests.append(round(pace.wait(now)))
        now += pace.wait(now)
    assert rests[:4] == [1, 2, 4, 8]
    assert max(rests) == 300


def test_the_desk_keeps_a_slow_domain_aside() -> None:
    """While one domain rests the others are taken, in order; its own come when it may."""
    desk = Desk()
    desk.add([claim(1, "slow.example"), claim(2), claim(3, "slow.example"), claim(4)])
    desk.busy("slow.example", 0.0)
    assert [desk.take(0.5).subscriber_id for _ in range(2)] == [2, 4]
    assert desk.take(0.5) is None
    assert 0 < desk.wait(0.5) <= 0.5
    assert desk.take(1.0).subscriber_id == 1


def test_the_desk_gives_back_what_is_too_much_of_one_domain() -> None:
    """Of a slow domain a bounded few wait in memory, and no more of it are claimed."""
    desk = Desk({"slow.example": 0.1})
    desk.add([claim(n, "slow.example") for n in range(ASIDE * 2)])
    assert desk.take(0.0) is not None
    assert desk.take(0.0) is None
    assert desk.crowded(0.0) == ["slow.example"]
    assert sum(len(claims) for claims in desk.surplus(0.0).values()) == ASIDE - 1
    assert len(desk) == ASIDE


def test_a_limited_domain_goes_out_beside_the_others_and_not_after_them() -> None:
    """Ten a second of one domain, while there are always messages to others: it gets its ten a second all the while."""
    desk, sent = Desk({"slow.example": 10.0}), Counter[str]()
    for step in range(2_000):  # two seconds
        desk.add([claim(3 * step, "slow.example"), claim(3 * step + 1), claim(3 * step + 2)])
        taken = desk.take(step / 1_000)
        assert taken is not None
        sent[taken.domain] += 1
    assert 18 <= sent["slow.example"] <= 22
    assert sent["a.example"] > 1_970


def test_of_a_domain_that_is_quick_though_limited_more_waits_at_hand() -> None:
    """At a hundred a second a hundred claims would last a second: five seconds' worth may wait, and no more."""
    desk = Desk({"big.example": 100.0})
    desk.add([claim(n, "big.example") for n in range(1_000)])
    assert desk.take(0.0) is not None
    assert desk.take(0.0) is None
    assert sum(map(len, desk.surplus(0.0).values())) == 499
    assert desk.crowded(0.0) == ["big.example"]
    now = 0.0
    while len(desk) >= 250:
        now += 0.01
        desk.take(now)
    assert desk.crowded(now) == []


def test_the_tripwire_waits_until_enough_is_known() -> None:
    """It says nothing before `after` outcomes, and names the last refusal when it trips."""
    wire = Tripwire(after=10, refused_percent=5)
    assert tripped(Sums(9, refused=9), "550 no", wire) is None
    assert tripped(Sums(19, refused=9), "550 no", wire) == (
        "tripwire: 9 of 19 were refused (limit 5 %); last: 550 no"
    )
    assert tripped(Sums(19, refused=9), "", Tripwire(after=10, refused_percent=50)) is None


def test_the_tripwire_hears_of_all_processes_and_forgets_what_a_person_has_seen() -> None:
    """Few refusals here and many elsewhere are too many together; after `mailer resume` only what is new counts."""
    tally = Tally(Counter({DeliveryState.REFUSED: 1, DeliveryState.ACCEPTED: 4}), "550 no")
    alarm = Alarm(Tripwire(after=10, refused_percent=25), tally)
    assert alarm.reason() is None
    alarm.others = Sums(6, refused=5)
    assert "6 of 11 were refused" in (alarm.reason() or "")
    alarm.resumed()
    assert (alarm.mine, alarm.reason()) == (Sums(), None)
    tally.outcomes[DeliveryState.ACCEPTED] += 20
    assert (alarm.mine, alarm.reason()) == (Sums(20), None)


def test_retries_take_days_and_end() -> None:
    """S11: tries go on for at least four days, with jitter, and then end."""
    assert sum(RETRIES, timedelta()) >= timedelta(days=4)
    assert next_try(1, NOW, 0.0) == NOW + RETRIES[0]
    assert RETRIES[0] < next_try(1, NOW, 0.99) - NOW < RETRIES[0] * 1.2
    assert next_try(len(RETRIES) + 1, NOW, 0.0) is None


def test_an_exhausted_delivery_is_refused() -> None:
    """After the last retry a 4yz is a refusal."""
    verdict = judge_final(claim(attempts=len(RETRIES)), Reply(451, "4.4.1", "timeout"), Kind.SMTP, NOW, 0.0)
    assert verdict.settlement.state is DeliveryState.REFUSED


@pytest.mark.parametrize(
    ("reply", "state", "signal"),
    [
        (Reply(250, "2.0.0", "Ok: queued as 4F1"), DeliveryState.ACCEPTED, Signal.SUCCESS),
        (Reply(554, "5.7.1", "rejected"), DeliveryState.REFUSED, Signal.NONE),
        (Reply(451, "4.3.0", "later"), DeliveryState.DEFERRED, Signal.NONE),
    ],
)
def test_the_answer_to_a_body(reply: Reply, state: DeliveryState, signal: Signal) -> None:
    """S12: 2yz is accepted, 4yz deferred, 5yz refused."""
    verdict = judge_final(claim(), reply, Kind.SMTP, NOW, 0.0)
    assert (verdict.settlement.state, verdict.signal) == (state, signal)


def test_a_relays_own_trouble_counts_against_nobody() -> None:
    """An envelope that a busy relay turned down is given back untouched (SES: 454 throttling)."""
    reply = Reply(454, "", "Throttling failure: Maximum sending rate exceeded.")
    verdict = judge_refusal(claim(), reply, "mail", Kind.SES, NOW, 0.0)
    assert verdict.settlement is None
    assert verdict.signal is Signal.RELAY_BUSY


@pytest.mark.parametrize(
    ("lost", "state"),
    [
        (SessionLost("gone", in_doubt=True), DeliveryState.UNCERTAIN),
        (SessionLost("gone"), DeliveryState.DEFERRED),
        (SessionLost("gone", final=Reply(250, "2.0.0", "Ok")), DeliveryState.ACCEPTED),
    ],
)
def test_a_lost_line_is_doubt_only_behind_the_last_octet(lost: SessionLost, state: DeliveryState) -> None:
    """S08: uncertain is only what may have been taken and was not answered."""
    assert judge_loss(claim(), lost, Kind.SMTP, NOW, 0.0).state is state


words = st.sampled_from(["fence", *DeliveryState])
moves = st.lists(st.tuples(st.integers(1, 9), words, st.text(max_size=20)), max_size=30)


@given(moves, st.binary(max_size=40), st.integers(0, 200))
def test_the_journal_gives_back_the_last_word(
    written: list[tuple[int, str, str]], rubbish: bytes, cut: int
) -> None:
    """The last line of each reader counts; a torn or foreign line is passed over and harms no other."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        expected = {}
        with Journal(folder, 7) as journal:
            for subscriber, what, relay_id in written:
                if what == "fence":
                    journal.write([], [claim(subscriber)])
                    expected[1, subscriber] = DeliveryState.SENDING
                else:
                    state = DeliveryState(what)
                    journal.write([Settlement(claim(subscriber), state, NOW, relay_id=relay_id)], [])
                    expected[1, subscriber] = state
        file = folder / "7.log"
        whole = file.read_bytes()
        file.write_bytes(whole + b"\n" + rubbish.replace(b"\t", b" "))
        assert {key: proof.state for key, proof in read_journal(folder, 7).items()} == expected
        file.write_bytes(whole[: min(cut, len(whole))])
        assert set(read_journal(folder, 7)) <= set(expected)


def test_a_domain_gets_so_many_connections_and_no_more() -> None:
    """With a limit of two, the third waits until one of the two is over; other domains pass by."""
    desk = Desk(most={"big.example": 2})
    desk.add([claim(1, "big.example"), claim(2, "big.example"), claim(3, "big.example"), claim(4)])
    assert [desk.take(0.0).subscriber_id for _ in range(3)] == [1, 2, 4]
    assert desk.take(0.0) is None
    assert 0 < desk.wait(0.0) < 1
    desk.over("big.example")
    assert desk.take(0.0).subscriber_id == 3
