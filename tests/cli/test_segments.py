"""mailer segments: counts, samples, mistakes; and a send to one."""

from __future__ import annotations

from pathlib import Path

import pytest

PEOPLE = "email,name,country,score\nann@a.example.org,Ann,DE,7\nbo@a.example.org,Bo,AT,12\ncem@a.example.org,Cem,,\n"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def readers(cli, newsletter):
    """Three readers of `main`."""
    file = newsletter / "people.csv"
    file.write_text(PEOPLE.replace("a.example.org", "readers.net"))
    assert cli("subscribers", "import", file, "--basis", "test", "--yes").code == 0
    return newsletter


def segments(folder: Path, **texts: str) -> None:
    lines = [f"{name} = '{text}'" for name, text in texts.items()]
    (folder / "segments.toml").write_text("\n".join(lines), encoding="utf-8")


def test_each_segment_is_counted(cli, readers):
    """Every segment with its text and its readers on each list."""
    segments(readers, dach='country in ("DE", "AT")', high="score > 10", unknown="country is missing")
    ended = cli("segments", "--json")
    assert ended.code == 0
    assert {(row["segment"], row["list"], row["readers"]) for row in ended.lines} == {
        ("dach", "main", 2), ("high", "main", 1), ("unknown", "main", 1),
    }  # fmt: skip
    assert "dach" in cli("segments").out


def test_a_segment_is_shown(cli, readers):
    """Its text, what it means now, and the newest of its readers."""
    segments(readers, dach='country in ("DE", "AT")')
    shown = cli("segments", "show", "dach", "--sample", 1, "--json").json
    assert (shown["readers"], shown["sample"]) == (2, [{"email": "bo@readers.net", "name": "Bo"}])
    assert shown["condition"] == 'attribute "country" in ("DE", "AT")'
    said = cli("segments", "show", "dach").out
    assert "2 readers of main" in said
    assert "ann@readers.net  Ann" in said


def test_a_mistake_spoils_nothing_else(cli, readers):
    """The others are counted, the mistake has its place, and the exit code is 1; `check` and `show` say the same."""
    segments(readers, dach='country in ("DE", "AT")', bad="country = DE")
    ended = cli("segments")
    assert ended.code == 1
    assert "dach" in ended.out
    assert "segments.toml:2: bad: DE does not belong here" in ended.err
    checked = cli("check")
    assert checked.code == 1
    assert "              ^^" in checked.out
    assert cli("segments", "show", "bad").code == 2
    assert cli("segments", "show", "nope").code == 2


def test_without_any(cli, newsletter):
    """No file, no segments."""
    assert cli("segments").out.startswith("No segments")


def test_a_segment_goes_out(cli, readers, monkeypatch):
    """`send --segment` sends to its readers alone, and says how many beforehand."""
    monkeypatch.setenv("MAILER_RELAY", f"folder://{readers}/mail")
    monkeypatch.setenv("MAILER_PUBLIC_URL", "https://news.readers.net")
    segments(readers, dach='country in ("DE", "AT")')
    (readers / "issues").mkdir(exist_ok=True)
    (readers / "issues" / "072-water.md").write_text(
        "---\ntitle: Water\nnumber: 72\n---\n\nThe tide is low.\n"
    )
    dry = cli("send", 72, "--segment", "dach", "--dry-run", "--json")
    assert dry.code == 0, dry.err
    assert dry.lines[-1]["readers"] == 2
    ended = cli("send", 72, "--segment", "dach", "--yes")
    assert ended.code == 0, ended.err + ended.out
    assert len(list((readers / "mail").rglob("*.eml"))) == 2
    (readers / "segments.toml").write_text("lacks = 'not received issue 72'\n")
    assert cli("segments", "--json").json["readers"] == 1


def test_what_nobody_can_answer_is_doubted(cli, readers):
    """An attribute that nobody has and an issue that never went out are told, with the line; the rest is not."""
    segments(readers, good='country = "DE"', odd='contry = "DE" or received issue 999')
    words = ("has an attribute 'contry'", "no issue 999 went out")
    shown = cli("segments", "show", "odd", "--json").json["doubts"]
    assert [word in said for said, word in zip(shown, words, strict=True)] == [True, True]
    told = cli("segments", "show", "odd")
    assert (told.code, all(word in told.err for word in words)) == (0, True)
    assert cli("segments", "show", "good", "--json").json["doubts"] == []
    found = [line for line in cli("check", "--json").lines if line.get("rule") == "segments"]
    assert {(line["level"], line["file"], line["line"]) for line in found} == {
        ("warning", "segments.toml", 2)
    }
    assert len(found) == 2


def test_indexes_are_made_by_an_upgrade(cli, newsletter):
    """`mailer check` says that one is missing; `mailer db upgrade` makes what mailer.toml declares, once."""
    file = newsletter / "mailer.toml"
    file.write_text(
        file.read_text() + '\n[attributes]\ncountry = "text"\naddress.city = "text"\nscore = "number"\n'
    )
    (warning,) = [line for line in cli("check", "--json").lines if line.get("rule") == "segments"]
    assert (warning["level"], "mailer db upgrade" in warning["message"]) == ("warning", True)
    assert {"indexes": "missing"} in cli("status", "--json").lines
    assert "`mailer db upgrade` makes them" in cli("status").out
    assert cli("db", "upgrade", "--json").json["indexes"] == 3
    assert not [line for line in cli("check", "--json").lines if line.get("rule") == "segments"]
    assert "upgrade" not in cli("status").out
    assert cli("db", "upgrade", "--json").json["indexes"] == 0


@pytest.mark.parametrize("line", ['country = "texts"', "country = 7", '"a b" = "text"', '"x\\"" = "text"'])
def test_a_wrong_declaration_is_told(cli, newsletter, line):
    """Kinds and names are checked, with the line."""
    file = newsletter / "mailer.toml"
    file.write_text(file.read_text() + f"\n[attributes]\n{line}\n")
    ended = cli("check")
    assert ended.code == 1
    assert "mailer.toml:" in ended.out
    assert "attributes" in ended.out


def test_the_example_has_segments():
    """The small newsletter that is shown around has segments that are understood."""
    from mailer.delivery.dispatch import now_utc
    from mailer.delivery.segments import Segments
    from mailer.settings import load_settings

    mine = Segments(load_settings(ROOT / "examples" / "slack-water", {}))
    assert set(mine.book().texts) == {"afloat", "north"}
    assert list(mine.problems(now_utc())) == []
