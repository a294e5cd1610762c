# ruff: noqa: SIM905 - one word a line would be a page of words
"""The names of HTML's elements that an author's text may hold: phrases, blocks, and what shows something else."""

from __future__ import annotations

PHRASES = frozenset(
    """
    a abbr acronym b bdi bdo big br cite code del dfn em font i img ins kbd mark nobr q s samp small span
    strike strong sub sup time tt u var wbr
    """.split()
)
BLOCKS = frozenset(
    """
    address article aside blockquote caption center col colgroup dd details dir div dl dt fieldset
    figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre rp rt ruby
    section summary table tbody td tfoot th thead tr ul
    """.split()
)
EMBEDS = frozenset(["audio", "embed", "iframe", "input", "object", "param", "picture", "source", "video"])
