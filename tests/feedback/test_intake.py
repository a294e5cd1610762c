"""Mails heard: once, proven, stored; nobody is answered, and what is not understood is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from mailer.database import reading, writing
from mailer.delivery.tables import letters
from mailer.feedback import part, replaying
from mailer.feedback.intake import keeping
from mailer.feedback.intake.ours import Ours
from mailer.feedback.model import Kind
from mailer.feedback.tables import notices, unknown
from tests.feedback.house import House, housed
from tests.feedback.systems import PATH, SYSTEMS, TOKEN
from tests.feedback.voices import automatic, leaving, mail, persons

if TYPE_CHECKING:
    from pathlib import Path

    from tests.feedback.conftest import World

ANN, BO = "ann@reader.example", "bo@reader.example"
UNKNOWN = "550 5.1.1 no such user here"


def numbered(number: int, raw: bytes) -> bytes:
    """Give a mail a Message-ID of its own."""
    return b"Message-ID: <%d@b.example>\n" % number + raw


@pytest.fixture
def house(world: World, tmp_path: Path) -> House:
    """A newsletter with two readers."""
    world.join(ANN, BO)
    return housed(world, tmp_path)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_bounce_of_any_system_is_heard_once(house: House, system: str):
    """R01, D12, D20: by its token the reader is found, whatever system wrote; heard again, it changes nothing."""
    sent = house.world.send()
    raw = house.returned(SYSTEMS[system](ANN, UNKNOWN), ANN, sent)
    first, again = house.hear(raw), house.hear(raw)
    assert (first.kind, first.understood, first.taken.proven) == (Kind.BOUNCE, True, 1)
    assert (again.taken.new, again.taken.known) == (0, 1)
    assert house.state(BO) == "reachable"
    assert not house.kept()
    assert house.letters() == 0


@pytest.mark.parametrize("system", ["postfix", "qmail", "sendmail"])
def test_a_bounce_names_the_reader_by_the_envelope_alone(house: House, system: str):
    """D18: the address it came to says who, though the text names another reader of ours."""
    sent = house.world.send()
    raw = SYSTEMS[system](BO, UNKNOWN).replace(PATH.encode(), b"undisclosed").replace(TOKEN.encode(), b"gone")
    heard = house.hear(raw, to=house.path(ANN, sent), sender="")
    assert heard.taken.proven == 1
    assert [row["subscriber_id"] for row in house.world.rows()] == [house.world.person(ANN).id]
    assert (house.state(ANN), house.state(BO)) == ("reachable", "reachable")


def test_a_mail_that_came_first_without_its_proof_still_counts(house: House):
    """D20: the same report by another way, where its envelope says who."""
    sent = house.world.send()
    raw = (
        SYSTEMS["qmail"](ANN, UNKNOWN).replace(PATH.encode(), b"undisclosed").replace(TOKEN.encode(), b"gone")
    )
    assert not house.hear(raw).understood
    assert house.hear(raw, to=house.path(ANN, sent)).taken.changed == 1
    assert (house.state(ANN), house.kept()) == ("unreachable", {})


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_forged_bounce_changes_nothing_and_is_listed(house: House, system: str):
    """D19, V02: the right shape about a reader of ours, with a token that we did not make, or none."""
    house.world.send()
    for number, forged in enumerate((b"", b"00" * 15, b"zz")):
        raw = SYSTEMS[system](ANN, UNKNOWN).replace(TOKEN.encode(), forged)
        heard = house.hear(raw.replace(b"<report-1@", f"<report-{number}@".encode()))
        assert not heard.understood
        assert heard.taken.changed == 0
    assert house.state(ANN) == "reachable"
    assert sum(house.kept().values()) == 3
    assert house.letters() == 0


def test_200_automatic_answers_move_nobody(house: House):
    """A08, U14: at the return path and at the mailbox for leaving, none counts, is answered or unsubscribes."""
    sent = house.world.send()
    for to in (house.path(ANN, sent), f"leave+{house.leave(ANN)}@weekly.example"):
        for _, raw in automatic(200):
            heard = house.hear(raw, to=to)
            assert heard.kind is Kind.AUTOREPLY
            assert heard.taken.changed == 0
    assert (house.state(ANN), house.lists(ANN), house.letters()) == ("reachable", ["active"], 0)


def test_50_clients_leave_by_mail(house: House):
    """U13: whatever subject, body, charset and sender: by the token, once, and nobody is answered."""
    for raw in leaving(house.leave(ANN)):
        assert house.hear(raw).kind is Kind.UNSUBSCRIBE
    assert (house.lists(ANN), house.lists(BO)) == (["unsubscribed"], ["active"])
    assert house.events("reader.unsubscribed") == [str(house.world.person(ANN).id)]
    assert house.letters() == 0


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_bounce_at_the_mailbox_for_leaving_unsubscribes_nobody(house: House, system: str):
    """U14: nor does a mail with an empty envelope sender, whoever its From names."""
    to = f"leave+{house.leave(ANN)}@weekly.example"
    house.hear(SYSTEMS[system](BO, UNKNOWN).replace(TOKEN.encode(), b"gone"), to=to, sender="")
    house.hear(mail("unsubscribe", "please", "Message-ID: <a@b.example>"), to=to, sender="")
    assert (house.lists(ANN), house.lists(BO)) == (["active"], ["active"])


def test_100_people_reach_a_person_once(house: House):
    """V06: a reply to the return path goes to the operator, to be answered to who wrote; the same one goes once."""
    sent = house.world.send()
    written = [numbered(number, raw) for number, (_, raw) in enumerate(persons(100))]
    for raw in written * 2:
        assert house.hear(raw, to=house.path(ANN, sent)).person
    assert house.letters() == 100
    with reading(house.ground.database) as connection:
        rows = connection.execute(select(letters.c.address, letters.c.content)).all()
    assert {row.address for row in rows} == {"desk@weekly.example"}
    assert all(b"Auto-Submitted: auto-generated" in row.content for row in rows)
    assert (house.state(ANN), house.lists(ANN)) == ("reachable", ["active"])


def test_a_reply_that_proves_nothing_is_kept_and_passed_on_to_nobody(house: House):
    """Who knows the address of the mailbox alone cannot make us write."""
    assert house.hear(mail("Hello", "Anybody there?"), to="news@weekly.example").person
    assert (house.kept(), house.letters()) == ({"reply": 1}, 0)


def test_a_flood_of_replies_is_passed_on_up_to_a_limit(house: House, monkeypatch: pytest.MonkeyPatch):
    """Who knows one token cannot fill the operator's mailbox; the rest is kept."""
    monkeypatch.setattr("mailer.feedback.intake.replies.MOST", 3)
    sent = house.world.send()
    for number in range(5):
        house.hear(numbered(number, mail("Hello", "Hi")), to=house.path(ANN, sent))
    assert (house.letters(), house.kept()) == (3, {"reply": 2})


def test_what_nobody_understood_is_read_again_with_better_rules(house: House):
    """Replay: a bounce that was kept because nothing proved it counts once it does; the rest stays."""
    sent = house.world.send()
    raw = (
        SYSTEMS["postfix"](ANN, UNKNOWN)
        .replace(PATH.encode(), b"undisclosed")
        .replace(TOKEN.encode(), b"gone")
    )
    house.hear(raw)
    house.hear(mail("Hello", "Anybody there?", "From: system@machine.example", "Auto-Submitted: no"))
    better = b"X-Original-To: " + house.path(ANN, sent).encode() + b"\n" + raw
    with writing(house.ground.database) as connection:
        first = select(unknown.c.id).where(unknown.c.kind == "bounce").scalar_subquery()
        connection.execute(update(unknown).where(unknown.c.id == first).values(raw=better))
    found = replaying.replay(house.ground)
    assert (found.read, found.solved) == (2, {"bounce": 1})
    assert house.state(ANN) == "unreachable"
    assert replaying.replay(house.ground).solved == {}
    assert len(house.world.rows()) == 1


def test_kept_mails_are_bounded_and_let_go(house: House, monkeypatch: pytest.MonkeyPatch):
    """A flood cannot fill the disk: large mails are cut, the oldest go, and all go after keep_days."""
    monkeypatch.setattr(keeping, "MOST", 50)
    for number in range(130):
        house.hear(numbered(number, mail("Spam", "x" * 300_000 if number == 120 else "x")))
    assert 50 <= house.kept()["reply"] < 130
    with reading(house.ground.database) as connection:
        assert max(len(row.raw) for row in keeping.kept(connection)) <= keeping.LARGEST
    house.hear(SYSTEMS["postfix"](ANN, UNKNOWN))
    house.world.later(91)
    assert part.forget(house.ground) > 0
    assert house.kept() == {}
    with reading(house.ground.database) as connection:
        assert connection.execute(select(notices)).all() == []


def test_a_mail_that_comes_again_and_again_pushes_out_no_other(house: House, monkeypatch: pytest.MonkeyPatch):
    """The bound is one of mails that are kept: those that were kept already count for nothing."""
    monkeypatch.setattr(keeping, "MOST", 150)
    for number in (*range(50), *[0] * 120, *range(50, 100)):
        house.hear(numbered(number, mail("Hello", "Hi")))
    assert house.kept() == {"reply": 100}


def test_only_addresses_with_a_genuine_token_are_ours(house: House):
    """V02: in any case of letters; another purpose's token, a cut one and another domain are not."""
    ours = Ours(house.ground.settings, house.ground.keys)
    path = house.path(ANN, house.world.send())
    leave = f"leave+{house.leave(ANN)}@weekly.example"
    assert all(map(ours.is_one, (path, path.upper(), leave, "bounce@weekly.example")))
    wrong = (
        path.replace("weekly", "other"),
        path.replace("bounce+", "leave+"),
        leave.replace("leave+", "bounce+"),
        path.replace("@", "0@"),
        "bounce+@weekly.example",
        "leave@weekly.example",
        "postmaster@weekly.example",
        "",
    )
    assert not any(map(ours.is_one, wrong))


def test_our_fault_is_told_once_an_hour(house: House):
    """R03: a domain that blocks us is blamed in an event, which rests it in what sends and reaches the operator."""
    for number in range(3):
        sent = house.world.send()
        raw = house.returned(SYSTEMS["postfix"](ANN, "550 5.7.1 your IP is on our block list"), ANN, sent)
        house.hear(raw.replace(b"<report-1@", f"<report-{number}@".encode()))
    assert house.events("feedback.blamed") == ["reader.example"]
    assert len(house.events("feedback.fault")) == 1
    assert house.state(ANN) == "reachable"


def test_only_the_domain_that_we_mailed_is_blamed(house: House):
    """D19: a report may name anybody, and rests no domain but that of the reader whose token it came to."""
    sent = house.world.send()
    blocked = "550 5.7.1 your IP is on our block list"
    house.hear(house.returned(SYSTEMS["postfix"]("eve@large.example", blocked), ANN, sent))
    assert house.events("feedback.blamed") == ["reader.example"]


def test_the_mailbox_for_leaving_is_offered_only_while_it_is_read(world: World, tmp_path: Path):
    """U13: nobody is told to write to a mailbox that nobody reads."""
    from mailer.settings import load_settings

    house = housed(world, tmp_path)
    assert house.ground.settings.lists["main"].unsubscribe_mailto == "leave@weekly.example"
    text = (tmp_path / "mailer.toml").read_text().replace("piped = true", "")
    (tmp_path / "mailer.toml").write_text(text)
    without = load_settings(tmp_path, {})
    assert without.lists["main"].unsubscribe_mailto is None
    assert any(problem.key == "unsubscribe_mailto" for problem in without.warnings)
