"""What is wrong, or may be, with an edition: on the content tree, and on the finished mail."""

from mailer.edition.findings.mail import check_edition
from mailer.edition.findings.tree import check_tree

__all__ = ["check_edition", "check_tree"]
