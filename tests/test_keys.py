"""Tokens prove what they speak of and nothing else; the ring is read with care."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mailer.errors import UserError
from mailer.keys import Key, Keys, Purpose, load_keys, new_secret, rotated_secret

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = Key(0, bytes(range(32))), Key(7, bytes(range(64)))
KEYS = Keys((NEW, OLD))
ids = st.integers(0, 2**64 - 1)
purposes = st.sampled_from(Purpose)


@given(purposes, ids, ids)
def test_a_token_gives_back_its_two_ids(purpose: Purpose, subscriber: int, other: int):
    """Every pair of ids survives the way into a link and into an address, in any case (V01)."""
    link = KEYS.link_token(purpose, subscriber, other)
    mail = KEYS.mail_token(purpose, subscriber, other)
    assert KEYS.read_link_token(purpose, link) == (subscriber, other)
    assert KEYS.read_mail_token(purpose, mail) == (subscriber, other)
    assert KEYS.read_mail_token(purpose, mail.upper()) == (subscriber, other)


@given(purposes, purposes, ids, ids)
def test_a_token_proves_nothing_for_another_purpose(made: Purpose, asked: Purpose, first: int, second: int):
    """A token to read an issue in the browser unsubscribes nobody (U08)."""
    assume(made is not asked)
    assert KEYS.read_link_token(asked, KEYS.link_token(made, first, second)) is None
    assert KEYS.read_mail_token(asked, KEYS.mail_token(made, first, second)) is None


@given(purposes, ids, ids, st.data())
def test_a_token_changed_in_one_character_proves_nothing(
    purpose: Purpose, first: int, second: int, data: st.DataObject
):
    """Every character counts, the last one with its spare bits too (U08)."""
    token = KEYS.link_token(purpose, first, second)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("AZaz09-_=+/ .\n\0é"))
    assume(token[place] != other)
    assert KEYS.read_link_token(purpose, token[:place] + other + token[place + 1 :]) is None


@given(purposes, ids, ids, st.data())
def test_a_mail_token_changed_in_one_character_proves_nothing(
    purpose: Purpose, first: int, second: int, data: st.DataObject
):
    """A neighbour's id cannot be reached by counting (V02)."""
    token = KEYS.mail_token(purpose, first, second)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("0123456789abcdef =+\n\0é"))
    assume(token[place] != other)
    assert KEYS.read_mail_token(purpose, token[:place] + other + token[place + 1 :]) is None


@given(purposes, ids, ids, st.data())
def test_a_token_cut_or_lengthened_proves_nothing(
    purpose: Purpose, first: int, second: int, data: st.DataObject
):
    """A mail program that breaks a link leaves a token that says no, not another reader (U08)."""
    for token, read in (
        (KEYS.link_token(purpose, first, second), KEYS.read_link_token),
        (KEYS.mail_token(purpose, first, second), KEYS.read_mail_token),
    ):
        assert read(purpose, token[: data.draw(st.integers(0, len(token) - 1))]) is None
        assert read(purpose, token + data.draw(st.text("Aa0= \n", min_size=1, max_size=80))) is None


@given(purposes, st.text(max_size=100))
def test_any_text_may_be_asked_about(purpose: Purpose, text: str):
    """Nonsense gets None, never an exception."""
    assert KEYS.read_link_token(purpose, text) is None
    assert KEYS.read_mail_token(purpose, text) is None


@given(purposes, ids, ids)
def test_rotation_keeps_every_old_token_good(purpose: Purpose, first: int, second: int):
    """The new ring proves what the old one made; a ring without the key does not (U11)."""
    token = Keys((OLD,)).link_token(purpose, first, second)
    assert KEYS.read_link_token(purpose, token) == (first, second)
    assert Keys((NEW,)).read_link_token(purpose, token) is None
    assert Keys((OLD,)).read_link_token(purpose, KEYS.link_token(purpose, first, second)) is None


def test_two_secrets_with_one_id_do_not_prove_each_other():
    """The id only finds the key: the secret proves."""
    token = Keys((OLD,)).link_token(Purpose.UNSUBSCRIBE, 1, 2)
    assert Keys((Key(0, bytes(32)),)).read_link_token(Purpose.UNSUBSCRIBE, token) is None


def test_the_suppression_key_never_rotates():
    """Hashes made before a rotation are found after it."""
    assert KEYS.suppression == Keys((OLD,)).suppression != Keys((NEW,)).suppression


def test_a_mail_token_fits_an_envid():
    """N04, V01: 38 case-blind characters at most, for 4 billion readers and 16 million mailings."""
    token = KEYS.mail_token(Purpose.MESSAGE_ID, 2**32 - 1, 2**24 - 1)
    assert re.fullmatch("[0-9a-f]{,38}", token)


def test_no_token_holds_an_id_larger_than_8_octets():
    """A negative or enormous id is a bug, and is named at once."""
    for first, second in ((1, -1), (1, 2**64), (-1, 1), (2**80, 1)):
        with pytest.raises((ValueError, OverflowError, IndexError)):
            KEYS.link_token(Purpose.BROWSER, first, second)


def private(folder: Path, text: str, mode: int = 0o600) -> Path:
    """Write a secret as init would."""
    path = folder / "secret.key"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_new_secret_is_read_back(tmp_path: Path):
    """What new_secret gives is what load takes, from the file or from MAILER_SECRET."""
    text = new_secret()
    token = load_keys(private(tmp_path, text), None).link_token(Purpose.CONFIRM, 5, 6)
    assert load_keys(None, text).read_link_token(Purpose.CONFIRM, token) == (5, 6)
    assert new_secret() != text


def test_the_environment_goes_before_the_file(tmp_path: Path):
    """A server that has MAILER_SECRET does not look at the file."""
    env = new_secret()
    keys = load_keys(tmp_path / "missing", env)
    assert keys.suppression == load_keys(None, env).suppression


def test_rotated_text_makes_new_tokens_and_proves_old_ones(tmp_path: Path):
    """Two rotations in a row: the first line makes, every line proves, the last one suppresses."""
    first = "# the secret of this newsletter\n" + new_secret()
    ring = load_keys(private(tmp_path, rotated_secret(rotated_secret(first))), None)
    before = load_keys(None, first)
    assert ring.read_mail_token(Purpose.CONFIRM, before.mail_token(Purpose.CONFIRM, 1, 1)) == (1, 1)
    assert before.read_mail_token(Purpose.CONFIRM, ring.mail_token(Purpose.CONFIRM, 1, 1)) is None
    assert ring.suppression == before.suppression


def test_one_line_with_commas_is_a_ring_too():
    """An environment variable rarely holds line ends."""
    text = rotated_secret(new_secret())
    line = text.strip().replace("\n", ",")
    assert load_keys(None, line).suppression == load_keys(None, text).suppression


def test_a_passphrase_will_do():
    """What `openssl rand -hex 32` gives is a secret; 31 characters are not."""
    phrase = "4f2a " * 7
    token = load_keys(None, phrase).link_token(Purpose.CONFIRM, 5, 6)
    assert load_keys(None, phrase + "\n").read_link_token(Purpose.CONFIRM, token) == (5, 6)
    with pytest.raises(UserError):
        load_keys(None, "x" * 31)


def test_a_full_ring_says_so():
    """The 257th key has no id left."""
    text = new_secret()
    for _ in range(255):
        text = rotated_secret(text)
    with pytest.raises(UserError, match="256 keys"):
        rotated_secret(text)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int):
    """The error says which command mends it, and never shows the secret."""
    text = new_secret()
    path = private(tmp_path, text, mode)
    with pytest.raises(UserError, match="chmod 600") as caught:
        load_keys(path, None)
    assert text.split(":")[1].strip() not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *("", "# nothing\n", "0", "0:", "0:short", "0:" + "é" * 43, "0:" + "A" * 100, "0:" + "A" * 43 + "!"),
        *("x:" + "A" * 43, "256:" + "A" * 43, "-1:" + "A" * 43, "0:" + "A" * 43 + ",0:" + "B" * 43),
    ],
)
def test_a_secret_that_is_none_is_refused_without_showing_it(text: str, tmp_path: Path):
    """Every spelling that is not a ring gets a problem with its source; nothing of the text is repeated."""
    with pytest.raises(UserError) as caught:
        load_keys(private(tmp_path, text), None)
    assert "secret.key" in str(caught.value)
    assert "AAAA" not in str(caught.value)


def test_no_secret_at_all_names_the_way_to_one(tmp_path: Path):
    """Neither file nor variable: the error says `mailer init`."""
    for file in (None, tmp_path / "missing"):
        with pytest.raises(UserError, match="mailer init"):
            load_keys(file, " ")
    with pytest.raises(UserError, match="cannot be read"):
        load_keys(tmp_path, None)
    with pytest.raises(UserError, match="is not a secret"):
        load_keys(private(tmp_path, "0:" + "A" * 70_000), None)


@given(purposes, ids, ids)
def test_an_older_key_may_go_on_making_tokens(purpose: Purpose, subscriber: int, other: int):
    """A mailing keeps the key that it began with: the same tokens after a rotation, and the whole ring proves them."""
    before, led = Keys((OLD,)), KEYS.led_by(OLD.id)
    assert led.mail_token(purpose, subscriber, other) == before.mail_token(purpose, subscriber, other)
    assert led.read_mail_token(purpose, KEYS.mail_token(purpose, subscriber, other)) == (subscriber, other)
    assert led.suppression == KEYS.suppression
    assert KEYS.mail_token(purpose, subscriber, other) != led.mail_token(purpose, subscriber, other)


@pytest.mark.parametrize("key_id", [None, 200, NEW.id])
def test_a_key_that_the_ring_lacks_leads_nothing(key_id: int | None):
    """Then the newest makes the tokens, as it does otherwise."""
    assert KEYS.led_by(key_id).link_token(Purpose.BROWSER, 1, 2) == KEYS.link_token(Purpose.BROWSER, 1, 2)
    assert (KEYS.newest, OLD.id in KEYS, 200 in KEYS) == (NEW.id, True, False)


def test_a_key_hides_itself():
    """A traceback or a log shows ids only."""
    assert "secret=…" in repr(OLD)
    assert repr(KEYS) == "Keys(ids=[7, 0])"
    for ring in ((), (OLD, OLD)):
        with pytest.raises(ValueError, match="ring"):
            Keys(ring)
    for key_id, secret in ((256, bytes(32)), (0, bytes(31)), (0, bytes(65))):
        with pytest.raises(ValueError, match="key"):
            Key(key_id, secret)


@given(ids, st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_a_timed_token_says_until_when_it_may_be_used(subscriber: int, expires: datetime):
    """To the second; afterwards it still tells whom it was for, so that a page can say what to do."""
    timed = KEYS.read_timed_token(Purpose.ERASE, KEYS.timed_token(Purpose.ERASE, subscriber, expires))
    assert timed is not None
    assert (timed.subscriber, timed.expires) == (subscriber, expires.replace(microsecond=0))
    assert not timed.expired(timed.expires - timedelta(seconds=1))
    assert timed.expired(timed.expires)


@given(ids, ids)
def test_any_genuine_token_may_be_asked_for_its_time(subscriber: int, other: int):
    """A number that is no moment proves nothing, and raises nothing."""
    token = KEYS.link_token(Purpose.ERASE, subscriber, other)
    timed = KEYS.read_timed_token(Purpose.ERASE, token)
    assert timed is None or timed.subscriber == subscriber
