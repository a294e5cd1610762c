"""Letters: the service mails that readers and operators get, and what they do with them.

A sign-up, its confirmation, a move of address: each is one function that joins the verb of `subscribers`, the letter
and the event in the caller's transaction, so that none stands without the others. Promises: no text that a visitor
typed stands in any of them; the same request is answered by one letter, however often it is tried. Never sends: the
delivery room does.
"""
