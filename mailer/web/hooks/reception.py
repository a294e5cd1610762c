"""Taking a report: believed, understood, and written down with its notices in one transaction, whole or not at all.

Promises: what was answered with 200 is stored; the same report, posted again, changes nothing and is answered with 200;
another content under the same name is refused, for it is forged. Unknown events are kept for a month.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select, update

from mailer.database import writing
from mailer.errors import Problem, UserError
from mailer.hooks.tables import reports
from mailer.web.hooks.certificates import Certificates, download
from mailer.web.hooks.model import Post, Refused, Secrets
from mailer.web.hooks.providers import PROVIDERS
from mailer.web.hooks.understanding import understand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.ground import Ground
    from mailer.feedback.model import Notice
    from mailer.settings.hooks import HookSettings

_MOST_KEPT: Final = 65_536  # characters of unknown events of one report


@dataclass(frozen=True, slots=True)
class Proven:
    """A report that is believed and understood, and not yet written down."""

    hook: str
    key: str
    digest: bytes
    events: int
    notices: tuple[Notice, ...]
    unknown: tuple[Mapping[str, Any], ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a report: how many events it held, and how many of them nobody understood."""

    events: int
    notices: int
    unknown: int
    again: bool = False


class Reception:
    """Where providers report. One for a process: it holds their secrets and the certificates that were fetched."""

    def __init__(
        self,
        ground: Ground,
        fetch: Callable[[str], bytes] = download,
        take: Callable[..., object] | None = None,
    ) -> None:
        """Read the secrets; raises UserError for one that is missing or cannot be used."""
        self._ground = ground
        self._take = take or _take
        self._hooks = ground.settings.hooks
        certificates = Certificates(fetch)
        self._secrets = {
            name: Secrets(_secret(one), certificates, fetch) for name, one in self._hooks.items()
        }

    def prove(self, name: str, headers: Mapping[str, str], body: bytes) -> Proven:
        """Believe and understand a post, without the database; may fetch a certificate. Raises Refused."""
        hook = self._hooks.get(name)
        if hook is None:
            raise Refused(404, "unknown-hook", "no provider reports here")
        provider, now = PROVIDERS[hook.kind], self._ground.clock()
        report = provider.verify(Post(headers, body, now), hook, self._secrets[name])
        if not report.key:
            raise Refused(400, "no-name", "the report has no name, so it cannot be taken just once")
        notices, unknown = understand(provider, name, report.events)
        digest = hashlib.sha256(body).digest()
        return Proven(name, report.key, digest, len(report.events), tuple(notices), tuple(unknown), now)

    def store(self, connection: Connection, proven: Proven) -> Receipt:
        """Write a report down with all that follows from it, in the caller's transaction; raises Refused."""
        if _is_known(connection, proven):
            return Receipt(proven.events, 0, 0, again=True)
        kept = json.dumps(proven.unknown, ensure_ascii=False)[:_MOST_KEPT] if proven.unknown else ""
        taken = update(reports).where(reports.c.hook == proven.hook, reports.c.key == proven.key)
        counts = {"notices": len(proven.notices), "unknown": len(proven.unknown)}
        # Half a pair of UTF-16, as a cut emoji leaves it in JSON, is no text, and no database holds it.
        kept = kept.replace("\x00", "").encode("utf-8", "replace").decode()
        connection.execute(taken.values(**counts, kept=kept))
        if proven.notices:
            settings = self._ground.settings
            channel = f"hook:{proven.hook}"
            self._take(
                connection,
                self._ground.keys,
                proven.notices,
                proven.at,
                channel=channel,
                wire=settings.tripwire,
            )
        return Receipt(proven.events, len(proven.notices), len(proven.unknown))

    def take(self, name: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        """Take a post in a transaction of its own; raises Refused."""
        proven = self.prove(name, headers, body)
        with writing(self._ground.database) as connection:
            return self.store(connection, proven)


def _take(*words: Any, **named: Any) -> object:
    from mailer.feedback.taking import take  # noqa: PLC0415 - the policy is loaded with the first report

    return take(*words, **named)


def _secret(hook: HookSettings) -> str:
    if hook.kind in {"ses", "sendgrid"}:
        return ""
    text = hook.secret.read()
    if hook.kind == "generic":
        require_signing(text, f"hooks.{hook.name}")
    return text


def require_signing(secret: str, key: str) -> None:
    """Raise UserError for a secret that Standard Webhooks cannot sign with; it is not shown."""
    from standardwebhooks import Webhook  # noqa: PLC0415

    try:
        Webhook(secret)
    except Exception:  # noqa: BLE001 - the library raises what base64 raises, and errors of its own
        said = "the secret is none of Standard Webhooks: whsec_ and 24 to 64 octets in base64"
        raise UserError(Problem(said, "mailer.toml", key=key)) from None


def _is_known(connection: Connection, proven: Proven) -> bool:
    """Write the report's name down, unless it is there; refuse the same name with another content."""
    from sqlalchemy.dialects import postgresql, sqlite  # noqa: PLC0415

    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {"hook": proven.hook, "key": proven.key, "digest": proven.digest, "at": proven.at}
    written = make(reports).values(**row, notices=0, unknown=0).on_conflict_do_nothing()
    if connection.execute(written.returning(reports.c.id)).first() is not None:
        return False
    seen = select(reports.c.digest).where(reports.c.hook == proven.hook, reports.c.key == proven.key)
    if connection.execute(seen).scalar_one() != proven.digest:
        raise Refused(403, "replayed", "the signature was used for another content")
    return True
