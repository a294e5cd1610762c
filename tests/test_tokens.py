"""Tokens: shown once, kept as hashes, revoked and expired at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from mailer import tokens
from mailer.database import reading, writing
from mailer.errors import UserError
from mailer.tokens import Scope, is_worn, known, new, revoke, scopes_of, touch
from tests.web.hooks.standing import NOON

if TYPE_CHECKING:
    from sqlalchemy import Engine


def test_a_token_is_known_by_its_text_and_kept_as_a_hash(engine: Engine):
    """The database holds a hash and the first characters: whoever reads it cannot ask in a token's name."""
    with writing(engine) as connection:
        text, made = new(connection, "crm", [Scope.LISTS_READ], NOON)
        found = known(connection, text, NOON)
        row = connection.execute(select(tokens.tokens)).one()
    assert found == made
    assert text.startswith("mlr_")
    assert len(text) == 47
    assert made.prefix == text[:12]
    assert text not in str(tuple(row))
    assert text[12:] not in str(tuple(row))


@pytest.mark.parametrize(
    "change", [str.upper, str.lower, lambda text: text[:-1], lambda text: text + "A", lambda _: ""]
)
def test_any_other_text_is_no_token(engine: Engine, change):
    """Cut, lengthened, in another case: unknown."""
    with writing(engine) as connection:
        text, _ = new(connection, "crm", [Scope.LISTS_READ], NOON)
        assert known(connection, change(text), NOON) is None
        assert known(connection, "mlr_ä\x00" + "x" * 500, NOON) is None


def test_a_revoked_and_an_expired_token_count_no_more(engine: Engine):
    """At once."""
    with writing(engine) as connection:
        text, _ = new(connection, "crm", [Scope.LISTS_READ], NOON, expires_at=NOON + timedelta(days=1))
        assert known(connection, text, NOON + timedelta(hours=23)) is not None
        assert known(connection, text, NOON + timedelta(days=1)) is None
        assert revoke(connection, "crm", NOON) is True
        assert revoke(connection, "crm", NOON) is False
        assert known(connection, text, NOON) is None


def test_a_name_is_given_once(engine: Engine):
    """Also that of a revoked token: what events say of it stays unambiguous."""
    with writing(engine) as connection:
        new(connection, "crm", [Scope.LISTS_READ], NOON)
        revoke(connection, "crm", NOON)
        with pytest.raises(UserError, match="already"):
            new(connection, "crm", [Scope.LISTS_READ], NOON)
        with pytest.raises(UserError, match="cannot name a token"):
            new(connection, "c r m", [Scope.LISTS_READ], NOON)
        with pytest.raises(UserError, match="the tokens are: crm"):
            revoke(connection, "other", NOON)


def test_the_last_use_is_written_to_the_minute(engine: Engine):
    """Reading does not write each time."""
    with writing(engine) as connection:
        _, token = new(connection, "crm", [Scope.LISTS_READ], NOON)
        assert is_worn(token, NOON)
        touch(connection, token, NOON)
    with reading(engine) as connection:
        (token,) = tokens.every(connection)
    assert token.used_at == NOON
    assert not is_worn(token, NOON + timedelta(seconds=59))
    assert is_worn(token, NOON + timedelta(seconds=60))


def test_scopes_have_short_names():
    """`read` is all that reads, `all` is all; a wrong one is answered with those there are."""
    assert all(scope.endswith(":read") for scope in scopes_of(["read"]))
    assert scopes_of(["all"]) == tuple(Scope)
    assert scopes_of(["audit:read", "audit:read"]) == (Scope.AUDIT_READ,)
    with pytest.raises(UserError, match="there is no scope 'audit'"):
        scopes_of(["audit"])
    with pytest.raises(UserError, match="may do nothing"):
        scopes_of([])
