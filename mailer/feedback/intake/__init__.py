"""Intake: however a mail comes back, it is heard in one place, once, and stored before its carrier is told so."""

from mailer.feedback.intake.hearing import Heard, hear, hear_mail

__all__ = ["Heard", "hear", "hear_mail"]
