"""Markdown -> HTML that knows its lines: CommonMark with GFM, footnotes, definition and task lists, raw HTML.

Promises: block elements carry `data-line`, the line of the source file, so that a finding can name it; nesting is
capped by the parser. The result is NOT safe: sanitise.py comes next.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence

    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token
    from markdown_it.utils import OptionsDict

# What linkify could find; it would look at every word of an issue that has all its links in brackets.
_BARE = re.compile(
    r"(?:(?<!\]\()(?<![\"'=<])(?<![A-Za-z])[A-Za-z]{3,5}:)//|(?<!:)//|mailto:|[^\s()<>]@[^\s()<>]",
    re.IGNORECASE,
)
_NOTE = re.compile(r"[ >]*\[\^([^\]\s]+)\]:")
_MOST_IN_A_WORD = 100
_START = re.compile(r"<(?=[A-Za-z/!?])")
# A whole tag, attributes and all: what looks like a tag inside them (alt="the <b> element") is none.
_TAG = re.compile(r"<(?=[A-Za-z/!?])([A-Za-z][A-Za-z0-9]*(?=[\s/>]))?(?:[^>\"']|\"[^\"]*\"|'[^']*')*>")
_BROKEN_TAGS = 20
_FENCES = ("fence", "code_block")
_NESTING = 40  # of Markdown's own blocks and spans; nobody quotes a quote 40 times on purpose


@cache
def _parser(*, bare_links: bool = True) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "linkify": bare_links, "maxNesting": _NESTING})
    parser.enable(["table", "strikethrough", *(["linkify"] if bare_links else [])])
    parser.use(footnote_plugin).use(deflist_plugin).use(tasklists_plugin)
    # A bare `README.md` or `Node.js` is no link; `https://…` and `name@example.org` are.
    if parser.linkify is not None:
        parser.linkify.set({"fuzzy_link": False, "fuzzy_ip": False, "fuzzy_email": True})
    # The sanitiser judges the URLs: what the parser refused would stay on the page as raw Markdown.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005 - the name is the parser's
    for name in _FENCES:
        parser.add_render_rule(name, _code)
    parser.add_render_rule("html_block", _html)
    parser.add_render_rule("html_inline", _html)
    parser.add_render_rule("footnote_anchor", _nothing)
    parser.add_render_rule("footnote_block_open", _notes)
    parser.add_render_rule("footnote_caption", _caption)
    return parser


def render_markdown(
    body: str, lines: Sequence[int] = (), lost: Callable[[str, int | None], None] | None = None
) -> str:
    """Give the HTML of `body`; `lines[i]` is the source line of the body's line i (without it: i + 1).

    `lost` hears of each footnote that nothing calls for, which shows nowhere: its name and its source line.
    """
    env: MutableMapping[str, Any] = {}
    parser = _parser(bare_links=_has_bare_links(body))
    tokens = parser.parse(body, env)
    _number_lines(tokens, lines)
    # The plug-in numbers a note when it is called for.
    unused = [name[1:] for name, number in env.get("footnotes", {}).get("refs", {}).items() if number < 0]
    if lost and unused:
        rows = _rows_of_notes(body)
        for name in unused:
            row = rows.get(name)
            lost(name, None if row is None else lines[row] if row < len(lines) else row + 1)
    html: str = parser.renderer.render(tokens, parser.options, env)
    return html


def _has_bare_links(body: str) -> bool:
    """Say whether to look for bare links; not where one word is hundreds of them, which takes minutes."""
    if _BARE.search(body) is None:
        return False
    return not any(
        word.count("://") > _MOST_IN_A_WORD for word in body.split() if len(word) > _MOST_IN_A_WORD
    )


def _rows_of_notes(body: str) -> dict[str, int]:
    """Give the line (from 0) of each footnote's text."""
    rows: dict[str, int] = {}
    for row, line in enumerate(body.split("\n")):
        if note := _NOTE.match(line):
            rows.setdefault(note[1], row)
    return rows


def render_inline(text: str) -> str:
    """Give the HTML of one line of Markdown (a picture's credit); not safe either."""
    html: str = _parser().renderInline(text, {})
    return html


def _number_lines(tokens: Sequence[Token], lines: Sequence[int]) -> None:
    line = None
    for token in tokens:
        if token.map is not None:
            first = token.map[0]
            line = lines[first] if first < len(lines) else first + 1
            if token.nesting >= 0 and token.type not in ("inline", "html_block"):
                token.attrSet("data-line", str(line))
        token.meta = {**token.meta, "line": line}
        for child in token.children or ():
            child.meta = {**child.meta, "line": line} if child.type == "html_inline" else child.meta
            if child.type in ("softbreak", "hardbreak") and line is not None:
                line += 1
            elif child.type in ("image", "link_open") and line is not None:
                child.attrSet("data-line", str(line))


def _html(
    _self: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    _options: OptionsDict,
    _env: MutableMapping[str, Any],
) -> str:
    """Put the line on every raw opening tag; a block of raw HTML counts its own lines."""
    token = tokens[index]
    line = token.meta.get("line")
    content = _whole_tags(token.content)
    if line is None:
        return content
    block = token.type == "html_block"

    def mark(match: re.Match[str]) -> str:
        if not match[1]:
            return match[0]
        below = content.count("\n", 0, match.start()) if block and len(content) < 20_000 else 0
        return f'<{match[1]} data-line="{line + below}"{match[0][match.end(1) - match.start() :]}'

    return _TAG.sub(mark, content)


def _whole_tags(content: str) -> str:
    """Escape the `<` of tags that nothing ends: they would take the words behind them for attributes."""
    place = broken = 0
    while broken < _BROKEN_TAGS and (start := _START.search(content, place)):
        if tag := _TAG.match(content, start.start()):
            place = tag.end()
        else:
            content = f"{content[: start.start()]}&lt;{content[start.end() :]}"
            place, broken = start.start() + 1, broken + 1
    return content if broken < _BROKEN_TAGS else content[:place] + content[place:].replace("<", "&lt;")


def _code(
    _self: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    _options: OptionsDict,
    _env: MutableMapping[str, Any],
) -> str:
    token = tokens[index]
    return f'<pre data-line="{token.meta.get("line") or 0}"><code>{escapeHtml(token.content)}</code></pre>\n'


def _caption(
    _self: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    _options: OptionsDict,
    _env: MutableMapping[str, Any],
) -> str:
    """`[1]`, without the `:1` that the plug-in adds to a note's second mention."""
    return f"[{tokens[index].meta['id'] + 1}]"


def _notes(
    _self: RendererHTML,
    _tokens: Sequence[Token],
    _index: int,
    _options: OptionsDict,
    _env: MutableMapping[str, Any],
) -> str:
    return '<section class="footnotes">\n<ol class="footnotes-list">\n'


def _nothing(
    _self: RendererHTML,
    _tokens: Sequence[Token],
    _index: int,
    _options: OptionsDict,
    _env: MutableMapping[str, Any],
) -> str:
    """No arrow back: few clients jump, and several paint it as an emoji."""
    return ""
