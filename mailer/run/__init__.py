"""The one daemon: composes the rooms below it, starts them and stops them."""
