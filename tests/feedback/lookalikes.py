"""More shapes of bounces, and mails that look like one and are none, written by us after the reader was made."""

# ruff: noqa: E501 - mails are written as they come
# fmt: off

from __future__ import annotations

import base64
from typing import Final

from tests.feedback.shapes import (
    ALIVE,
    ANN,
    BO,
    DAEMON,
    EXIM,
    GONE,
    ORIGINAL,
    WAITS,
    Shape,
    fields,
    mail,
    report,
)

PM: Final = "postmaster@mx.example.net"

SHAPES: Final[dict[str, Shape]] = {
    "surgemail": Shape(mail('"Mail Delivery" <postmaster@mx.example.net>',"Failed mail, Recipient unknown",f"Your message cannot be delivered to the following recipients:\n\nRecipient address: {ANN}\nReason: Remote SMTP server has rejected address\nDiagnostic code: smtp;550 5.1.1 User unknown\nRemote system: dns;mx.reader.example\n\n{ORIGINAL}"), (GONE,)),
    "imail": Shape(mail('"Postmaster" <postmaster@mx.example.net>',"Undeliverable Mail",f"Unknown user: {ANN}\n\nOriginal message follows.\n\n{ORIGINAL}"), (GONE,)),
    "mailenable": Shape(mail("postmaster@mx.example.net","Message Delivery Failure",f"MailEnable: Message could not be delivered to some recipients.\nThe following recipient(s) could not be reached:\n\n\tRecipient: [SMTP:{ANN}]\n\tReason: Remote SMTP Server Returned: 550 5.1.1 no such user\n\nMessage headers follow:\n\n{ORIGINAL}"), (GONE,)),
    "courier": Shape(report('"Courier mail server at mx.example.net" <>',"NOTICE: mail delivery status.",f"This is a delivery status notification from mx.example.net,\nrunning the Courier mail server.\n\nThe original message was received on Tue, 14 Jul 2026\n\n--------\n\n    UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<{ANN}>:\n    mx.reader.example [192.0.2.25]:\n>>> RCPT TO:<{ANN}>\n<<< 550 User unknown.\n\n",fields((ANN,"failed","5.0.0","550 User unknown."))), (GONE,)),
    "courier_delay": Shape(report('"Courier mail server at mx.example.net" <>',"WARNING: DELAYED MAIL",f"YOU DO NOT NEED TO RESEND YOUR MESSAGE\n\nYour message to the following recipients could not be delivered for the last four hours:\n\n<{ANN}>:\n Connection timed out\n",fields((ANN,"delayed","4.0.0",""))), (WAITS,)),
    "messagingserver": Shape(report("Internet Mail Delivery <postmaster@mx.example.net>","Delivery Notification: Delivery has failed",f"This report relates to a message you sent with the following header fields:\n\n  Message-id: <x@weekly.example>\n\nYour message cannot be delivered to the following recipients:\n\n  Recipient address: {ANN}\n  Original address: {ANN}\n  Reason: Over quota\n",f"Reporting-MTA: dns;mx.example.net\n\nAction: failed\nStatus: 5.2.2 (Over quota)\nOriginal-recipient: rfc822;{ANN}\nFinal-recipient: rfc822;{ANN}@ims-ms-daemon\n"), (ALIVE,)),
    "fastmail": Shape(report("Mail Delivery System <MAILER-DAEMON@messagingengine.example>","Undelivered Mail Returned to Sender",f"This is the mail system at host out.example.\n\n<{ANN}>: Host or domain name not found. Name service error for name=reader.example type=AAAA: Host not found\n",f"Reporting-MTA: dns; out.example\n\nFinal-Recipient: rfc822; {ANN}\nOriginal-Recipient: rfc822;{ANN}\nAction: failed\nStatus: 5.4.4\nDiagnostic-Code: X-Postfix; Host or domain name not found. Name service error for\n    name=reader.example type=AAAA: Host not found\n"), (GONE,)),
    "ppe": Shape(mail("postmaster@ppe.example",'Undeliverable Mail: "Water is low"',f"The following message could not be delivered:\n\n  Recipient: {ANN}\n  Reason: 5.4.7 - Delivery expired (message too old) 'timeout'\n"), ((ANN,"5",True,False),)),
    "ironport": Shape(mail('"Mail Delivery System" <MAILER-DAEMON@iron.example>',"Delivery Status Notification (Failure)",f"The following message to <{ANN}> was undeliverable.\nThe reason for the problem:\n5.1.0 - Unknown address error 550-'5.1.1 <{ANN}>: Recipient address rejected: User unknown'\n"), (GONE,)),
    "ironport2": Shape(mail('"Mail Delivery System" <MAILER-DAEMON@iron.example>',"Delivery Status Notification (Failure)",f"The following message to <{ANN}> was undeliverable.\nThe reason for the problem:\n5.3.0 - Other mail system problem 554-'5.7.1 Blocked by SpamAssassin'\n"), (ALIVE,)),
    "barracuda": Shape(mail("<postmaster@barracuda.example>","**Message you sent blocked by our bulk email filter**",f"Your message to: {ANN}\nwas blocked by our Spam Firewall. The email you sent with the following subject has NOT BEEN DELIVERED:\n\nSubject: Water is low\n"), (ALIVE,)),
    "outlook_com": Shape(report("postmaster@outlook.example","Delivery Status Notification (Failure)",f"This is an automatically generated Delivery Status Notification.\n\nDelivery to the following recipients failed.\n\n       {ANN}\n",f"Reporting-MTA: dns;mx.outlook.example\nReceived-From-MTA: dns;out.weekly.example\n\nFinal-Recipient: rfc822;{ANN}\nAction: failed\nStatus: 5.5.0\nDiagnostic-Code: smtp;550 Requested action not taken: mailbox unavailable (1234567890:4321:-2147467259)\n"), (GONE,)),
    "o365_de_full": Shape(report("Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@x.example>","Unzustellbar: Wasser","",fields((ANN,"failed","5.2.2","554 5.2.2 mailbox full;STOREDRV.Deliver.Exception")),html=f"<p>Ihre Nachricht an {ANN} konnte nicht zugestellt werden.</p>"), (ALIVE,)),
    "o365_relay": Shape(report("Microsoft Outlook <postmaster@x.example>","Undeliverable: Water",f"Your message to {ANN} couldn't be delivered.\n\nann wasn't found at reader.example.\n",fields((ANN,"failed","5.4.1","550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [x.eop.protection.outlook.com]"))), (GONE,)),
    "gmail_blocked": Shape(report("Mail Delivery Subsystem <mailer-daemon@googlemail.com>","Delivery Status Notification (Failure)",f"** Message blocked **\n\nYour message to {ANN} has been blocked. See technical details below for more information.\n\nThe response from the remote server was:\n550 5.7.26 This mail has been blocked because the sender is unauthenticated.\n",fields((ANN,"failed","5.7.26","550 5.7.26 blocked because the sender is unauthenticated"))), (ALIVE,)),
    "gmail_gave_up": Shape(report("Mail Delivery Subsystem <mailer-daemon@googlemail.com>","Delivery Status Notification (Failure)",f"** Message not delivered **\n\nThere was a problem delivering your message to {ANN}. \n\nThe response was:\n\nThe recipient server did not accept our requests to connect.\n",fields((ANN,"failed","4.4.1","The recipient server did not accept our requests to connect."))), ((ANN,"4",True,False),)),
    "forward_expanded": Shape(mail(DAEMON,"Mail delivery failed: returning message to sender",f"{EXIM}The following address(es) failed:\n\n  {BO}\n    (generated from {ANN})\n    host mx.other.example: 550 5.1.1 no such user\n\n------ This is a copy of the message, including all the headers. ------\n\n{ORIGINAL}"), (GONE,)),
    "postfix_alias": Shape(report(DAEMON,"Undelivered Mail Returned to Sender",f"<{BO}> (expanded from <{ANN}>): host mx said: 552 5.2.2 Over quota (in reply to RCPT TO command)\n",fields((BO,"failed","5.2.2","552 5.2.2 Over quota")).replace("Action","Original-Recipient: rfc822;"+ANN+"\nAction")), (ALIVE,)),
    "base64_status": Shape(mail(DAEMON,"Undelivered",f"--b\nContent-Type: text/plain\n\nfailed\n--b\nContent-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n{base64.encodebytes(fields((ANN,'failed','5.1.1','550 5.1.1 user unknown')).encode()).decode()}\n--b--\n","Content-Type: multipart/report; report-type=delivery-status; boundary=b"), (GONE,)),
    "crlf_bare": Shape(mail(DAEMON,"Undelivered Mail",f"<{ANN}>: 550 5.1.1 user unknown\n").replace(b"\n",b"\r"), (GONE,)),
    "uppercase_mail": Shape(report(DAEMON,"UNDELIVERED","FAILED\n",fields((ANN.upper(),"FAILED","5.1.1","550 5.1.1 USER UNKNOWN"))), ((ANN.upper(),"5",True,True),)),
    "status_comment": Shape(report(DAEMON,"Undelivered","failed\n",fields((ANN,"failed (bad address)","5.1.1 (bad destination mailbox address)",""))), (GONE,)),
    "no_blank": Shape(report(DAEMON,"Undelivered","failed\n",fields((ANN,"failed","5.1.1","550 5.1.1 unknown"),(BO,"failed","5.2.2","552 5.2.2 full")).replace("\n\nFinal","\nFinal")), (GONE, (BO,"5",True,False))),
    "html_table": Shape(mail(PM,"Undeliverable: Water",f"<table><tr><td>Recipient</td><td>{ANN}</td></tr><tr><td>Reason</td><td>550 5.1.1 User unknown</td></tr></table>","Content-Type: text/html"), (GONE,)),
    "zoho": Shape(mail("mailer-daemon@mail.zoho.example","Undelivered Mail Returned to Sender",f"This message was created automatically by mail delivery software.\n A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.\n\n{ANN} Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 User unknown\n"), (GONE,)),
    "aol": Shape(mail("Mail Delivery Subsystem <MAILER-DAEMON@aol.example>","Returned mail: User unknown",f"The original message was received at Tue\n\n*** ATTENTION ***\nYour e-mail is being returned to you because there was a problem with its\ndelivery.\n\n   ----- The following addresses had permanent fatal errors -----\n<{ANN}>\n\n   ----- Transcript of session follows -----\n... while talking to air-xj01.mail.aol.com.:\n>>> RCPT To:<{ANN}>\n<<< 550 MAILBOX NOT FOUND\n550 <{ANN}>... User unknown\n"), (GONE,)),
    "softbank": Shape(mail("MAILER-DAEMON@softbank.example","Mail System Error - Returned Mail",f"<{ANN}>: 550 Invalid recipient: <{ANN}> (in reply to RCPT TO command)\n",charset="iso-2022-jp",coded="7bit"), (GONE,)),
    "reply": Shape(mail("Ann <ann@reader.example>","Re: Undeliverable: Water","Hi, I got a bounce: 550 5.1.1 user unknown. Could you help?\n").replace(b"Return-Path: <>",b"Return-Path: <ann@reader.example>"), (), "not-bounce"),
    "oof_delay": Shape(mail("Ann <ann@reader.example>","Automatic reply: Delayed answers","I am away and will reply late.\n","Auto-Submitted: auto-replied"), (), "autoreply"),
    "oof_retard": Shape(mail("Ann <ann@reader.example>","Réponse automatique : retard","Je réponds avec du retard.\n","Auto-Submitted: auto-replied"), (), "autoreply"),
    "ticket_delay": Shape(mail("Support <support@shop.example>","Delay of your order","Your order is delayed. Delivery will be on Monday.\n","Auto-Submitted: auto-generated"), (), "autoreply"),
    "shop_delay": Shape(mail("Shop <noreply@shop.example>","Verzögerung Ihrer Lieferung","Ihre Bestellung konnte noch nicht zugestellt werden. Der Paketdienst versucht es morgen.\n").replace(b"Return-Path: <>",b"Return-Path: <noreply@shop.example>"), (), "not-bounce"),
    "gone_reply": Shape(mail("Ann <ann@reader.example>","Automatic reply: Water","I no longer work here. This mailbox is no longer in use.\n","Auto-Submitted: auto-replied"), (), "autoreply"),
    "mdn": Shape(mail("Ann <ann@reader.example>","Read: Water","--b\nContent-Type: text/plain\n\nYour message was read.\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;ann@reader.example\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--\n","Content-Type: multipart/report; report-type=disposition-notification; boundary=b"), (), "not-bounce"),
}
