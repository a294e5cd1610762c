"""Mailings, their audience, the ledger, and the engine that sends.

claim -> message -> pace -> smtp -> outcome -> settle. The ledger is the truth: after any death of the process every
reader is in exactly one state, and only a row in `sending` can be in doubt.
"""
