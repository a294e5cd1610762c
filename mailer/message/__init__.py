"""Edition + recipient -> bytes: slots, headers, links and return path, DKIM.

Promises: an edition is encoded once; a message is a join. Nothing per reader is parsed or encoded but the values.
Never: opens the database or the network, reads a clock.

`press.Press` makes the messages of a mailing, `letter.service_message` a service mail, `dkim` signs either.
"""

from mailer.message.model import Message, Recipient, Sender

__all__ = ["Message", "Recipient", "Sender"]
