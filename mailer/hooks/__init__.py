"""Hooks going out: what happens is told to the receivers of mailer.toml, at least once, in the order it happened."""
