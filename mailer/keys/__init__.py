"""The newsletter's secret, and what is derived from it: one key per purpose, and tokens that stand alone.

The secret is a ring: the first key makes tokens, every key of it still proves them; the suppression key is that of
the oldest and never rotates. Never: writes the secret to a log, an error or a token.
"""

from mailer.keys.model import Key, Purpose, Timed
from mailer.keys.ring import Keys, as_link
from mailer.keys.secret import load_keys, new_secret, rotated_secret

__all__ = ["Key", "Keys", "Purpose", "Timed", "as_link", "load_keys", "new_secret", "rotated_secret"]
