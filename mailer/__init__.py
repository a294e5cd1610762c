"""A newsletter in git, brought to every subscriber exactly once. docs/how-it-works.md is the map."""


def __getattr__(name: str) -> str:
    """Give `__version__` when it is asked for: looking it up takes as long as the rest of `mailer --help`."""
    if name != "__version__":
        raise AttributeError(name)
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("newsletter-mailer")
    except PackageNotFoundError:  # a checkout that was never installed
        return "0+unknown"
