"""docs/settings.md against what mailer.toml and the environment may hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from mailer.edition.theme import DARK, FONTS, LIGHT
from mailer.settings.document import BrandTable, Document, DomainTable, ListTable, RelayTable, TripwireTable
from mailer.settings.feedback import FeedbackTable, ListenTable, MailboxTable
from mailer.settings.hooks import ApiTable, HookTable, MonitorTable, WebhookTable
from mailer.settings.load import _ENVIRONMENT
from mailer.settings.schedule import ScheduleTable, UpkeepTable
from mailer.settings.web import WebTable
from mailer.smtp.relay import _KNOWN
from tests.docs.pages import ROOT, names, read, rows, sections

if TYPE_CHECKING:
    from mailer.settings.document import Table

SECTIONS = sections(read("settings.md"))


def _keys(table: type[Table]) -> set[str]:
    return {field.alias or name for name, field in table.model_fields.items()}


def _told(section: str) -> set[str]:
    return {name for row in rows(SECTIONS[section]) for name in names(row[0])}


@pytest.mark.parametrize(
    ("section", "table"),
    [
        ("The newsletter", Document),
        ("relays", RelayTable),
        ("domains", DomainTable),
        ("tripwire", TripwireTable),
        ("hooks", HookTable),
        ("webhooks", WebhookTable),
        ("api", ApiTable),
        ("monitor", MonitorTable),
        ("web", WebTable),
        ("schedule", ScheduleTable),
        ("upkeep", UpkeepTable),
        ("feedback", FeedbackTable),
        ("feedback.mailboxes", MailboxTable),
        ("feedback.listen", ListenTable),
    ],
)
def test_keys(section: str, table: type[Table]):
    """Every key of a table is documented, and none that is gone."""
    assert _told(section) == _keys(table)


def test_where_keys_may_stand():
    """What a list and a brand may say for themselves is marked L and B."""
    marks = {name: row[1].split() for row in rows(SECTIONS["The newsletter"]) for name in names(row[0])}
    assert {name for name, mark in marks.items() if "L" in mark} == _keys(ListTable)
    assert {name for name, mark in marks.items() if "B" in mark} == _keys(BrandTable)


def test_theme():
    """Every key of the theme is documented; docs/design.md gives the light colours as they are."""
    assert _told("theme") == {*LIGHT, *DARK, *FONTS}
    told = {row[0]: row[1] for row in rows(sections(read("design.md"))["Colours and fonts"])}
    assert told == {f"`{name}`": f"`{colour}`" for name, colour in LIGHT.items()}


def test_tripwire_defaults():
    """The defaults of the tripwire stand as they are, here and with their reasons in docs/sending.md."""
    defaults = {name: f"{field.default:g}" for name, field in TripwireTable.model_fields.items()}
    for section in (SECTIONS["tripwire"], sections(read("sending.md"))["The tripwire"]):
        assert {names(row[0])[0]: row[1] for row in rows(section)} == defaults


def test_environment():
    """Every variable that the program reads is documented, and no other."""
    read_by_code = set(_ENVIRONMENT)
    for file in (*ROOT.glob("mailer/**/*.py"), *ROOT.glob("subscribers/**/*.py")):
        read_by_code |= set(
            re.findall(r"environ[^\n]{0,20}[\"'](MAILER_\w+|NO_COLOR)[\"']", file.read_text())
        )
        read_by_code |= {"NO_COLOR"} if '"NO_COLOR"' in file.read_text() else set()
    assert _told("Environment") == read_by_code


def test_relay_options():
    """Every option of a relay's URL is documented, in the table of relays or beside the URL."""
    here = _told("A relay as a URL")
    assert here | _keys(RelayTable) >= _KNOWN - {"password"}
    assert here <= _KNOWN
