"""A newsletter in git, brought to every subscriber exactly once. docs/how-it-works.md is the map."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("newsletter-mailer")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+unknown"
