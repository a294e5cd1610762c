"""Editions -> web pages: a reader's own, with their values and links, and everybody's, with nothing of a reader.

The same frozen edition that was mailed, its slots made harmless in the same way as in the mail. The page runs nothing:
its policy lets in styles and pictures alone, as a mail program does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from mailer.edition.model import Context
from mailer.message.links import MANAGE, PATHS, SLOTS
from mailer.message.readings import OF_THE_MAILING
from mailer.message.value import ESCAPES, clean, reader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mailer.edition import Edition, Slot
    from mailer.keys import Keys
    from mailer.message import Recipient

POLICY: Final = (
    "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox "
    "allow-top-navigation-by-user-activation"
)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BODY = re.compile(r"<body[^>]*>(.*)</body>", re.DOTALL | re.IGNORECASE)


def own_page(edition: Edition, recipient: Recipient, keys: Keys, mailing_id: int, public_url: str) -> str:
    """Give a reader's own copy: their values, and links that act for them."""
    links = {}
    for name, purpose in SLOTS.items():
        other = mailing_id if purpose in OF_THE_MAILING else recipient.list_id
        token = keys.link_token(purpose, recipient.subscriber_id, other)
        links[name] = f"{public_url}{PATHS[purpose]}{token}"
    return _filled(edition, links, lambda slot: reader(slot.name)(recipient) or clean(slot.default))


def public_page(edition: Edition, public_url: str, page: str) -> str:
    """Give everybody's copy: each value its default, and links that lead to doors without a name."""
    manage = f"{public_url}{MANAGE}"
    links = {"link.unsubscribe": manage, "link.preferences": manage, "link.browser": page}
    return _filled(edition, links, lambda slot: clean(slot.default))


def body_of(html: str) -> str:
    """Give what stands between the body's tags, for a feed."""
    match = _BODY.search(html)
    return match[1].strip() if match else html


def plain_xml(text: str) -> str:
    """Give the text without the characters that XML cannot hold (XML 1.0, section 2.2)."""
    return _NOT_XML.sub("", text)


def _filled(edition: Edition, links: Mapping[str, str], value: Callable[[Slot], str]) -> str:
    return "".join(part if isinstance(part, str) else _harmless(part, links, value) for part in edition.html)


def _harmless(slot: Slot, links: Mapping[str, str], value: Callable[[Slot], str]) -> str:
    if slot.name not in links:
        return ESCAPES[slot.context](value(slot))
    link = links[slot.name]
    return quote(link, safe="") if slot.context is Context.URL else ESCAPES[Context.ATTRIBUTE](link)
