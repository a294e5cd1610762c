"""Notices taken in: once, proven, and what they change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailer import events
from mailer.database import reading, writing
from mailer.delivery import ledger
from mailer.delivery.states import DeliveryState
from mailer.feedback import privacy
from mailer.feedback.history import heard_since
from mailer.feedback.model import Evidence, Kind, Permanence
from mailer.feedback.policy import Effect
from mailer.feedback.taking import came_back
from mailer.keys import Purpose
from mailer.letters.welcome import FIRST
from mailer.settings.model import Tripwire
from subscribers import ensure_lists, suppressions_of
from tests.feedback.conftest import KEYS, World

FULL = {"reason": "mailboxfull", "hardbounce": False, "status": "5.2.2"}


def test_a_dead_address_is_mailed_no_more(world: World):
    """R01: one proof that nobody is there makes the address unreachable at once, and an event tells of it."""
    world.join("ann@example.com", "bo@example.com")
    sent = world.send()
    assert world.take(world.bounce("ann@example.com", sent)).effects == (Effect.LOST,)
    assert world.person("ann@example.com").address_state == "unreachable"
    assert world.person("bo@example.com").address_state == "reachable"
    with reading(world.engine) as c:
        event = events.latest(c, "reader.bounced", str(world.person("ann@example.com").id))
    assert event is not None
    assert event.data["reason"] == "userunknown"


def test_the_same_report_counts_once(world: World):
    """D20: read twice, over two channels, it is one notice."""
    world.join("ann@example.com")
    notice = world.bounce("ann@example.com", world.send(), **FULL)
    first, again = world.take(notice), world.take(notice, notice)
    assert (first.new, again.new, again.known) == (1, 0, 2)
    assert len(world.rows()) == 1


@pytest.mark.parametrize(
    "forged",
    [
        Evidence(),
        Evidence(token="00" * 15),
        Evidence(token="not hexadecimal"),
        Evidence(message_id="<" + "ab" * 16 + "@example.com>"),
        Evidence(envid="' OR 1=1 --"),
        Evidence(relay_id="250-made-up"),
        Evidence(provider="ses"),
    ],
    ids=["nothing", "token", "text", "message-id", "envid", "relay-id", "provider"],
)
def test_a_forged_bounce_changes_nothing(world: World, forged: Evidence):
    """D19, V02: right shape, right address, no proof; it is written down and listed."""
    world.join("ann@example.com")
    notice = replace(world.bounce("ann@example.com", world.send()), evidence=forged)
    assert world.take(notice).effects == (Effect.UNPROVEN,)
    assert world.person("ann@example.com").address_state == "reachable"
    assert [(row["effect"], row["proof"]) for row in world.rows()] == [("unproven", "")]


def test_a_token_of_another_purpose_or_a_changed_one_proves_nothing(world: World):
    """V02: only a token that was made for the return path, unchanged, is one of it."""
    world.join("ann@example.com")
    sent = world.send()
    genuine = world.token("ann@example.com", sent)
    other = KEYS.mail_token(Purpose.CONFIRM, world.person("ann@example.com").id, sent)
    for number, token in enumerate(
        (other, genuine[:-1], genuine + "0", genuine.replace(genuine[5], "0", 1)[::-1])
    ):
        notice = replace(
            world.bounce("ann@example.com", sent), evidence=Evidence(token=token), key=f"k{number}"
        )
        assert world.take(notice).effects == (Effect.UNPROVEN,)


def test_the_token_names_the_reader_whatever_the_text_says(world: World):
    """D18: mail that was forwarded fails at another address; the reader is counted, the other never suppressed."""
    world.join("ann@example.com", "bo@example.com")
    sent = world.send()
    notice = replace(world.bounce("ann@example.com", sent), recipient="bo@example.com")
    assert world.take(notice).effects == (Effect.COUNTED,)
    assert {world.person(one).address_state for one in ("ann@example.com", "bo@example.com")} == {"reachable"}
    nobody = replace(world.bounce("bo@example.com", sent), recipient="")
    assert world.take(nobody).effects == (Effect.LOST,)


def test_a_bounce_of_an_address_that_was_left_behind_touches_nobody(world: World):
    """A late bounce of the old address says nothing about the new one."""
    from subscribers import move

    world.join("ann@example.com")
    sent = world.send()
    notice = world.bounce("ann@example.com", sent)
    with writing(world.engine) as c:
        reader = world.person("ann@example.com").id
        move(c, reader, "ann@example.org", now=world.now, hash_key=b"h" * 32, how="test")
    assert world.take(notice).effects == (Effect.NOTED,)
    assert world.person("ann@example.org").address_state == "reachable"


@pytest.mark.parametrize(
    "reason",
    [
        "policyviolation",
        "authfailure",
        "blocked",
        "badreputation",
        "spamdetected",
        "requireptr",
        "mesgtoobig",
        "toomanyconn",
    ],
)
def test_what_is_our_fault_is_never_the_readers(world: World, reason: str):
    """R03, G14: forty refusals for what we send, how or from where leave the reader as he was."""
    world.join("ann@example.com")
    for _ in range(40):
        world.later(3)
        notice = world.bounce("ann@example.com", world.send(), reason=reason, hardbounce=False)
        assert world.take(notice).effects == (Effect.OURS,)
    assert world.person("ann@example.com").address_state == "reachable"


def test_a_warning_counts_nothing(world: World):
    """R04, A08: still trying, out of office and proof of delivery are noted only."""
    world.join("ann@example.com")
    sent = world.send()
    warning = world.bounce("ann@example.com", sent, final=False, permanence=Permanence.TEMPORARY)
    away = replace(world.bounce("ann@example.com", sent), kind=Kind.AUTOREPLY, key="away")
    arrived = replace(world.bounce("ann@example.com", sent), kind=Kind.DELIVERED, key="arrived")
    assert world.take(warning, away, arrived).effects == (Effect.NOTED,) * 3


def test_a_full_mailbox_wears_out_after_weeks(world: World):
    """R02: four weekly issues do not end a full mailbox, the fifth in a row does."""
    world.join("ann@example.com")
    effects = []
    for _ in range(5):
        effects += world.take(world.bounce("ann@example.com", world.send(), **FULL)).effects
        world.later(7)
    assert effects == [Effect.COUNTED] * 4 + [Effect.WORN_OUT]
    assert world.person("ann@example.com").address_state == "unreachable"


def test_mail_that_arrives_clears_what_was_counted(world: World):
    """R05: an issue of which nothing came back ends the count."""
    world.join("ann@example.com")
    for number in range(12):
        sent = world.send()
        if number % 4 != 3:
            assert world.take(world.bounce("ann@example.com", sent, **FULL)).effects == (Effect.COUNTED,)
        world.later(7)
    assert world.person("ann@example.com").address_state == "reachable"


def test_one_day_counts_once(world: World):
    """R06: ten issues on a day to a full mailbox are one day."""
    world.join("ann@example.com")
    for _ in range(10):
        sent = world.send()
        assert world.take(world.bounce("ann@example.com", sent, **FULL)).effects == (Effect.COUNTED,)


def test_a_missing_host_is_believed_on_the_second_day(world: World):
    """R01: a provider's name that is lost for a day costs no reader."""
    world.join("ann@example.com")
    heard = []
    for _ in range(2):
        heard += world.take(world.bounce("ann@example.com", world.send(), reason="hostunknown")).effects
        world.later(2)
    assert heard == [Effect.COUNTED, Effect.LOST]


def test_a_complaint_ends_all_mail(world: World):
    """R08, C08: one complaint is enough, and nobody is asked or told."""
    world.join("ann@example.com")
    notice = replace(world.bounce("ann@example.com", world.send()), kind=Kind.COMPLAINT, feedback="abuse")
    assert world.take(notice).effects == (Effect.COMPLAINED,)
    person = world.person("ann@example.com")
    assert person.address_state == "complained"
    assert [each.state for each in person.subscriptions] == ["unsubscribed"]


def test_a_complaint_about_a_welcome_letter_reaches_the_brand_of_its_list(world: World):
    """R08: such a letter belongs to no mailing; the number in its token names the list."""
    with writing(world.engine) as c:
        beta = ensure_lists(c, ["beta"], world.now, brands={"beta": "acme"})["beta"]
    world.join("ann@example.com")
    notice = world.bounce("ann@example.com", FIRST + beta, kind=Kind.COMPLAINT, feedback="abuse")
    assert world.take(notice, wire=Tripwire()).effects == (Effect.COMPLAINED,)
    with reading(world.engine) as c:
        (held,) = suppressions_of(c, world.person("ann@example.com").id)
    assert (held.scope, held.scope_key) == ("brand", "acme")


@pytest.mark.parametrize("feedback", ["auth-failure", "virus", "fraud", "dmarc"])
def test_feedback_about_us_is_no_wish_of_the_reader(world: World, feedback: str):
    """C04: reports of failed authentication suppress nobody."""
    world.join("ann@example.com")
    notice = replace(world.bounce("ann@example.com", world.send()), kind=Kind.COMPLAINT, feedback=feedback)
    assert world.take(notice).effects == (Effect.OURS,)
    assert world.person("ann@example.com").address_state == "reachable"


def test_praise_is_no_complaint(world: World):
    """C04: who takes our mail out of the folder for spam is nobody's fault, and counts in no tripwire."""
    world.join("ann@example.com")
    sent = world.send()
    notice = world.bounce(
        "ann@example.com", sent, kind=Kind.COMPLAINT, feedback="not-spam", reason="feedback"
    )
    taken = world.take(notice)
    assert (taken.effects, taken.ours) == ((Effect.NOTED,), ())
    with reading(world.engine) as c:
        assert heard_since(c, sent, world.now)[:2] == (0, 0)


def test_a_late_bounce_ends_doubt(world: World):
    """What came back of an uncertain delivery proves that the server had taken it."""
    world.join("ann@example.com")
    sent = world.send(DeliveryState.UNCERTAIN)
    world.take(world.bounce("ann@example.com", sent, **FULL))
    with reading(world.engine) as c:
        place = ledger.find(c, sent, world.person("ann@example.com").id)
    assert place is not None
    assert place.accepted


def test_an_unsubscribe_acts_on_the_list_of_its_token(world: World):
    """U13: by its token, not by its sender."""
    world.join("ann@example.com")
    token = KEYS.mail_token(Purpose.UNSUBSCRIBE, world.person("ann@example.com").id, world.list_id)
    notice = replace(
        world.bounce("ann@example.com", world.send()),
        kind=Kind.UNSUBSCRIBE,
        recipient="somebody@else.example",
        evidence=Evidence(token=token.upper()),
    )
    assert world.take(notice).effects == (Effect.UNSUBSCRIBED,)
    assert [each.state for each in world.person("ann@example.com").subscriptions] == ["unsubscribed"]


def test_a_providers_word_is_judged_by_the_same_tables(world: World):
    """A hook gives words and no reason: the tables name it."""
    world.join("ann@example.com")
    sent = world.send()
    notice = world.bounce("ann@example.com", sent, reason="", hardbounce=False)
    notice = replace(notice, reply="smtp; 550 5.1.1 no such user here", permanence=Permanence.NONE)
    assert world.take(notice).effects == (Effect.LOST,)


def test_audit_and_privacy_know_what_came_back(world: World):
    """A delivery shows what came back of it; an erased person's words and address are gone, the count stays."""
    world.join("ann@example.com")
    sent = world.send()
    world.take(replace(world.bounce("ann@example.com", sent), reply="550 ann@example.com unknown"))
    reader = world.person("ann@example.com").id
    with writing(world.engine) as c:
        assert [row["effect"] for row in came_back(c, sent)[reader]] == ["lost"]
        assert privacy.held(c, reader, ["ann@example.com"])["notices"][0]["recipient"] == "ann@example.com"
        privacy.erased(c, reader, ["ann@example.com"])
    assert "ann@" not in str(world.rows())
    assert len(world.rows()) == 1
