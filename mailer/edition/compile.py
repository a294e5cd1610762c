"""Issue + masthead -> Edition: the compile step, as a table of stages.

Promises: pure and offline (local pictures are measured, nothing else is read), deterministic, and complete: the text
part comes from the same tree as the HTML. It is not guarded against what C libraries do to hostile input; guard.py is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.edition import content, language, skeleton, slots
from mailer.edition.address import Addresses, is_web, web_root
from mailer.edition.cruft import remove_cruft
from mailer.edition.dress import dress
from mailer.edition.embeds import card_embeds
from mailer.edition.findings import check_edition, check_tree
from mailer.edition.frame import Frame, frame_of, local_day
from mailer.edition.headings import order_headings
from mailer.edition.images import place_images
from mailer.edition.links import list_images, make_buttons, mend_links, more_button, number_links
from mailer.edition.model import Context, Edition, Image, Link, Masthead, Slotted
from mailer.edition.permalink import page_of
from mailer.edition.preheader import hidden_preheader, preheader_of
from mailer.edition.report import Report
from mailer.edition.structure import normalise, remove_empty
from mailer.edition.text import render_text
from mailer.edition.theme import resolve_theme
from mailer.edition.words import words_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.html import HtmlElement

    from mailer.issue.model import Issue


@dataclass(slots=True)
class Work:
    """One compile under way: what is given, what is known from the start, and what the stages make of it."""

    issue: Issue
    masthead: Masthead
    report: Report
    theme: dict[str, str]
    language: str
    direction: str
    addresses: Addresses
    links: dict[str, str]
    slots: dict[str, tuple[str, str]]
    constants: dict[str, str]
    frame: Frame
    raw: str = ""
    tree: HtmlElement = None
    alive: tuple[HtmlElement, ...] = ()
    text: str = ""
    body: str = ""
    html: str = ""
    preheader: str = ""
    numbered: tuple[Link, ...] = ()
    images: tuple[Image, ...] = ()
    parts: dict[str, Slotted] = field(default_factory=dict)


def begin(issue: Issue, masthead: Masthead) -> Work:
    """Give what every stage needs to know. Raises UserError for a theme that is wrong."""
    theme = resolve_theme(masthead.theme)
    tongue = language.language_of(issue.language, issue.body, masthead.language)
    links = slots.link_tokens(issue.body + issue.subject)
    tokens = slots.slots_of(issue.merge_fields, links)
    addresses = _addresses(issue, masthead, frozenset(tokens))
    constants = slots.constants_of(issue.merge_fields, _values(issue, masthead, addresses.page))
    title = slots.fill_text(issue.title or issue.subject, constants)
    return Work(
        issue=issue,
        masthead=masthead,
        report=Report(issue.file, list(issue.findings)),
        theme=theme,
        language=tongue,
        direction=language.direction_of(tongue),
        addresses=addresses,
        links=links,
        slots=tokens,
        constants=constants,
        frame=frame_of(issue, masthead, tongue, title, addresses.page, links),
    )


def _addresses(issue: Issue, masthead: Masthead, fields: frozenset[str]) -> Addresses:
    base = web_root(masthead.base_url)
    own = Addresses(base, None, None, None).absolute(issue.canonical) if issue.canonical else None
    beside = Path(issue.file).parent if masthead.folder else None
    if beside and masthead.folder and not beside.is_absolute() and not beside.is_dir():
        beside = masthead.folder / beside
    page = own if own and is_web(own) else page_of(issue, masthead)
    return Addresses(base, page, masthead.folder, beside, fields)


def _values(issue: Issue, masthead: Masthead, page: str | None) -> dict[str, str]:
    """Give what `list.*` and `issue.*` stand for."""
    return {
        "list.name": masthead.list_name or masthead.sender_name,
        "list.key": masthead.list_key,
        "issue.number": "" if issue.number is None else str(issue.number),
        "issue.slug": issue.slug,
        "issue.title": issue.title or issue.subject,
        "issue.subject": issue.subject,
        "issue.date": local_day(issue.date, masthead.time_zone).isoformat() if issue.date else "",
        "issue.url": page or "",
    }


def _markdown(work: Work) -> None:
    work.raw = content.render(work.issue, work.report)


def _sanitise(work: Work) -> None:
    work.tree = content.clean(work.raw, work.report)
    # lxml makes a proxy for each element at each visit, unless one is alive: a tenth of the whole time.
    work.alive = tuple(work.tree.iter())


def _fill(work: Work) -> None:
    slots.fill_tree(work.tree, work.constants)


def _cruft(work: Work) -> None:
    remove_cruft(work.tree, work.report)


def _embeds(work: Work) -> None:
    card_embeds(work.tree, words_for(work.language), work.addresses.base, work.report)


def _structure(work: Work) -> None:
    normalise(work.tree)


def _images(work: Work) -> None:
    place_images(work.tree, work.addresses, work.report)


def _links(work: Work) -> None:
    mend_links(work.tree, work.addresses, work.report)
    make_buttons(work.tree)
    more = work.addresses.absolute(work.issue.more_url) if work.issue.more_url else None
    if more and is_web(more):
        more_button(work.tree, more, work.frame.words["more"])


def _headings(work: Work) -> None:
    titles = (work.issue.title, work.issue.subject, work.frame.title)
    if longer := order_headings(work.tree, titles, work.report):
        work.frame = replace(work.frame, title=longer)


def _seal(work: Work) -> None:
    remove_empty(work.tree)
    content.seal(work.tree)
    named = slots.as_written(work.slots)
    work.numbered, work.images = number_links(work.tree, named), list_images(work.tree, named)


def _text(work: Work) -> None:
    work.text = render_text(work.tree, work.frame.for_text(work.slots))


def _check_tree(work: Work) -> None:
    check_tree(work.tree, work.report)


def _inline(work: Work) -> None:
    css = skeleton.render_template("content.css.j2", _style_values(work), work.masthead.templates)
    work.body = dress(work.tree, css, work.direction)


def _skeleton(work: Work) -> None:
    values = {
        **_style_values(work),
        "frame": work.frame,
        "words": work.frame.words,
        "language": work.language,
    }
    head = skeleton.render_template("head.html.j2", values, work.masthead.templates)
    work.preheader = preheader_of(work.issue, work.tree, work.constants)
    parts = {"head": head, "body": work.body, "preheader": hidden_preheader(work.preheader)}
    work.html = skeleton.compile_skeleton(values, parts, work.masthead.templates)


def _style_values(work: Work) -> dict[str, object]:
    right = work.direction == "rtl"
    return {
        "theme": work.theme,
        "direction": work.direction,
        "start": "right" if right else "left",
        "end": "left" if right else "right",
        "tracking": "normal" if language.script_of(work.frame.title) in language.JOINED else "-0.015em",
    }


def _cut(work: Work) -> None:
    subject = slots.fill_text(work.issue.subject, work.constants)
    work.parts = {
        "subject": slots.cut(subject, work.slots, Context.HEADER),
        "html": slots.cut_html(work.html, work.slots),
        "text": slots.cut_text(work.text, work.slots),
    }


def _finish(work: Work) -> None:
    check_edition(work)


STAGES: tuple[tuple[str, Callable[[Work], None]], ...] = (
    ("markdown", _markdown),
    ("sanitise", _sanitise),
    ("fill", _fill),
    ("cruft", _cruft),
    ("embeds", _embeds),
    ("structure", _structure),
    ("images", _images),
    ("links", _links),
    ("headings", _headings),
    ("seal", _seal),
    ("check tree", _check_tree),
    ("text", _text),
    ("inline", _inline),
    ("skeleton", _skeleton),
    ("cut", _cut),
    ("check edition", _finish),
)
"""The compile step, in order. A bench may time each: a stage takes the work and leaves its result there."""


def compile_issue(issue: Issue, masthead: Masthead) -> Edition:
    """Give the edition of `issue` for the list that `masthead` describes; its findings say what is wrong or was mended.

    Raises UserError for a theme or a template that is wrong.
    """
    work = begin(issue, masthead)
    for _name, stage in STAGES:
        stage(work)
    return finished(work)


def finished(work: Work) -> Edition:
    """Give the edition, after all stages."""
    issue = work.issue
    return Edition(
        file=issue.file,
        number=issue.number,
        slug=issue.slug,
        subject=work.parts["subject"],
        preheader=slots.with_defaults(work.preheader, work.slots),
        date=issue.date.isoformat() if issue.date else None,
        language=work.language,
        direction=work.direction,
        html=work.parts["html"],
        text=work.parts["text"],
        draft=issue.draft,
        canonical=work.addresses.page,
        links=work.numbered,
        images=work.images,
        findings=tuple(work.report.findings),
    )
