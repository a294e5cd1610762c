"""Hooks going out: what happens is told to the receivers of mailer.toml, at least once, signed.

Also what the web's hooks leave behind: providers' reports by name, and the events that nobody understood.
"""
