"""Backup: database, journal, keys and secret in one file that only its owner may read, and the way back.

Promises: a backup is one moment of the database, taken while others write; the journal is copied after it, so it holds
at least what the database does. A restore replaces the database whole or not at all, and never shortens a journal:
what was sent after the backup stays proven on the machine that sent it. Never: restores another newsletter's backup,
or writes outside .mailer/ and the database.
"""

from mailer.backup.archive import Backup, open_backup, write_backup
from mailer.backup.restore import restore_backup

__all__ = ["Backup", "open_backup", "restore_backup", "write_backup"]
