"""Schedules: what is due, when, and which issue; begun once, whatever happened.

Promises: due times are a pure function of rule, zone and clock; the row of a schedule and a due time is unique and
claimed in the transaction that begins the mailing, so that two processes, a restart or a clock that jumps begin one;
what cannot be decided is asked. Never sends: it writes the mailing that the delivery part sends.
"""
