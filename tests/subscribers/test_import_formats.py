"""Files of any kind come in: encodings, tools' exports, archives; and what is no such file is told."""

from __future__ import annotations

import json
import zipfile

import pytest
from sqlalchemy import func, select

import subscribers
from subscribers import tables
from tests.subscribers.files import everybody


@pytest.mark.parametrize(
    "content",
    [
        "email;name\r\nann@example.org;Änn, Ö\r\n".encode("utf-8-sig"),
        "sep=;\r\nemail;name\r\nann@example.org;Änn, Ö\r\n".encode("utf-8-sig"),
        "email\tname\nann@example.org\tÄnn, Ö\n".encode("utf-16"),
        'E-Mail|Name\nann@example.org|"Änn, Ö"\n'.encode(),
        'email,name\rann@example.org,"Änn, Ö"\r'.encode(),
        'email,name\nann@example.org,"Änn, Ö"\n'.encode("cp1252"),
        '\n\nE-MAIL ADDRESS,First Name,Last Name\n ann@example.org ,"Änn,", Ö '.encode(),
        '{"email": "ann@example.org", "name": "Änn, Ö"}\n'.encode(),
    ],
)
def test_formats(load, person, content):
    """Semicolons, tabs, bars, marks of order, old line ends, other encodings and JSON lines all say the same."""
    assert load(content).added == 1
    assert person("ann@example.org").name == "Änn, Ö"


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "shift_jis", "iso8859-7"])
def test_declared_encoding(load, person, tmp_path, encoding):
    """An encoding that cannot be told from the octets can be said; one that does not exist is refused."""
    name = {"shift_jis": "ｱｲｳ さくら", "iso8859-7": "Αθηνά"}.get(encoding, "Юлия")
    path = tmp_path / "people.csv"
    path.write_bytes(f"email,name\nann@example.org,{name}\n".encode(encoding))
    load(path, surveyed=subscribers.survey(path, encoding))
    assert person("ann@example.org").name == name
    with pytest.raises(subscribers.BadFile, match="no encoding"):
        subscribers.survey(path, "utf-99")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        ("name,city\nAnn,Graz\n", "no column holds addresses"),
        ("email,E-Mail\na@example.org,b@example.org\n", "more than one column"),
        ("[1, 2]", "JSON lines"),
    ],
)
def test_bad_files(load, content, why, engine):
    """A file that cannot be understood is refused before anything is done."""
    with pytest.raises(subscribers.BadFile, match=why):
        load(content)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.imports)) == 0


def test_json_lines(load, person):
    """JSON keeps its types; `attributes` are merged, null says nothing, other shapes are rejected."""
    lines = [
        {
            "email": "ann@example.org",
            "tags": ["a", "b"],
            "attributes": {"deep": {"x": [1, 2.5, True]}},
            "n": 7,
            "no": None,
        },
        {"email": ["x"]},
        [1],
        {"email": "bob@example.org", "attributes": "text"},
    ]
    result = load("\n".join(map(json.dumps, lines)) + "\n{broken\n", "people.jsonl")
    assert (result.added, result.rejected) == (1, 4)
    ann = person("ann@example.org")
    assert (ann.attributes, ann.tags) == ({"deep": {"x": [1, 2.5, True]}, "n": 7}, ("a", "b"))


def test_mapping(load, person):
    """Columns are mapped by hand where their names say nothing."""
    load("kontakt,wer,x\nann@example.org,Ann,1\n", mapping={"Kontakt": "email", "wer": "name", "x": "-"})
    assert (person("ann@example.org").name, person("ann@example.org").attributes) == ("Ann", {})


def test_zip_of_mailchimp(load, engine, clock, tmp_path):
    """Mailchimp's ZIP: readers become readers, its unsubscribed and cleaned people are suppressed."""
    path = tmp_path / "audience.zip"
    head = "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,{}LEID,EUID,TAGS\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "subscribed_members_export_1.csv",
            head.format("") + 'a@example.org,Ann,2,2020-01-02 03:04:05,192.0.2.77,1,x,"""beta"",""old"""\n',
        )
        archive.writestr(
            "unsubscribed_members_export_1.csv",
            head.format("UNSUB_TIME,") + "b@example.org,Bob,2,2020-01-02,,2021-02-03,2,y,\n",
        )
        archive.writestr(
            "cleaned_members_export_1.csv", head.format("") + "c@example.org,,1,2020-01-02,,3,z,\n"
        )
        archive.writestr("__MACOSX/._x.csv", "junk")
    result = load(path)
    assert (result.tool, result.added, result.refused) == ("Mailchimp", 1, {"left": 1, "dead": 1})
    assert everybody(engine, clock) == {"a@example.org"}
    again = load("email\nb@example.org\nc@example.org\n")
    assert again.refused == {"left": 1, "dead": 1}
    with engine.connect() as connection:
        ann = subscribers.find(connection, "a@example.org")
        (consent,) = subscribers.consents_of(connection, ann.id)
    assert (ann.tags, ann.attributes) == (("beta", "old"), {})
    assert consent.network == "192.0.2.0/24"
    assert consent.evidence["joined-at"] == "2020-01-02 03:04:05"


@pytest.mark.parametrize(
    ("tool", "lines"),
    [
        (
            "Substack",
            [
                "email,active_subscription,expiry,email_disabled,created_at",
                "a@example.org,false,,false,2021-01-01",
                "b@example.org,false,,true,2021-01-01",
            ],
        ),
        (
            "Ghost",
            [
                "id,email,name,note,subscribed_to_emails,complimentary_plan,created_at,deleted_at,labels",
                "1,a@example.org,Ann,,true,false,2021-01-01,,x",
                "2,b@example.org,Bob,,false,false,2021-01-01,,",
            ],
        ),
        (
            "listmonk",
            [
                "uuid,email,name,attributes,status,created_at,updated_at",
                'u1,a@example.org,Ann,"{""city"": ""Graz""}",enabled,2021-01-01,x',
                "u2,b@example.org,Bob,{},blocklisted,2021-01-01,x",
            ],
        ),
        (
            "Buttondown",
            [
                "id,email_address,type,creation_date,tags,metadata",
                "1,a@example.org,regular,2021-01-01,,{}",
                "2,b@example.org,unsubscribed,2021-01-01,,{}",
            ],
        ),
    ],
)
def test_tools(load, engine, clock, tool, lines):
    """The exports of other tools are known by their columns, and their word about who left is taken."""
    result = load("\n".join(lines))
    assert (result.tool, result.added, sum(result.refused.values())) == (tool, 1, 1)
    assert everybody(engine, clock) == {"a@example.org"}
    assert load("email\nb@example.org\n").added == 0


def test_mailman(load, person):
    """Mailman lists one member a line, with or without the name."""
    result = load(
        'Ann A. <ann@example.org>\nbob@example.org\n"C, D" <cd@example.org>\nnothing here\n', "members.txt"
    )
    assert (result.tool, result.added, result.rejected) == ("Mailman", 3, 1)
    assert (person("ann@example.org").name, person("cd@example.org").name) == ("Ann A.", "C, D")


def test_unknown_status(load):
    """A status that nobody knows is no consent: the row is rejected."""
    result = load("email,status\na@example.org,active\nb@example.org,quux\n")
    assert (result.added, result.rejected) == (1, 1)
