"""The preview: an issue as its readers will see it, in a browser on this machine, live.

Promises: what is shown is taken out of the very message that would be sent; an error is shown, and never ends
the preview. The mail stands in a sandbox without scripts; the server listens on the loopback alone, takes GET
alone and answers no page of somebody else's (DNS rebinding). Never: opens the database, or a connection to
anywhere.
"""
