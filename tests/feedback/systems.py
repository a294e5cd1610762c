"""Reports of failed deliveries as many mail systems word them, written by us with the oddities of each.

Every builder takes the reader's address and the SMTP answer of the remote host, and gives the octets of a mail.
"""

# ruff: noqa: E501 - mails are written as they come

from __future__ import annotations

import base64
import quopri
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SENDER: Final = "news@weekly.example"
TOKEN: Final = "00a1b2c3d4e5f60718293a0107"
PATH: Final = f"bounce+{TOKEN}@weekly.example"


def original(reader: str) -> str:
    """Give the header of the message that comes back."""
    return (
        f"Return-Path: <{PATH}>\n"
        f"Received: from out.weekly.example (out.weekly.example [192.0.2.7])\n"
        f"\tby relay.example.net with ESMTPS id 4Xk for <{reader}>; Tue, 14 Jul 2026 09:00:00 +0000\n"
        f"From: The Weekly <{SENDER}>\n"
        f"To: {reader}\n"
        "Subject: Water is low\n"
        f"Message-ID: <{TOKEN}@weekly.example>\n"
        f"X-Newsletter-Delivery: {TOKEN}\n"
        "Date: Tue, 14 Jul 2026 09:00:00 +0000\n"
        "MIME-Version: 1.0\n"
    )


def _mail(sender: str, subject: str, body: str, *fields: str, path: str = "<>") -> bytes:
    head = [
        f"Return-Path: {path}",
        f"Delivered-To: {PATH}",
        f"From: {sender}",
        f"To: {PATH}",
        f"Subject: {subject}",
        "Date: Tue, 14 Jul 2026 09:05:00 +0000",
        "Message-ID: <report-1@mx.example.net>",
        *fields,
    ]
    return ("\n".join(head) + "\n\n" + body).encode()


def _report(human: str, fields: str, reader: str, boundary: str = "=_part") -> tuple[str, str, str]:
    body = (
        f"This is a report in several parts.\n\n--{boundary}\nContent-Type: text/plain; charset=us-ascii\n\n{human}\n"
        f"--{boundary}\nContent-Type: message/delivery-status\n\n{fields}\n"
        f"--{boundary}\nContent-Type: text/rfc822-headers\n\n{original(reader)}\n--{boundary}--\n"
    )
    kind = f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"'
    return body, "MIME-Version: 1.0", kind


def _status(answer: str) -> str:
    found = [word for word in answer.split() if word.count(".") == 2 and word[0] in "45"]
    return found[0] if found else f"{answer[0]}.0.0"


def _fields(reader: str, answer: str, action: str = "failed", kind: str = "smtp") -> str:
    return (
        "Reporting-MTA: dns; mx.example.net\nArrival-Date: Tue, 14 Jul 2026 09:00:00 +0000\n\n"
        f"Final-Recipient: rfc822; {reader}\nOriginal-Recipient: rfc822;{reader}\nAction: {action}\n"
        f"Status: {_status(answer)}\nRemote-MTA: dns; mx.reader.example\nDiagnostic-Code: {kind}; {answer}\n"
    )


def postfix(reader: str, answer: str) -> bytes:
    """Postfix: the words and the fields, folded."""
    human = (
        "This is the mail system at host mx.example.net.\n\nI'm sorry to have to inform you that your message could"
        f" not\nbe delivered.\n\n                   The mail system\n\n<{reader}>: host\n"
        f"    mx.reader.example[192.0.2.25] said: {answer} (in reply to RCPT TO\n    command)\n"
    )
    body, *rest = _report(human, _fields(reader, answer), reader)
    return _mail(
        "MAILER-DAEMON@mx.example.net (Mail Delivery System)",
        "Undelivered Mail Returned to Sender",
        body,
        *rest,
    )


def postfix_expanded(reader: str, answer: str) -> bytes:
    """Postfix behind an alias: the reader is the original recipient."""
    human = f"<inner@cellar.example> (expanded from\n    <{reader}>): host cellar.example[192.0.2.9] said:\n    {answer} (in reply to RCPT TO command)\n"
    fields = _fields(reader, answer).replace(
        f"Final-Recipient: rfc822; {reader}", "Final-Recipient: rfc822; inner@cellar.example"
    )
    body, *rest = _report(human, fields, reader)
    return _mail(
        "MAILER-DAEMON@mx.example.net (Mail Delivery System)",
        "Undelivered Mail Returned to Sender",
        body,
        *rest,
    )


def sendmail(reader: str, answer: str) -> bytes:
    """Sendmail: a transcript, and a Status that it made up."""
    human = (
        "The original message was received at Tue, 14 Jul 2026 09:00:00 GMT\nfrom out.weekly.example [192.0.2.7]\n\n"
        f"   ----- The following addresses had permanent fatal errors -----\n<{reader}>\n    (reason: {answer})\n\n"
        f"   ----- Transcript of session follows -----\n... while talking to mx.reader.example.:\n>>> RCPT To:<{reader}>\n"
        f"<<< {answer}\n550 5.1.1 <{reader}>... User unknown\n"
    )
    fields = _fields(reader, answer).replace(f"Status: {_status(answer)}", "Status: 5.1.1")
    body, *rest = _report(human, fields, reader)
    return _mail(
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>",
        "Returned mail: see transcript for details",
        body,
        *rest,
    )


def qmail(reader: str, answer: str) -> bytes:
    """qmail: prose, and the message below a line."""
    body = (
        "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the"
        " following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        f"<{reader}>:\n192.0.2.25 does not like recipient.\nRemote host said: {answer}\nGiving up on 192.0.2.25.\n\n"
        f"--- Below this line is a copy of the message.\n\n{original(reader)}\nHello\n"
    )
    return _mail("MAILER-DAEMON@mx.example.net", "failure notice", body)


def exim(reader: str, answer: str) -> bytes:
    """Exim: prose, and a field that names the reader."""
    body = (
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be"
        " delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n"
        f"  {reader}\n    host mx.reader.example [192.0.2.25]\n    SMTP error from remote mail server after RCPT TO:<{reader}>:\n"
        f"    {answer}\n\n------ This is a copy of the message, including all the headers. ------\n\n{original(reader)}\n\nHello\n"
    )
    fields = (f"X-Failed-Recipients: {reader}", "Auto-Submitted: auto-replied")
    return _mail(
        "Mail Delivery System <Mailer-Daemon@mx.example.net>",
        "Mail delivery failed: returning message to sender",
        body,
        *fields,
    )


def gmail(reader: str, answer: str) -> bytes:
    """Gmail: nested parts, a picture, words and HTML, then the fields."""
    human = (
        f"** Message not delivered **\n\nYour message couldn't be delivered to {reader} for the reason below.\n\n"
        f"The response was:\n\n{answer}\n"
    )
    inner = (
        '--top\nContent-Type: multipart/related; boundary="rel"\n\n--rel\nContent-Type: multipart/alternative; boundary="alt"\n\n'
        f"--alt\nContent-Type: text/plain; charset=UTF-8\n\n{human}\n--alt\nContent-Type: text/html; charset=UTF-8\n\n"
        f"<html><head><style>* {{ color: red }}</style></head><body><b>{reader}</b></body></html>\n--alt--\n"
        "--rel\nContent-Type: image/png; name=icon.png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--rel--\n"
        f"--top\nContent-Type: message/delivery-status\n\n{_fields(reader, answer)}\n"
        f"--top\nContent-Type: message/rfc822\n\n{original(reader)}\nHello\n--top--\n"
    )
    kind = 'Content-Type: multipart/report; boundary="top"; report-type=delivery-status'
    sender = "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"
    return _mail(
        sender, "Delivery Status Notification (Failure)", inner, "Auto-Submitted: auto-replied", kind
    )


def exchange(reader: str, answer: str) -> bytes:
    """Exchange in German: quoted-printable prose, HTML beside it, fields behind."""
    human = (
        f"Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:\n\n{reader}<mailto:{reader}>\n\n"
        f"Diagnoseinformationen für Administratoren:\nGenerierender Server: mx.example.net\n\n{reader}\n#{answer} ##\n\n"
        "Ursprüngliche Nachrichtenköpfe:\n" + original(reader)
    )
    quoted = quopri.encodestring(human.encode("latin-1")).decode()
    body = (
        '--outer\nContent-Type: multipart/alternative; boundary="inner"\n\n--inner\n'
        'Content-Type: text/plain; charset="iso-8859-1"\nContent-Transfer-Encoding: quoted-printable\n\n'
        f"{quoted}\n--inner\nContent-Type: text/html\n\n<html><body><p>Fehler</p></body></html>\n--inner--\n"
        f"--outer\nContent-Type: message/delivery-status\n\n{_fields(reader, answer)}\n--outer--\n"
    )
    kind = 'Content-Type: multipart/report; report-type=delivery-status; boundary="outer"'
    return _mail("<postmaster@mx.example.net>", "=?utf-8?Q?Unzustellbar=3A_Water_is_low?=", body, kind)


def html_only(reader: str, answer: str) -> bytes:
    """A gateway that writes HTML and nothing else."""
    page = (
        "<html><head><title>x</title><style>p{}</style></head><body><h1>Delivery failed</h1>"
        f"<p>Your message could not be delivered to the following recipient:</p><p>&lt;{reader}&gt;</p>"
        f"<p>The remote server said: {answer.replace('<', '&lt;')} in reply to RCPT TO</p></body></html>"
    )
    coded = base64.encodebytes(page.encode()).decode()
    fields = ("Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: BASE64")
    return _mail('"Mail Gateway" <mailer-daemon@gw.example.net>', "Undeliverable mail", coded, *fields)


def domino(reader: str, answer: str) -> bytes:
    """Domino: reasons below a rule, no codes of its own."""
    body = f"------- Failure Reasons  --------\n\n{answer}\n{reader}\n\n------- Returned Message --------\n\n{original(reader)}\n\nHello\n"
    return _mail("POSTMASTER@notes.example.net", "Undeliverable message", body)


def carrier(reader: str, answer: str) -> bytes:
    """A Japanese carrier: ISO-2022-JP with its escapes, multipart/mixed."""
    human = f"送信したメールを届けることができませんでした。\n\n<{reader}>: {answer} (in reply to RCPT TO command)\n"
    octets = human.encode("iso-2022-jp")
    head = (
        f"Return-Path: <>\nDelivered-To: {PATH}\nFrom: Mail Administrator <Postmaster@carrier.example>\nTo: {PATH}\n"
        "Subject: Mail System Error - Returned Mail\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="=_jp"\n\n--=_jp\nContent-Type: text/plain; charset="ISO-2022-JP"\n\n'
    )
    rest = f"\n--=_jp\nContent-Type: message/rfc822\n\n{original(reader)}\n\nHello\n--=_jp--\n"
    return head.encode() + octets + rest.encode()


def utf8_report(reader: str, answer: str) -> bytes:
    """RFC 6533: the fields in UTF-8, base64, in CRLF lines, the type in upper case."""
    fields = _fields(reader, answer).replace("rfc822", "utf-8")
    coded = base64.encodebytes(fields.encode()).decode()
    body = (
        "--b\nContent-Type: TEXT/PLAIN\n\nDelivery failed.\n--b\nContent-Type: MESSAGE/GLOBAL-DELIVERY-STATUS\n"
        f"Content-Transfer-Encoding: Base64\n\n{coded}\n--b\nContent-Type: message/global-headers\n\n{original(reader)}\n"
    )
    kind = "Content-type: Multipart/Report; Report-Type=Delivery-Status; Boundary=b"
    return _mail("postmaster@mx.example.net", "Delivery failure", body, kind).replace(b"\n", b"\r\n")


def forwarded(reader: str, answer: str) -> bytes:
    """A report that a colleague forwarded, quoted line by line."""
    told = _fields(reader, answer)
    quoted = "\n".join(
        f"> {line}" for line in f"The following address had permanent errors:\n<{reader}>\n{told}".split("\n")
    )
    body = f"FYI\n\nBegin forwarded message:\n\n{quoted}\n"
    return _mail(
        "Colleague <colleague@weekly.example>", "Fwd: Returned mail", body, path="<colleague@weekly.example>"
    )


def bare(reader: str, answer: str) -> bytes:
    """A system that nobody has heard of."""
    body = f"I could not deliver your message.\n\n  {reader}: {answer} (RCPT)\n\nOriginal message follows.\n\n{original(reader)}\n"
    return _mail("postmaster@strange.example", "Delivery problem", body)


SYSTEMS: Final[dict[str, Callable[[str, str], bytes]]] = {
    one.__name__: one
    for one in (
        postfix,
        postfix_expanded,
        sendmail,
        qmail,
        exim,
        gmail,
        exchange,
        html_only,
        domino,
        carrier,
        utf8_report,
        forwarded,
        bare,
    )
}
