"""The subscribers: who gets what, by what right, and who never will again. Its whole face.

A bounded context of its own: it knows nothing of mailer and never sends mail. Every verb takes a connection and the
time, runs in the caller's transaction and returns frozen values, never rows.
"""
