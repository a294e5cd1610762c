"""Mails about one of several lists: a wish to leave each, and a reply to whom each list names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from mailer.database import reading, writing
from mailer.delivery.ground import Ground
from mailer.delivery.tables import letters
from mailer.keys import Purpose
from mailer.settings import load_settings
from subscribers import add, ensure_lists
from tests.feedback.conftest import KEYS, NOON
from tests.feedback.house import SETTINGS, House, housed
from tests.feedback.voices import mail

if TYPE_CHECKING:
    from pathlib import Path

    from tests.feedback.conftest import World

ANN = "ann@reader.example"
LISTS = """
[lists.other]
name = "Other"
reply_to = "other@weekly.example"

[lists.main]
name = "Main"
reply_to = "main@weekly.example"
"""


def test_one_mail_leaves_each_list_that_it_was_sent_to(world: World, tmp_path: Path):
    """U13: the same mail to two addresses of ours is a wish for each, and each once."""
    with writing(world.engine) as c:
        ids = ensure_lists(c, ["main", "second"], NOON)
        for key in ids:
            add(c, email=ANN, list_key=key, now=NOON, hash_key=b"h" * 32, basis="test")
    house, ann = housed(world, tmp_path), world.person(ANN).id
    tokens = [KEYS.mail_token(Purpose.UNSUBSCRIBE, ann, number) for number in ids.values()]
    addresses = [f"leave+{token}@weekly.example" for token in tokens]
    raw = mail("unsubscribe", "", to=", ".join(addresses))
    news = [house.hear(raw, to=to, sender=ANN).taken.new for to in addresses * 2]
    assert news == [1, 1, 0, 0]
    assert house.lists(ANN) == ["unsubscribed", "unsubscribed"]


@pytest.mark.parametrize(
    ("lists", "told"), [(LISTS, "main"), (LISTS.replace("lists.main", "lists.third"), "other")]
)
def test_a_reply_goes_to_whom_its_list_names(world: World, tmp_path: Path, lists: str, told: str):
    """V06: private words go to the list that was answered, and to the first one only where that is gone."""
    (tmp_path / "mailer.toml").write_text(SETTINGS.replace('operator = "desk@weekly.example"\n', "") + lists)
    ground = Ground(load_settings(tmp_path, {}), KEYS, world.engine, (), clock=lambda: world.now)
    house = House(world, ground)
    world.join(ANN)
    house.hear(mail("Re: An issue", "Private words"), to=house.path(ANN, world.send()), sender=ANN)
    with reading(world.engine) as c:
        assert list(c.scalars(select(letters.c.address))) == [f"{told}@weekly.example"]
