"""mailer.toml and MAILER_*: what they mean, and how mistakes are told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import Problem, UserError
from mailer.settings import find_folder, load_settings, seek_folder
from mailer.settings.values import domain, glob
from mailer.smtp.relay import parse_relay

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mailer.settings import Settings

ID = "6f3c1e34-7d8e-4f8e-9d33-2b1f7e6f0001"
HEAD = f'id = "{ID}"\nfrom = "The Tide <tide@slack.test>"\n'


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Settings]:
    """Write mailer.toml and load it, under the given environment."""

    def load(text: str, **environ: str) -> Settings:
        (tmp_path / "mailer.toml").write_text(text)
        return load_settings(tmp_path, environ)

    return load


def problems(load: Callable[..., Settings], text: str, **environ: str) -> list[Problem]:
    with pytest.raises(UserError) as raised:
        load(text, **environ)
    return list(raised.value.problems)


def test_all_problems_are_reported_at_once_in_the_order_of_the_file(load):
    """A person mends the file in one go: each problem has its key and line."""
    text = f'id = "{ID}"\nnam = "x"\nfrom = "nobody"\n[lists.main]\ntime_zone = "Mars/Olympus"\n'
    found = [(problem.key, problem.line) for problem in problems(load, text)]
    assert found == [("nam", 2), ("from", 3), ("lists.main.time_zone", 5)]


def test_an_unknown_key_is_told_with_the_nearest_known_one(load):
    """A slip of the finger is named, in the main table and in any other."""
    (problem,) = problems(load, HEAD + '[[relays]]\nname = "a"\nurl = "smtp://h"\nconections = 3\n')
    assert "did you mean connections?" in problem.message


def test_a_file_that_is_not_toml_is_told_with_its_line(load):
    """The parser's own complaint, at its line, without a traceback."""
    (problem,) = problems(load, HEAD + "name = \n")
    assert (problem.file, problem.line) == ("mailer.toml", 3)


def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path):
    """The line of the first octet that is wrong."""
    (tmp_path / "mailer.toml").write_bytes(b'id = "x"\nname = "caf\xe9"\n')
    with pytest.raises(UserError, match=r"mailer\.toml:2: is not UTF-8"):
        load_settings(tmp_path, {})


def test_a_file_that_is_too_large_is_refused(load):
    """What stands in a file is bounded."""
    (problem,) = problems(load, "#" * 1_000_001)
    assert "1 MB" in problem.message


def test_without_lists_there_is_one_named_main(load):
    """A newsletter that says nothing of lists has one."""
    settings = load(HEAD)
    assert list(settings.lists) == ["main"]
    assert settings.for_list("main").sender.address == "tide@slack.test"


def test_a_list_says_it_first_then_its_brand_then_the_newsletter(load):
    """Overrides are resolved once, so that nobody else need ask who inherits what."""
    settings = load(
        HEAD
        + """
        language = "en"
        postal_address = "Quay 1"
        why = "newsletter"
        [theme]
        ink = "#111111"
        paper = "#eeeeee"
        [brands.acme]
        postal_address = "Acme Road 2"
        why = "brand"
        theme = { ink = "#222222", accent = "#00ff00" }
        [lists.weekly]
        brand = "acme"
        why = "list"
        theme = { accent = "#ff0000" }
        [lists.main]
        """
    )
    weekly, main = settings.for_list("weekly"), settings.for_list("main")
    assert (weekly.why, weekly.postal_address, weekly.language) == ("list", "Acme Road 2", "en")
    assert weekly.theme == {"ink": "#222222", "paper": "#eeeeee", "accent": "#ff0000"}
    assert (main.why, main.postal_address) == ("newsletter", "Quay 1")


def test_an_unknown_list_is_answered_with_the_lists_there_are(load):
    """A list is never guessed."""
    with pytest.raises(UserError, match="the lists are: a, b"):
        load(HEAD + "[lists.a]\n[lists.b]\n").for_list("c")


def test_contradictions_are_found_with_their_lines(load):
    """A relay, a brand or a sender that is named and does not exist."""
    text = f'id = "{ID}"\n[lists.main]\nbrand = "b"\nrelay = "r"\n[[relays]]\nname = "x"\n[brands.Bad]\n'
    found = {problem.key: problem.line for problem in problems(load, text)}
    assert found == {
        "lists.main.brand": 3,
        "lists.main.relay": 4,
        "lists.main.from": 2,
        "relays.0.url": 5,
        "brands.Bad": 7,
    }


def test_the_environment_wins_over_the_file(load):
    """Every variable, also over what a list says of itself."""
    settings = load(
        HEAD + 'base_url = "https://a.test/"\n[lists.main]\npublic_url = "https://b.test"\n',
        MAILER_BASE_URL="https://env.test/base/",
        MAILER_PUBLIC_URL="https://env.test/",
        MAILER_DATABASE="postgresql://u:p@h/d",
        MAILER_SECRET="a secret",
    )
    main = settings.for_list("main")
    assert (main.base_url, main.public_url) == ("https://env.test/base/", "https://env.test")
    assert (settings.database, settings.secret) == ("postgresql://u:p@h/d", "a secret")


def test_one_relay_of_the_environment_replaces_all_of_the_file(load):
    """Also where a list names a relay, and where the file's relays need secrets that are not here."""
    settings = load(
        HEAD + '[[relays]]\nname = "ses"\nurl_file = "nowhere"\n[lists.main]\nrelay = "ses"\n',
        MAILER_RELAY="smtp://user:a/b+c@127.0.0.1:2525?tls=off&connections=20",
    )
    (relay,) = settings.relays
    parsed = parse_relay(relay.url, relay.name, relay.options)
    assert (parsed.password, parsed.connections) == ("a/b+c", 20)
    assert settings.for_list("main").relay is None


def test_a_problem_of_the_environment_names_its_variable(load):
    """Nobody looks for it in the file."""
    (problem,) = problems(load, HEAD, MAILER_DATABASE="mysql://u:secret@h/d")
    assert (problem.key, problem.file) == ("MAILER_DATABASE", None)
    assert "secret" not in str(problem)


@pytest.mark.parametrize("variable", ["MAILER_SECRET", "MAILER_RELAY", "MAILER_DATABASE"])
def test_a_secret_can_come_from_a_file(load, tmp_path, variable):
    """MAILER_X_FILE names a file, as containers hand secrets over; its last line break is no part of it."""
    values = {
        "MAILER_SECRET": "s" * 40,
        "MAILER_RELAY": "smtp://h",
        "MAILER_DATABASE": "postgresql://u:p@h/d",
    }
    (tmp_path / "handed-over").write_text(values[variable] + "\n")
    settings = load(HEAD, **{f"{variable}_FILE": "handed-over"})
    found = {
        "MAILER_SECRET": settings.secret,
        "MAILER_RELAY": settings.relays[0].url if settings.relays else None,
        "MAILER_DATABASE": settings.database,
    }
    assert found[variable] == values[variable]


def test_a_secret_file_that_is_missing_is_told_with_all_other_problems(load):
    """It hides nothing else that is wrong."""
    found = [problem.key for problem in problems(load, HEAD + "x = 1\n", MAILER_SECRET_FILE="nowhere")]
    assert found == ["MAILER_SECRET_FILE", "x"]


def test_a_relay_takes_its_password_from_a_file(load, tmp_path):
    """What the smtp room makes of a table of mailer.toml, limits and all."""
    (tmp_path / "pw").write_text("p/w+x\n")
    settings = load(
        HEAD
        + '[[relays]]\nname = "ses"\nurl = "smtp://h:587"\nusername = "u"\npassword_file = "pw"\nkind = "ses"\n'
        + 'tls = "starttls"\nconnections = 7\nper_second = 14\nper_day = 50000\nstreams = "letters"\n'
    )
    (relay,) = settings.relays
    parsed = parse_relay(relay.url, relay.name, relay.options)
    assert (parsed.username, parsed.password, parsed.connections) == ("u", "p/w+x", 7)
    assert (parsed.per_second, parsed.per_day, parsed.streams) == (14, 50000, ("letters",))


def test_no_secret_shows_when_settings_are_printed(load):
    """A repr ends up in logs and tracebacks."""
    settings = load(
        HEAD,
        MAILER_SECRET="hidden-1",
        MAILER_RELAY="smtp://u:hidden-2@h",
        MAILER_DATABASE="postgresql://u:hidden-3@h/d",
    )
    assert "hidden" not in repr(settings)


def test_a_relative_database_counts_from_the_folder(load, tmp_path):
    """The command may run from anywhere."""
    assert load(HEAD + 'database = "sqlite:///x/y.db"\n').database == f"sqlite:///{tmp_path}/x/y.db"
    assert load(HEAD).database == f"sqlite:///{tmp_path}/.mailer/mailer.db"


@pytest.mark.parametrize(
    "line",
    [
        'from = "A <a@b.test>\\r\\nBcc: x@y.test"',
        'name = "two\\nlines"',
        'base_url = "javascript:alert(1)"',
        'public_url = "https://u:p@h.test"',
        'issues = ["../*.md"]',
        'issues = "/etc/*"',
        "issues = []",
        'issues = ["issues/*.md", ""]',
        'issues = "."',
        'issues = "./"',
        'issues = ["two/**.md"]',
        'issues = "a**/x.md"',
        'issues = "a\\u0000b"',
        f'issues = "{"a" * 256}/*.md"',
        'language = "<b>"',
        'time_zone = "../../etc/passwd"',
        'theme = { ink = "red;} body{" }',
        'theme = { ink = "url(http://x)" }',
        'list_id = "no domain"',
        'feedback_id = "abc"',
        'database = "oracle://x"',
        'id = "not a uuid"',
        "workers = 0",
        "workers = 65",
        pytest.param(f"workers = {'9' * 5_000}", id="workers of 5,000 digits"),
        'workers = "many"',
        "[tripwire]\nrefused_percent = 0",
        "[lists.'../x']",
        '[domains."not a domain!"]',
    ],
)
def test_a_hostile_or_impossible_value_is_refused(load, line):
    """Each value is checked for the place where it will stand: a header, a URL, CSS, a path."""
    text = (
        HEAD if not line.startswith(("from", "id")) else re.sub(rf"(?m)^{line.split()[0]} = .*\n", "", HEAD)
    )
    assert problems(load, text + line + "\n")


@given(st.text("*?[]!a-./\\\0ü", max_size=12) | st.text("aü", min_size=120))
def test_a_glob_that_is_taken_can_be_looked_for(tmp_path_factory, pattern):
    """What the settings let pass stops no command later: Path.glob takes it."""
    try:
        glob(pattern)
    except ValueError:
        return
    assert list(tmp_path_factory.getbasetemp().joinpath("nothing").glob(pattern)) == []


def test_placeholders_load_and_are_named(load):
    """The documentation's examples are no mistake and no sender either: check warns of them."""
    settings = load(f'id = "{ID}"\nfrom = "News <news@example.org>"\npostal_address = "1 Example Street"\n')
    assert [(problem.key, problem.line) for problem in settings.warnings] == [
        ("from", 2),
        ("postal_address", 3),
    ]


def test_a_folder_below_belongs_to_the_newsletter(tmp_path):
    """As git does: the nearest mailer.toml upwards."""
    (tmp_path / "mailer.toml").write_text(HEAD)
    below = tmp_path / "issues" / "2026"
    below.mkdir(parents=True)
    assert find_folder(below) == tmp_path.resolve()


def test_where_there_is_no_newsletter_the_answer_says_what_to_do(tmp_path):
    """`mailer init` is the way out."""
    assert seek_folder(tmp_path) is None
    with pytest.raises(UserError, match="mailer init"):
        find_folder(tmp_path)


def test_a_domain_is_kept_as_mail_knows_it():
    """In A-labels of IDNA 2008, by which `ß` is a letter of its own."""
    assert domain(" Straße.DE. ") == "xn--strae-oqa.de"
    assert domain("MX.Example.org") == "mx.example.org"
    for bad in ("", "a b.example", "ü-.example", "\u2028.example"):
        with pytest.raises(ValueError, match="is no domain name"):
            domain(bad)
