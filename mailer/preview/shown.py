"""Edition + reader -> what the preview shows, taken out of the message itself."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any

from mailer.errors import Problem, UserError
from mailer.message.press import Press
from mailer.preview.pictures import local_pictures

if TYPE_CHECKING:
    from datetime import datetime
    from email.message import EmailMessage
    from pathlib import Path

    from mailer.edition import Edition, Masthead
    from mailer.issue.model import Finding
    from mailer.keys import Keys
    from mailer.message import Message, Recipient, Sender

CLIPPED = 102_400  # octets of HTML after which Gmail shows a link instead


@dataclass(frozen=True, slots=True)
class Setting:
    """Whose mail is shown, and to whom: everything of a message but its edition."""

    masthead: Masthead
    sender: Sender
    keys: Keys
    reader: Recipient
    mailing_id: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """One state of the preview. `problems` say why there is no newer mail than this one."""

    version: int = 0
    subject: str = ""
    sender: str = ""
    preheader: str = ""
    html: str = ""
    text: str = ""
    message: bytes = b""
    draft: bool = False
    findings: tuple[Finding, ...] = ()
    pictures: tuple[tuple[str, Path], ...] = ()
    problems: tuple[Problem, ...] = field(default=())

    @property
    def state(self) -> dict[str, Any]:
        """Give what the page needs to know, as plain JSON."""
        size = len(self.html.encode())
        return {
            "version": self.version,
            "subject": self.subject,
            "sender": self.sender,
            "preheader": self.preheader,
            "draft": self.draft,
            "html_bytes": size,
            "message_bytes": len(self.message),
            "clipped": size > CLIPPED,
            "findings": [asdict(finding) for finding in self.findings],
            "problems": [asdict(problem) for problem in self.problems],
        }


def pressed(edition: Edition, setting: Setting, now: datetime) -> Message:
    """Give the message for the setting's reader; raises UserError where none can be made."""
    press = Press(edition, setting.sender, setting.mailing_id, setting.keys, (), now)
    return press.message(setting.reader)


def shown(edition: Edition, setting: Setting, now: datetime) -> Shown:
    """Give what there is to see of an edition; that no message can be made of it is a problem to see."""
    base = Shown(preheader=edition.preheader, draft=edition.draft, findings=edition.findings)
    try:
        content = pressed(edition, setting, now).content
    except UserError as error:
        return Shown(
            preheader=base.preheader,
            draft=base.draft,
            findings=base.findings,
            problems=tuple(error.problems),
        )
    mail: EmailMessage = message_from_bytes(content, policy=default)
    return Shown(
        subject=str(mail["Subject"]),
        sender=str(mail["From"]),
        preheader=edition.preheader,
        html=_part(mail, "html"),
        text=_unstuffed(mail),
        message=content,
        draft=edition.draft,
        findings=edition.findings,
        pictures=local_pictures(edition.images, setting.masthead),
    )


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


def _unstuffed(mail: EmailMessage) -> str:
    """Give the text as a mail program shows it, without the spaces of format=flowed before some lines."""
    part = mail.get_body(("plain",))
    text = _part(mail, "plain")
    if part is not None and part.get_param("format") == "flowed":
        text = re.sub("(?m)^ ", "", text)
    return text
