"""What MDX and JSX leave in a Markdown file: import and export lines, components, expressions.

Components that show a video, a tweet or a picture become embeds; of callouts and unknown ones the content stays.
Names in capitals alone (`<IMG>`) are HTML and are not touched.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.issue.dialects import embeds
from mailer.issue.dialects.callouts import quoted
from mailer.issue.page import Edit, enclosed, info, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailer.issue.page import Page

# JavaScript's own syntax, because prose begins lines with these words, too: "export default settings are kept".
_IMPORT = (
    r"import[ \t]+(?:(?:type[ \t]+)?(?:[\w$]+[ \t]*(?:,[ \t]*)?)?(?:\*[ \t]*as[ \t]+[\w$]+|\{[^{}]{0,500}\})?"
    r"[ \t]*\bfrom[ \t]*)?[\"'][^\"'\n]{1,300}[\"'];?[ \t]*$"
)
_EXPORT = (
    r"export[ \t]+(?:(?:const|let|var)[ \t]+(?:[\w$]+[ \t]*(?::[^\n=]{1,200})?|[{\[][^\n=]{0,200}[}\]][ \t]*)="
    r"|(?:default[ \t]+)?(?:(?:async[ \t]+)?function[ \t]*\*?[ \t]*[\w$]+\(|class\b[^\n{.]{0,200}\{)"
    r"|default[ \t]+(?:[({\[]|(?:async|function\*?)[ \t]*\(|[\w$.]+\(|[A-Z][\w$]*[ \t]*$|[\w$.]+;[ \t]*$)"
    r"|(?:\{[^{}]{0,500}\}|\*(?:[ \t]*as[ \t]+[\w$]+)?)(?:[ \t]*from[ \t]*[\"'][^\"'\n]{1,300}[\"'])?;?[ \t]*$)"
)
# A body of several lines ends with a bracket at a line's start, or with the lines that are indented.
_BODY = r"[^\n]*(?:(?<=[({\[])\n(?:(?:[ \t][^\n]*)?\n){0,200}[}\])][^\n]*|(?:\n(?=[ \t}\])])[^\n]*)*)"
_MODULE = re.compile(rf"^(?:{_IMPORT}|{_EXPORT}{_BODY})", re.MULTILINE)
_COMMENT, _END_COMMENT = re.compile(r"\{/\*"), re.compile(r"\*/\}")
_STYLE = re.compile(r"[ \t](?:style|css|sx)=\{\{[^{}]{0,1000}\}\}")
_CLASS = re.compile(r"(<[a-z][\w-]{0,30}\b[^<>]{0,500}?[ \t])className=")
_TAG_AS_VALUE = re.compile(r"[ \t\n][\w-]{1,40}=\{[^{}\n]{0,300}<[^{}\n]{0,300}>[^{}\n]{0,300}\}")
_SPACE = re.compile(r"\{[ \t]*([\"'`])([ \t]*)\1[ \t]*\}")
_TAG = re.compile(r"<(/?)([A-Z][A-Za-z0-9.]{1,60})((?:[ \t\n][^<>]{0,3000})?)>")
_LONE_TAG = re.compile(
    r"^[ \t]*<(/?)([A-Z][A-Za-z0-9.]{1,60})((?:[ \t][^<>\n]{0,3000})?)>[ \t]*$", re.MULTILINE
)
_CLOSED = re.compile(r"</([A-Z][A-Za-z0-9.]{1,60})>")
_OPEN_CALLOUT = re.compile(
    r"<(Callout|Note|Tip|Warning|Info|Alert|Aside|Admonition|Caution|Danger|Notice)\b([^<>]{0,500})(?<!/)>"
)
_CLOSE_CALLOUT = re.compile(
    r"</(?:Callout|Note|Tip|Warning|Info|Alert|Aside|Admonition|Caution|Danger|Notice)>"
)
_OPEN_LINK, _CLOSE_LINK = (
    re.compile(r"<(Link|Button|LinkButton)\b([^<>]{0,1000})(?<!/)>"),
    re.compile(r"</(?:Link|Button|LinkButton)>"),
)


def mdx(page: Page) -> Page:
    """Give the page without JSX."""
    if "import " in page.text or "export " in page.text:
        page = page.sub(_MODULE, "", info("residue", "A line of MDX code (import, export) was left out."))
    if "{/*" in page.text:
        page = page.splice(
            Edit(o.start(), c.end(), "") for o, c in enclosed(page.text, _COMMENT, _END_COMMENT)
        )
    if "<" not in page.text:
        return page
    if "={" in page.text:
        page = page.sub(_TAG_AS_VALUE, "")
    if "={{" in page.text:
        page = page.sub(_STYLE, "")
    if "className=" in page.text:
        page = page.sub(_CLASS, lambda match: f"{match[1]}class=")
    if "{" in page.text:
        page = page.sub(_SPACE, " ")
    return _components(page) if _TAG.search(page.text) else page


def _components(page: Page) -> Page:
    text = page.text
    page = page.splice(
        Edit(o.start(), c.end(), f"\n{quoted(_dedented(text[o.end() : c.start()]), _name(o))}\n")
        for o, c in enclosed(text, _OPEN_CALLOUT, _CLOSE_CALLOUT)
    )
    page = page.splice(_links(page.text))
    if _LONE_TAG.search(page.text):
        page = _blocks(page)
    return page.splice(_tags(page.text))


def _blocks(page: Page) -> Page:
    """Take the indentation off what stands inside a component, where it would make code of it."""
    made: list[tuple[int, str]] = []
    open_: list[int | None] = []  # the indentation of each open component's content, once it is known
    for number, line in zip(page.numbers, page.lines(), strict=True):
        tag = _LONE_TAG.match(line)
        if tag and tag[1]:
            del open_[-1:]
        text = line.lstrip(" \t")
        if open_ and text:
            indent = len(line) - len(text)
            taken = open_[-1] = indent if open_[-1] is None else open_[-1]
            made.append((number, line[min(taken, indent) :]))
        else:
            made.append((number, text if tag else line))
        if tag and not tag[1] and not tag[3].rstrip().endswith("/"):
            open_.append(None)
    return page.with_lines(made)


def _name(match: re.Match[str]) -> str:
    values = embeds.attributes(match[2])
    kind = match[1] if match[1] not in {"Callout", "Alert", "Aside", "Admonition", "Notice"} else ""
    return embeds.first(values, "title") or embeds.label(
        kind or embeds.first(values, "type", "variant") or "note"
    )


def _dedented(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip("\n").split("\n"))


def _links(text: str) -> Iterator[Edit]:
    for opening, closing in enclosed(text, _OPEN_LINK, _CLOSE_LINK):
        url = embeds.first(embeds.attributes(opening[2]), "href", "to", "url")
        words = " ".join(text[opening.end() : closing.start()].split())
        if url and opening[1] != "Link":
            yield embeds.button(text, opening.start(), closing.end(), url, words)
            continue
        yield Edit(opening.start(), closing.end(), f"[{words}]({url})" if url else words)


def _tags(text: str) -> Iterator[Edit]:
    # A name in angle brackets without attributes or an end, as in List<String>, is no component.
    closed = set(_CLOSED.findall(text))
    for match in _TAG.finditer(text):
        name = match[2]
        if name.isupper():
            continue
        html = None if match[1] else _embed(name.lower(), match[3])
        if html:
            yield embeds.block(text, match.start(), match.end(), html)
        elif match[3].strip() or match[1] or name in closed:
            note = warning("residue", f"The component <{name}> was taken off; its content stays.")
            yield Edit(match.start(), match.end(), "", None if match[1] else note)


def _embed(name: str, rest: str) -> str | None:
    values = embeds.attributes(rest.rstrip("/ "))
    if "youtube" in name or "vimeo" in name:
        return embeds.video("vimeo" if "vimeo" in name else "youtube", values)
    if "tweet" in name or "twitter" in name:
        return embeds.tweet(values)
    if name in {"image", "img", "figure", "picture", "next.image", "gatsbyimage", "staticimage", "photo"}:
        return embeds.figure(values)
    url = embeds.first(values, "src", "url", "href")
    return embeds.link(url, embeds.first(values, "title", "text")) if url.startswith("http") else None
