"""File -> Issue: decode, read the front matter, understand the dialect, repair, find by number.

Promises: pure (bytes in, value out), offline, bounded; what was repaired or is wrong is a Finding with its line.
Never: renders anything (edition/ does), opens the database or the network.
"""

from mailer.issue.model import Finding, Hero, Issue, Level, MergeField

__all__ = ["Finding", "Hero", "Issue", "Level", "MergeField"]
