"""The mailer.toml that init writes: every setting explained, every example valid, whatever the name."""

from __future__ import annotations

import re

import pytest

from mailer.settings import load_settings
from mailer.settings.document import Document, DomainTable, ListTable, RelayTable, TripwireTable
from mailer.settings.starter import Answers, starter
from mailer.smtp.relay import parse_relay

ID = "6f3c1e34-7d8e-4f8e-9d33-2b1f7e6f0001"


def test_every_setting_is_explained_in_a_new_mailer_toml():
    """No key of any table is missing from the file that init writes."""
    from uuid import UUID

    text = starter(UUID(ID), Answers(name="X"))
    for table in (Document, ListTable, RelayTable, DomainTable, TripwireTable):
        for name, field in table.model_fields.items():
            key = field.alias or name
            assert re.search(rf"(?m)^#?\[*{key}\b|^#?{key} = ", text), f"{key} is not explained"


def test_every_example_in_a_new_mailer_toml_is_valid(tmp_path):
    """With all its examples switched on the file still loads, so none of them is out of date."""
    from uuid import UUID

    text = starter(UUID(ID), Answers(name="X"))
    (tmp_path / ".mailer").mkdir()
    (tmp_path / ".mailer" / "relay.password").write_text("p")
    (tmp_path / ".mailer" / "second.relay").write_text("smtp://h")
    lines = [line for line in text.splitlines() if "postgresql://" not in line]
    # Keys that stand before the first table belong above it: the tables come last.
    live = [re.sub(r"^#(?=[\[a-z])", "", line) for line in lines]
    (tmp_path / "mailer.toml").write_text("\n".join(live))
    settings = load_settings(tmp_path, {})
    assert {"main", "weekly"} == set(settings.lists)
    for relay in settings.relays:
        parse_relay(relay.url, relay.name, relay.options)


@pytest.mark.parametrize(
    "name", ['A "quoted" name', "Slash \\ and\x7f", "Ünïcode, with comma", "日本語", "a: b <c>"]
)
def test_any_name_makes_a_valid_mailer_toml(tmp_path, name):
    """A title comes from a site's configuration and may hold anything on one line."""
    from uuid import UUID

    (tmp_path / "mailer.toml").write_text(starter(UUID(ID), Answers(name=name.replace("\x7f", ""))))
    settings = load_settings(tmp_path, {})
    assert settings.for_list("main").sender.address == "news@example.org"
