"""The providers, by kind. A new one is a module with a verifier and a table, and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mailer.web.hooks.providers import generic, mailgun, postmark, sendgrid, ses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailer.web.hooks.model import Provider

PROVIDERS: Final[Mapping[str, Provider]] = {
    "ses": ses.PROVIDER,
    "postmark": postmark.PROVIDER,
    "sendgrid": sendgrid.PROVIDER,
    "mailgun": mailgun.PROVIDER,
    "generic": generic.PROVIDER,
}
