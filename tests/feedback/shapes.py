"""Shapes of bounces that many systems give, written by us: what each is, and what it says of whom.

`told` is what must be read: the address, permanent or temporary (`5`, `4`), given up or not, dead or not.
"""

# ruff: noqa: E501 - mails are written as they come
# fmt: off

from __future__ import annotations

import base64
import quopri
from dataclasses import dataclass
from typing import Final

from tests.feedback.systems import PATH, original

ANN: Final = "ann@reader.example"
BO: Final = "bo@other.example"
Told = tuple[str, str, bool, bool]
GONE: Final[Told] = (ANN, "5", True, True)
ALIVE: Final[Told] = (ANN, "5", True, False)
WAITS: Final[Told] = (ANN, "4", False, False)


@dataclass(frozen=True)
class Shape:
    """A mail and what it tells; `kind` is what it is."""

    raw: bytes
    told: tuple[Told, ...]
    kind: str = "bounce"


def mail(sender: str, subject: str, body: str, *fields: str, charset: str = "utf-8", coded: str = "8bit") -> bytes:
    """Write a mail of one text, in a charset and a transfer encoding."""
    octets = body.encode(charset, "replace")
    octets = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring}.get(coded, bytes)(octets)
    kinds = [field for field in fields if field.lower().startswith("content-type")]
    typed = kinds or [f"Content-Type: text/plain; charset={charset}"]
    head = [
        "Return-Path: <>",
        f"From: {sender}",
        f"To: {PATH}",
        f"Subject: {subject}",
        "Date: Tue, 14 Jul 2026 09:05:00 +0000",
        *[field for field in fields if field not in kinds],
        "MIME-Version: 1.0",
        *typed,
        *([f"Content-Transfer-Encoding: {coded}"] if not kinds else []),
    ]
    return "\n".join(head).encode() + b"\n\n" + octets


def report(sender: str, subject: str, human: str, fields: str, *, html: str = "", kind: str = "message/delivery-status", back: str = "text/rfc822-headers", end: str = "--b--\n") -> bytes:
    """Write a multipart/report: words, fields, what came back."""
    words = f"--b\nContent-Type: text/plain; charset=utf-8\n\n{human}\n" if human else ""
    words += f"--b\nContent-Type: text/html; charset=utf-8\n\n{html}\n" if html else ""
    body = f"{words}--b\nContent-Type: {kind}\n\n{fields}\n--b\nContent-Type: {back}\n\n{original(ANN)}\n{end}"
    return mail(sender, subject, body, "Content-Type: multipart/report; report-type=delivery-status; boundary=b")


def fields(*blocks: tuple[str, str, str, str]) -> str:
    """Write the fields: (recipient, action, status, diagnosis) each."""
    told = "".join(
        f"\nFinal-Recipient: rfc822; {who}\nAction: {action}\nStatus: {status}\n"
        + (f"Diagnostic-Code: smtp; {said}\n" if said else "")
        for who, action, status, said in blocks
    )
    return f"Reporting-MTA: dns; mx.example.net\n{told}"


DAEMON: Final = "Mail Delivery System <MAILER-DAEMON@mx.example.net>"
EXIM: Final = "This message was created automatically by mail delivery software.\n\n"
ORIGINAL: Final = original(ANN)

SHAPES: Final[dict[str, Shape]] = {
    "qmail_two": Shape(
        mail("MAILER-DAEMON@mx.example.net", "failure notice", f"Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<{ANN}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n<{BO}>:\nUser is over quota (#5.2.2)\n\n--- Below this line is a copy of the message.\n\n{ORIGINAL}\nHello\n"),
        (GONE, (BO, "5", True, False)),
    ),
    "qmail_queue": Shape(
        mail("MAILER-DAEMON@mx.example.net", "failure notice", f"Hi. This is the qmail-send program at mx.example.net.\n\n<{ANN}>:\nSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\nI'm not going to try again; this message has been in the queue too long.\n\n--- Below this line is a copy of the message.\n\n{ORIGINAL}"),
        ((ANN, "4", True, False),),
    ),
    "qmail_host": Shape(
        mail("MAILER-DAEMON@mx.example.net", "failure notice", f"Hi. This is the qmail-send program.\n\n<{ANN}>:\nSorry, I couldn't find any host named reader.example. (#5.1.2)\n\n--- Below this line is a copy of the message.\n\n{ORIGINAL}"),
        (GONE,),
    ),
    "qmail_vpopmail": Shape(
        mail("MAILER-DAEMON@mx.example.net", "failure notice", f"<{ANN}>:\nThis is the vpopmail delivery agent. no such user here.\nThis address no longer accepts mail.\n\n--- Below this line is a copy of the message.\n\n{ORIGINAL}"),
        (GONE,),
    ),
    "exim_warning": Shape(
        mail(DAEMON, "Warning: message 1abc-0001 delayed 24 hours", f"{EXIM}A message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.example.net.\n\nThe address to which the message has not yet been delivered is:\n\n  {ANN}\n    Delay reason: Connection timed out\n\nNo action is required on your part. Delivery attempts will continue for\nsome time, and this warning may be repeated at intervals.\n", "Auto-Submitted: auto-replied"),
        (WAITS,),
    ),
    "exim_retry": Shape(
        mail(DAEMON, "Mail delivery failed: returning message to sender", f"{EXIM}A message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  {ANN}\n    retry timeout exceeded\n\n------ This is a copy of the message, including all the headers. ------\n\n{ORIGINAL}"),
        (ALIVE,),
    ),
    "exim_two": Shape(
        mail(DAEMON, "Mail delivery failed: returning message to sender", f"{EXIM}A message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  {ANN}\n    host mx.reader.example [192.0.2.25]\n    SMTP error from remote mail server after RCPT TO:<{ANN}>:\n    550 5.1.1 No such user\n  {BO}\n    host mx.other.example [192.0.2.26]\n    SMTP error from remote mail server after end of data:\n    554 5.7.1 spam message rejected\n\n------ This is a copy of the message, including all the headers. ------\n\n{ORIGINAL}", f"X-Failed-Recipients: {ANN},\n {BO}"),
        (GONE, (BO, "5", True, False)),
    ),
    "exim_unrouteable": Shape(
        mail(DAEMON, "Mail delivery failed: returning message to sender", f"{EXIM}The following address(es) failed:\n\n  {ANN}\n    Unrouteable address\n\n------ This is a copy of the message's headers. ------\n\n{ORIGINAL}"),
        (GONE,),
    ),
    "failed_recipients_only": Shape(
        mail("postmaster@mx.example.net", "Returned mail", "It did not work.\n", f"X-Failed-Recipients: {ANN}"),
        (ALIVE,),
    ),
    "sendmail_transcript": Shape(
        mail("Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>", "Returned mail: see transcript for details", f"The original message was received at Tue, 14 Jul 2026 09:00:00 GMT\nfrom localhost\n\n   ----- The following addresses had permanent fatal errors -----\n<{ANN}>\n    (reason: 550 5.1.1 <{ANN}>: User unknown)\n\n   ----- Transcript of session follows -----\n... while talking to mx.reader.example.:\n>>> DATA\n<<< 550 5.1.1 <{ANN}>: User unknown\n550 5.1.1 <{ANN}>... User unknown\n<<< 503 5.5.1 Error: need RCPT command\n\n   ----- Original message follows -----\n\n{ORIGINAL}"),
        (GONE,),
    ),
    "sendmail_old": Shape(
        mail("MAILER-DAEMON (Mail Delivery Subsystem)", "Returned mail: User unknown", f"   ----- Transcript of session follows -----\n550 {ANN}... User unknown\n\n   ----- Unsent message follows -----\n{ORIGINAL}"),
        (GONE,),
    ),
    "sendmail_warning": Shape(
        mail("Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>", "Warning: could not send message for past 4 hours", f"    **********************************************\n    **      THIS IS A WARNING MESSAGE ONLY      **\n    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n    **********************************************\n\n   ----- The following addresses had transient non-fatal errors -----\n<{ANN}>\n\n   ----- Transcript of session follows -----\n<{ANN}>... Deferred: Connection timed out with mx.reader.example.\nWarning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old\n"),
        (WAITS,),
    ),
    "exchange_2003": Shape(
        mail("System Administrator <postmaster@mx.example.net>", "Undeliverable: Water is low", f"Your message\n\n  To:      {ANN}\n  Subject: Water is low\n  Sent:    Tue, 14 Jul 2026 09:00:00 +0000\n\ndid not reach the following recipient(s):\n\n{ANN} on Tue, 14 Jul 2026 09:01:00 +0000\n    The e-mail account does not exist at the organization this message was sent to.  Check the e-mail address, or contact the recipient directly to find out the correct address.\n    <mx.example.net #5.1.1>\n"),
        (GONE,),
    ),
    "exchange_2003_full": Shape(
        mail("System Administrator <postmaster@mx.example.net>", "Undeliverable: Water is low", f"Your message did not reach some or all of the intended recipients.\n\n      Subject: Water is low\n\nThe following recipient(s) could not be reached:\n\n      {ANN} on 14.07.2026 09:01\n            The recipient's mailbox is full.\n            <mx.example.net #5.2.2>\n"),
        (ALIVE,),
    ),
    "exchange_2007": Shape(
        report("postmaster@mx.example.net", "Undeliverable: Water is low", f"Delivery has failed to these recipients or distribution lists:\n\n{ANN}<mailto:{ANN}>\nThe recipient's e-mail address was not found in the recipient's e-mail system. Microsoft Exchange will not try to redeliver this message for you.\n\nDiagnostic information for administrators:\n\nGenerating server: mx.example.net\n\n{ANN}\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n", fields((ANN, "failed", "5.1.1", "550 5.1.1 RESOLVER.ADR.RecipNotFound; not found"))),
        (GONE,),
    ),
    "exchange_html_only": Shape(
        report("postmaster@mx.example.net", "Undeliverable: Water is low", "", fields((ANN, "failed", "5.2.2", "554 5.2.2 mailbox full;STOREDRV.Deliver.Exception:QuotaExceededException")), html=f'<html><body><p>Delivery has failed to these recipients:</p><a href="mailto:{ANN}">{ANN}</a><p>The mailbox is full.</p></body></html>'),
        (ALIVE,),
    ),
    "exchange_relayed": Shape(
        report("postmaster@mx.example.net", "Relayed: Water is low", f"Delivery to these recipients is complete, but no delivery notification was sent:\n\n{ANN}\n", fields((ANN, "relayed", "2.5.0", "250 ok"))),
        ((ANN, "", True, False),),
        "delivered",
    ),
    "expanded": Shape(report(DAEMON, "Successful Mail Delivery Report", "It was expanded.\n", fields((ANN, "expanded", "2.0.0", ""))), ((ANN, "", True, False),), "delivered"),
    "mixed_actions": Shape(
        report(DAEMON, "Delivery report", "See below.\n", fields((ANN, "failed", "5.1.1", "550 5.1.1 user unknown"), (BO, "delayed", "4.4.1", "connect timed out"), ("cy@third.example", "delivered", "2.0.0", "250 ok"))),
        (GONE, (BO, "4", False, False)),
    ),
    "domino": Shape(
        mail("Postmaster@mx.example.net", "DELIVERY FAILURE: User ann (ann@reader.example) not listed in Domino Directory", f"Your message\n\n  Subject: Water is low\n\nwas not delivered to:\n\n  {ANN}\n\nbecause:\n\n  User ann ({ANN}) not listed in Domino Directory\n"),
        (GONE,),
    ),
    "domino_router": Shape(
        mail("Mail Router <postmaster@mx.example.net>", "DELIVERY FAILURE: Error transferring to mx.reader.example; Maximum hop count exceeded.", f"Your message\n\n  Subject: Water is low\n\nwas not delivered to:\n\n  {ANN}\n\nbecause:\n\n  Error transferring to mx.reader.example; Maximum hop count exceeded.  Message probably in a routing loop.\n"),
        (ALIVE,),
    ),
    "groupwise": Shape(
        mail("Mailer-Daemon@gw.example.net", "Message status - undeliverable", f"The message that you sent was undeliverable to the following:\n\t{ANN} (user not found)\n\nPossibly truncated original message follows:\n\n{ORIGINAL}"),
        (GONE,),
    ),
    "groupwise_full": Shape(
        mail("Mailer-Daemon@gw.example.net", "Message status - undeliverable", f"The message that you sent was undeliverable to the following:\n\t{ANN} (mailbox is full)\n\nPossibly truncated original message follows:\n\n{ORIGINAL}"),
        (ALIVE,),
    ),
    "mdaemon": Shape(
        mail("MDaemon@mx.example.net", "Delivery failure: no such user", f"The following data may contain sections which represent\nBASE64 encoded file attachments.\n\nFailed address: {ANN}\n\n--- Session Transcript ---\n<-- 250 ok\n--> RCPT To:<{ANN}>\n<-- 550 <{ANN}>, Recipient unknown\n--- End Transcript ---\n: Message contains [1] file attachments\n"),
        (GONE,),
    ),
    "kerio": Shape(
        mail("<MAILER-DAEMON@mx.example.net>", "Delivery failed", f"Kerio Connect was not able to deliver the message to the following recipient(s):\n\n{ANN}: 550 5.1.1 User unknown\n\nReturned message headers follow:\n\n{ORIGINAL}"),
        (GONE,),
    ),
    "hmailserver": Shape(
        mail("mailer-daemon@mx.example.net", "Message undeliverable: Water is low", f"Your message did not reach some or all of the intended recipients.\n\n   Sent: Tue, 14 Jul 2026 09:00:00 +0000\n   Subject: Water is low\n\nThe following recipient(s) could not be reached:\n\n{ANN}\n   Error Type: SMTP\n   Remote server (192.0.2.25) issued an error.\n   hMailServer sent: RCPT TO:<{ANN}>\n   Remote server replied: 550 5.1.1 <{ANN}>: Recipient address rejected: User unknown\n\nhMailServer\n"),
        (GONE,),
    ),
    "opensmtpd": Shape(
        mail("Mailer Daemon <MAILER-DAEMON@mx.example.net>", "Delivery status notification: error", f"        Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error has occurred while attempting to deliver a message for\n    the following list of recipients:\n\n{ANN}: 550 5.1.1 no such user\n\n    Below is a copy of the original message:\n\n{ORIGINAL}"),
        (GONE,),
    ),
    "opensmtpd_temporary": Shape(
        mail("Mailer Daemon <MAILER-DAEMON@mx.example.net>", "Delivery status notification: delayed", f"        Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    A message is delayed for more than 4 hours for the following\n    list of recipients:\n\n{ANN}: Network error on destination MXs\n\n    Please note that this is only a temporary failure report.\n    The message is kept in the queue for up to 4 days.\n\n    Below is a copy of the original message:\n\n{ORIGINAL}"),
        (WAITS,),
    ),
    "haraka": Shape(
        mail("MAILER-DAEMON@mx.example.net", "failed mail notice", f"Hi. This is the Haraka Mailer program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\nIntended Recipients: <{ANN}>\nFailure Reason: Some recipients failed: 550 5.1.1 no such user <{ANN}>\n\n--- Below this line is a copy of the message.\n\n{ORIGINAL}"),
        (GONE,),
    ),
    "communigate": Shape(
        report("MAILER-DAEMON@mx.example.net", "Undeliverable mail: Water is low", f"Failed to deliver to '{ANN}'\nSMTP module(domain reader.example) reports:\n host mx.reader.example says:\n 550 unknown user account\n", f"Reporting-MTA: dns; mx.example.net\n\nOriginal-Recipient: rfc822;<{ANN}>\nFinal-Recipient: system;<{ANN}>\nAction: failed\nStatus: 5.0.0\n"),
        (GONE,),
    ),
    "icewarp": Shape(
        mail("<MAILER-DAEMON@mx.example.net>", "Delivery problem", f"The message could not be delivered to the following address(es):\n\n<{ANN}>\n     550 5.1.1 <{ANN}> User unknown; rejecting\n\n--- Original message headers ---\n{ORIGINAL}"),
        (GONE,),
    ),
    "smartermail": Shape(
        mail('"System Administrator" <postmaster@mx.example.net>', "Delivery Failure", f"Could not deliver message to the following recipient(s):\n\nFailed Recipient: {ANN}\nReason: Remote host said: 550 5.1.1 No such user\n\n   -- The header and top 20 lines of the message follows --\n\n{ORIGINAL}"),
        (GONE,),
    ),
    "mimecast": Shape(
        mail("<postmaster@mimecast.example>", "[Postmaster] Email Delivery Failure", f"This is a delivery failure notification message indicating that\nan email you addressed to email address :\n-- {ANN}\n\ncould not be delivered. The problem appears to be :\n-- Recipient email server rejected the message\n\nAdditional information follows :\n-- 550 5.1.1 user unknown\n\nThis condition occurred after 1 attempt(s) to deliver over\na period of 0 hour(s).\n"),
        (GONE,),
    ),
    "yahoo_sorry": Shape(
        mail("MAILER-DAEMON@yahoo.com", "Failure Notice", f"Sorry, we were unable to deliver your message to the following address.\n\n<{ANN}>:\n552: 5.2.2 mailbox over quota\n\n--- Below this line is a copy of the message.\n\n{ORIGINAL}"),
        (ALIVE,),
    ),
    "zimbra": Shape(
        report(DAEMON, "Undelivered Mail Returned to Sender", f"This is the mail system at host mx.example.net.\n\n<{ANN}>: delivery temporarily suspended: connect to mx.reader.example[192.0.2.25]:25: Connection refused\n", fields((ANN, "failed", "4.4.1", "")).replace("Status: 4.4.1", "Status: 4.4.1\nDiagnostic-Code: X-Postfix; delivery temporarily suspended: connect to mx.reader.example[192.0.2.25]:25: Connection refused")),
        ((ANN, "4", True, False),),
    ),
    "ses": Shape(
        report("MAILER-DAEMON@eu-west-1.amazonses.com", "Delivery Status Notification (Failure)", f"An error occurred while trying to deliver the mail to the following recipients:\n{ANN}\n", "Reporting-MTA: dns; a1.smtp-out.amazonses.com\n\n" + f"Action: failed\nFinal-Recipient: rfc822; {ANN}\nDiagnostic-Code: smtp; 550 5.1.1 user unknown\nStatus: 5.1.1\n"),
        (GONE,),
    ),
    "mailgun": Shape(report("postmaster@mg.example", "Delivery Status Notification (Failure)", f"The following message to <{ANN}> was undeliverable.\nThe reason for the problem:\n5.1.0 - Unknown address error 550-'5.1.1 no such user'\n", fields((ANN, "failed", "5.0.0", "550 5.1.1 no such user"))), (GONE,)),
    "no_boundary_end": Shape(report(DAEMON, "Undelivered", "It failed.\n", fields((ANN, "failed", "5.1.1", "550 5.1.1 user unknown")), end=""), (GONE,)),
    "wrong_boundary": Shape(report(DAEMON, "Undelivered", f"<{ANN}>: 550 5.1.1 user unknown\n", fields((ANN, "failed", "5.1.1", "550 5.1.1 user unknown"))).replace(b"boundary=b", b'boundary="c"'), (GONE,)),
    "brackets": Shape(report(DAEMON, "Undelivered", "It failed.\n", fields((f"<{ANN}>", "failed", "5.1.1", "550 5.1.1 user unknown"))), (GONE,)),
    "empty_final": Shape(report(DAEMON, "Undelivered", f"<{ANN}>: 550 5.1.1 user unknown\n", fields(("<>", "failed", "5.1.1", "550 5.1.1 user unknown"))), (GONE,)),
    "utf8_final": Shape(report(DAEMON, "Undelivered", "It failed.\n", fields(("x", "failed", "5.1.1", "550 5.1.1 user unknown")).replace("rfc822; x", f"utf-8; {ANN}")), (GONE,)),
    "global_status": Shape(report(DAEMON, "Undelivered", "It failed.\n", fields((ANN, "failed", "5.1.1", "550 5.1.1 user unknown")), kind="message/global-delivery-status", back="message/global-headers"), (GONE,)),
    "bounce_of_bounce": Shape(
        mail("MAILER-DAEMON@gw.example.net", "Undeliverable: Delivery failure", "--o\nContent-Type: text/plain\n\nThe attached message was passed on.\n--o\nContent-Type: message/rfc822\n\n" + report(DAEMON, "Undelivered Mail Returned to Sender", "It failed.\n", fields((ANN, "failed", "5.1.1", "550 5.1.1 user unknown"))).decode() + "\n--o--\n", "Content-Type: multipart/mixed; boundary=o"),
        (GONE,),
    ),
    "protonmail": Shape(report("MAILER-DAEMON@protonmail.example", "Undelivered Mail Returned to Sender", f"Your email could not be delivered to the following recipient:\n<{ANN}>: host mx.reader.example[192.0.2.25] said: 550 5.7.1 blocked using zen.spamhaus.org (in reply to RCPT TO command)\n", fields((ANN, "failed", "5.7.1", "550 5.7.1 blocked using zen.spamhaus.org"))), (ALIVE,)),
    "icloud_delay": Shape(report("Mail Delivery System <MAILER-DAEMON@icloud.example>", "Delayed Mail (still being retried)", f"Your message could not be delivered for more than 3 hour(s).\nIt will be retried until it is 2 day(s) old.\n\n<{ANN}>: host mx.reader.example said: 452 4.2.2 mailbox full\n", fields((ANN, "delayed", "4.2.2", "452 4.2.2 mailbox full"))), (WAITS,)),
    "list_manager": Shape(
        mail("list-bounces@lists.example.net", "Uncaught bounce notification", f"The attached message was received as a bounce.\n\nThe following addresses had permanent delivery errors:\n\n   {ANN}\n\n550 5.1.1 user unknown\n", "Auto-Submitted: auto-generated"),
        (GONE,),
    ),
}
