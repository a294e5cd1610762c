"""mailer check: all findings with file and line; exit 1 on errors."""

from __future__ import annotations

import pytest

SOUND = "---\ntitle: 'Tides #{n}: Water'\n---\n\nA paragraph of some length, with words.\n"


def test_a_sound_newsletter_has_no_errors(cli, newsletter):
    """Placeholders are warnings with the line of mailer.toml."""
    (newsletter / "issues" / "1.md").write_text(SOUND.format(n=1))
    ended = cli("check", "--json")
    assert ended.code == 0, ended.out
    found = {(line["rule"], line["file"]) for line in ended.lines if line["level"] == "warning"}
    assert ("placeholder", "mailer.toml") in found
    lines = (newsletter / "mailer.toml").read_text().splitlines()
    for line in ended.lines:
        if line["rule"] == "placeholder":
            assert line["message"].partition(":")[0] in lines[line["line"] - 1]


def test_an_error_in_an_issue_exits_1_with_file_and_line(cli, newsletter):
    """As compilers say it."""
    (newsletter / "issues" / "2.md").write_text(
        SOUND.format(n=2) + "\nHello {{ subscriber.nonsense }}{% if %}\n"
    )
    (newsletter / "issues" / "3.md").write_text("---\ntitle: '#3'\n---\n\n![x](relative.png)\n")
    ended = cli("check")
    assert ended.code == 1
    assert "issues/3.md:5: error:" in ended.out


def test_mistakes_in_mailer_toml_are_findings(cli, newsletter):
    """All at once, each with its line, as for an issue."""
    toml = newsletter / "mailer.toml"
    toml.write_text(toml.read_text().replace("time_zone = ", "timezone = ", 1) + "\n[tripwire]\nafter = 0\n")
    ended = cli("check", "--json")
    assert ended.code == 1
    assert {line["rule"] for line in ended.lines} == {"settings"}
    assert all(line["file"] == "mailer.toml" and line["line"] for line in ended.lines)
    assert len(ended.lines) == 2


@pytest.mark.parametrize(
    ("text", "rule", "level"),
    [
        ('[theme]\naccent = "no colour"\n', "theme", "error"),
        ('[theme]\nshade = "#ffffff"\n', "theme", "error"),
        ('[[relays]]\nname = "a"\nurl = "http://x"\n', "relay", "error"),
        ('[lists.x]\nfrom = "A <a@gmail.com>"\n', "from-freemail", "warning"),
        ('[lists.x]\npublic_url = "http://news.tides.example.com"\n', "public-url", "warning"),
        ('[lists.x]\npostal_address = ""\n', "postal-address", "warning"),
    ],
)
def test_what_providers_and_the_theme_refuse_is_found_with_its_line(cli, newsletter, text, rule, level):
    """G08, U01 and what the other rooms say of their settings."""
    toml = newsletter / "mailer.toml"
    before = toml.read_text()
    toml.write_text(before + text)
    ended = cli("check", "--json")
    found = [line for line in ended.lines if line["rule"] == rule]
    assert found, ended.out
    assert found[0]["level"] == level
    assert found[0]["line"] > before.count("\n")


def test_what_went_out_is_checked_only_by_name(cli, newsletter):
    """Nobody can mend it any more; named, it is checked all the same."""
    (newsletter / "issues" / "1.md").write_text("---\ntitle: '#1'\n---\n\n![x](relative.png)\n")
    assert cli("check").code == 1
    assert cli("issues", "mark-sent", "1", "--yes").code == 0
    ended = cli("check")
    assert ended.code == 0
    assert "went out already" in ended.err
    assert cli("check", "1").code == 1


def test_a_file_that_cannot_be_compiled_is_a_finding(cli, newsletter):
    """It hides nothing of the others."""
    (newsletter / "issues" / "1.md").write_bytes(b"\x00\x01\x02" * 400)
    (newsletter / "issues" / "2.md").write_text("---\ntitle: '#2'\n---\n\n![x](relative.png)\n")
    ended = cli("check", "--json")
    assert {line["file"] for line in ended.lines if line["level"] == "error"} == {
        "issues/1.md",
        "issues/2.md",
    }


def test_any_file_can_be_checked_without_a_newsletter(cli, tmp_path):
    """No mailer.toml, no database."""
    (tmp_path / "post.md").write_text(SOUND.format(n=5))
    assert cli("check", "post.md").code == 0


def test_without_a_newsletter_and_without_an_issue_there_is_nothing_to_check(cli):
    """Bad input, not a clean bill."""
    assert cli("check").code == 2


def test_a_segments_toml_that_is_no_toml_is_found(cli, newsletter):
    """The other file of the newsletter's own."""
    (newsletter / "segments.toml").write_text("loyal = \n")
    ended = cli("check", "--json")
    assert ended.code == 1
    assert "segments" in {line["rule"] for line in ended.lines}
