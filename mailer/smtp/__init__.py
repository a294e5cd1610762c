"""Relays: pipelined connections to an SMTP server, and a folder that takes .eml files. One contract.

Promises: every reply is matched to its command by counting; every wait is bounded; a lost connection says
what was still open. Never: retries, decides what a reply means for a reader (delivery/ does), or logs a
credential.
"""

from mailer.smtp.model import Envelope, Exchange, Reply, Session, SessionLost
from mailer.smtp.relay import Kind, Relay, Timeouts, Tls, parse_relay

__all__ = [
    "Envelope",
    "Exchange",
    "Kind",
    "Relay",
    "Reply",
    "Session",
    "SessionLost",
    "Timeouts",
    "Tls",
    "parse_relay",
]
