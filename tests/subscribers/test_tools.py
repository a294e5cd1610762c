"""Exports of other tools: their columns, their words for who left, and what they tell of the old opt-in."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import subscribers
from subscribers.exchange.columns import understand
from subscribers.exchange.fields import Field
from subscribers.exchange.told import moment_of, prefix_of
from tests.subscribers.conftest import HASH_KEY, NOW

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine


def bring(engine: Engine, file: Path, text: str | None = None) -> subscribers.ImportResult:
    if text is not None:
        file.write_text(text, encoding="utf-8")
    return subscribers.import_file(
        engine.begin,
        file,
        list_key="main",
        basis="form",
        now=NOW,
        hash_key=HASH_KEY,
        rejects=file.parent / "r",
    )


@pytest.mark.parametrize(
    ("header", "meaning"),
    [
        ("Prénom,Nom,Adresse e-mail,Langue", ["first-name", "last-name", "email", "language"]),
        ("Vorname;Nachname;E-Mail-Adresse;Schlagworte", ["first-name", "last-name", "email", "tags"]),
        ("Correo electrónico,Nombre,Apellidos,Idioma", ["email", "first-name", "last-name", "language"]),
        ("メールアドレス,氏名", ["email", "name"]),
        ("Электронная почта,Имя", ["email", "name"]),
        ("E-POST,Förnamn,EFTERNAMN", ["email", "first-name", "last-name"]),
        ("subscriber_email,Opt-In-Time,Notes", ["email", "joined-at", "Notes"]),
    ],
)
def test_languages(header: str, meaning: list[str]) -> None:
    """Columns are known in any case, with and without accents, in many languages."""
    columns = understand(header.replace(";", ",").split(","), "people.csv")
    assert [str(each) for each in columns.meanings] == meaning


def test_an_attribute_called_as_a_field(with_lists: Engine, tmp_path: Path) -> None:
    """`attributes.email` is an attribute, whatever it is called."""
    bring(with_lists, tmp_path / "a.csv", "attributes.email,email\nx,ann@example.org\n")
    with with_lists.connect() as connection:
        assert subscribers.find(connection, "ann@example.org").attributes == {Field.EMAIL.value: "x"}


def test_german_names(with_lists: Engine, tmp_path: Path) -> None:
    """Beside a first name, `Name` is the last one."""
    bring(with_lists, tmp_path / "a.csv", "Vorname,Name,E-Mail\nAnn,Ö,ann@example.org\n")
    with with_lists.connect() as connection:
        assert subscribers.find(connection, "ann@example.org").name == "Ann Ö"


@pytest.mark.parametrize(
    ("tool", "text", "added", "refused"),
    [
        (
            "Buttondown",
            (
                "email_address,type,creation_date,unsubscription_date,metadata,ip_address\n"
                "a@example.org,regular,2021-01-01,2020-01-01,{},203.0.113.9\nb@example.org,paused,2021-01-01,,{},\n"
                "c@example.org,unactivated,2021-01-01,,{},\nd@example.org,spammy,2021-01-01,,{},\n"
                "e@example.org,complained,2021-01-01,,{},\nf@example.org,undeliverable,2021-01-01,,{},\n"
            ),
            2,
            {"not confirmed": 2, "complained": 1, "dead": 1},
        ),
        (
            "Substack",
            (
                "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
                "a@example.org,true,2030-01-01T00:00:00.000Z,yearly,false,2018-08-27T15:06:27.713Z,\n"
                "b@example.org,,,,true,2018-08-27T15:06:27.713Z,\n"
            ),
            1,
            {"left": 1},
        ),
        (
            "Ghost",
            (
                "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,"
                'labels,tiers,gift_id\n1,a@example.org,A,,true,false,,2021-01-01T00:00:00.000Z,,"x,y",Gold,\n'
                "2,b@example.org,B,,false,,,2021-01-01T00:00:00.000Z,,,,\n"
            ),
            1,
            {"left": 1},
        ),
        (
            "listmonk",
            (
                "uuid,email,name,attributes,status,created_at,updated_at\n"
                'u1,a@example.org,A,"{""city"": ""Graz""}",enabled,2021-01-01 10:00:00.123456 +0200 CEST,x\n'
                "u2,b@example.org,B,{},blocklisted,2021-01-01 10:00:00 +0000 UTC,x\n"
                "u3,c@example.org,C,{},disabled,,x\n"
            ),
            1,
            {"left": 1, "suppressed": 1},
        ),
    ],
)
def test_tools(
    with_lists: Engine, tmp_path: Path, tool: str, text: str, added: int, refused: dict[str, int]
) -> None:
    """Each tool's words mean here what they mean there; who left or bounced stays away from a later file, too."""
    result = bring(with_lists, tmp_path / "export.csv", text)
    assert (result.tool, result.added, result.refused, result.rejected) == (tool, added, refused, 0)
    with with_lists.connect() as connection:
        subscription = subscribers.find(connection, "a@example.org").subscription("main")
    assert subscription.joined_at.year in {2018, 2021}
    emails = "".join(f"{letter}@example.org\n" for letter in "abcdef")
    later = bring(with_lists, tmp_path / "later.csv", "email\n" + emails)
    suppressed = sum(count for reason, count in refused.items() if reason != "not confirmed")
    assert sum(later.refused.values()) == suppressed


def test_archive_of_mailchimp(with_lists: Engine, tmp_path: Path) -> None:
    """Its four files say how people stood; the old opt-in's time and the prefix of its network are kept."""
    head = (
        "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,TIMEZONE,CC,"
        "{}TAGS\n"
    )
    row = (
        "{}@example.org,Ann,Ö,2,2018-02-05 19:28:23,192.0.2.77,2018-02-05 19:30:00,2001:db8:1:2::3,Europe/Vienna,at,"
        "{}\n"
    )
    path = tmp_path / "audience_export_1.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "subscribed_email_audience_export_1.csv", head.format("") + row.format("a", '"""x"",""y"""')
        )
        archive.writestr(
            "unsubscribed_email_audience_export_1.csv", head.format("UNSUB_TIME,") + row.format("b", ",,")
        )
        archive.writestr(
            "cleaned_email_audience_export_1.csv", head.format("CLEAN_TIME,") + row.format("c", ",,")
        )
        archive.writestr("nonsubscribed_email_audience_export_1.csv", head.format("") + row.format("d", ""))
    result = bring(with_lists, path)
    assert (result.added, result.refused) == (1, {"left": 1, "dead": 1, "not confirmed": 1})
    with with_lists.connect() as connection:
        ann = subscribers.find(connection, "a@example.org")
        (consent,) = subscribers.consents_of(connection, ann.id)
    assert (ann.name, ann.tags, ann.time_zone, ann.attributes) == (
        "Ann Ö",
        ("x", "y"),
        "Europe/Vienna",
        {"CC": "at"},
    )
    assert ann.subscription("main").joined_at == datetime(2018, 2, 5, 19, 28, 23, tzinfo=UTC)
    assert consent.network == "2001:db8:1::/48"
    assert "192.0.2.77" not in str(consent.evidence)
    assert consent.evidence["joined-from"] == "192.0.2.0/24"


def test_taken_back_with_its_old_dates(with_lists: Engine, tmp_path: Path) -> None:
    """Who joined elsewhere long ago goes like the others when the import is taken back."""
    result = bring(with_lists, tmp_path / "a.csv", "email,joined at\nann@example.org,2019-01-01\n")
    assert subscribers.undo_import(with_lists.begin, result.id, NOW).removed == 1


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2021-01-01", datetime(2021, 1, 1, tzinfo=UTC)),
        ("2021-01-01T10:00:00.123Z", datetime(2021, 1, 1, 10, 0, 0, 123000, tzinfo=UTC)),
        ("2021-01-01 10:00:00.123456 +0200 CEST", datetime(2021, 1, 1, 8, 0, 0, 123456, tzinfo=UTC)),
        ("0001-01-01 00:00:00+14:00", None),
        ("yesterday", None),
        ("2021-13-01", None),
        ("", None),
        (None, None),
    ],
)
def test_moments(told: str | None, moment: datetime | None) -> None:
    """Moments are read as ISO 8601 and as Go prints them; what is none is none."""
    assert moment_of(told) == moment


@pytest.mark.parametrize(
    ("told", "prefix"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("x", None),
        ("192.0.2.0/24", "192.0.2.0/24"),
    ],
)
def test_prefixes(told: str, prefix: str | None) -> None:
    """Of an address only the prefix of its network is kept."""
    assert prefix_of(told) == prefix
