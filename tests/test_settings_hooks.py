"""The tables about hooks: what is missing is said with its key, and no secret shows."""

from __future__ import annotations

from uuid import uuid4

import pytest

from mailer.errors import UserError
from mailer.settings import load_settings
from mailer.settings.hooks import Secret

HEAD = f'id = "{uuid4()}"\nfrom = "News <news@slackwater.example>"\n'


def loaded(folder, text):
    (folder / "mailer.toml").write_text(HEAD + text)
    return load_settings(folder, {})


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("[hooks.ses]\n", "hooks.ses", "topics"),
        ("[hooks.mailgun]\n", "hooks.mailgun", "secret_file or secret_variable"),
        ('[hooks.postmark]\nsecret_file = "x"\n', "hooks.postmark", "username"),
        ("[hooks.sendgrid]\n", "hooks.sendgrid", "public_key"),
        ('[hooks.sendgrid]\npublic_key = "not base64!"\n', "hooks.sendgrid", "verification key"),
        ("[hooks.other]\n", "hooks.other", "set kind"),
        ('[hooks."Ä"]\nkind = "generic"\n', "hooks.Ä", "cannot name a hook"),
        ('[hooks.other]\nkind = "sparkpost"\n', "hooks.other.kind", "the kinds are: ses, postmark"),
        ('[hooks.ses]\ntopic = "x"\n', "hooks.ses.topic", "did you mean topics?"),
        ('[[webhooks]]\nname = "crm"\nurl = "https://x.example/h"\n', "webhooks.0", "secret_file"),
        (
            '[[webhooks]]\nname = "crm"\nsecret_file = "x"\nurl = "http://x.example/h"\n',
            "webhooks.0.url",
            "https",
        ),
        ('[[webhooks]]\nname = "crm"\nsecret_file = "x"\nurl = "ftp://x"\n', "webhooks.0.url", "web address"),
        (
            '[[webhooks]]\nname = "crm"\nsecret_file = "x"\nurl = "https://x"\nevents = ["opened"]\n',
            "webhooks.0.events.0",
            "is not sent",
        ),
        (
            2 * '[[webhooks]]\nname = "crm"\nsecret_file = "x"\nurl = "https://x"\n',
            "webhooks.1.name",
            "two webhooks",
        ),
        ("[api]\nper_minute = 0\n", "api.per_minute", "greater than or equal to 1"),
        ("[monitor]\nport = 70000\n", "monitor.port", "less than or equal to 65535"),
    ],
)
def test_a_mistake_is_named_with_its_key(tmp_path, text, key, said):
    """What a hook lacks is known before the first report comes."""
    with pytest.raises(UserError) as error:
        loaded(tmp_path, text)
    (problem,) = error.value.problems
    assert problem.key == key
    assert said in problem.message
    assert problem.line is not None


def test_the_name_of_a_table_says_the_kind_unless_kind_does(tmp_path):
    """Two hooks of one provider have two names."""
    settings = loaded(
        tmp_path,
        '[hooks.mailgun]\nsecret_file = "a"\n[hooks.mailgun-eu]\nkind = "mailgun"\nsecret_file = "b"\n',
    )
    assert {one.kind for one in settings.hooks.values()} == {"mailgun"}


def test_plain_http_may_go_to_this_machine_and_private_networks(tmp_path):
    """A receiver beside the mailer needs no certificate."""
    for host in ("localhost:8000", "127.0.0.1", "10.1.2.3:80", "[::1]:80", "crm.internal"):
        text = f'[[webhooks]]\nname = "crm"\nsecret_file = "x"\nurl = "http://{host}/h"\n'
        assert loaded(tmp_path, text).webhooks[0].url.startswith("http://")


def test_no_secret_shows(tmp_path):
    """Neither what a table holds nor where a receiver stands is in a repr; the receiver's host is its own field."""
    settings = loaded(
        tmp_path,
        '[[webhooks]]\nname = "crm"\nsecret_file = "a"\nurl = "https://hooks.example/T0/SECRET"\n'
        '[hooks.mailgun]\nsecret_variable = "KEY"\n',
    )
    assert "SECRET" not in repr(settings)
    assert "KEY" not in repr(settings.hooks)
    assert settings.webhooks[0].host == "hooks.example"


def test_a_secret_is_read_when_it_is_needed(tmp_path):
    """A machine that only writes issues needs no secret; a missing one names its place and nothing else."""
    settings = loaded(tmp_path, '[hooks.mailgun]\nsecret_file = "mailgun.key"\n')
    secret = settings.hooks["mailgun"].secret
    with pytest.raises(UserError, match=r"mailgun\.key: cannot be read"):
        secret.read()
    (tmp_path / "mailgun.key").write_text("")
    with pytest.raises(UserError, match="is empty"):
        secret.read()
    (tmp_path / "mailgun.key").write_bytes(b"\xff\n")
    with pytest.raises(UserError, match="UTF-8"):
        secret.read()
    (tmp_path / "mailgun.key").write_text("s3cret\n")
    assert secret.read() == "s3cret"
    assert Secret(variable="KEY").read({"KEY": "v"}) == "v"
    with pytest.raises(UserError, match="KEY: is not set"):
        Secret(variable="KEY").read({})
