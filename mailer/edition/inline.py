"""A style sheet -> style attributes on a tree, by premailer, once for each kind of place instead of each element.

Elements of one tag, class and style, with the same kinds of elements around them, get the same style: premailer sees
one of each. That holds for selectors of tags, classes and descent; a newsletter's own sheet that uses anything
else (siblings, attributes, pseudo-classes) has every element looked at. Nothing is fetched: the sheet is all there is.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import cssutils
import lxml.html
from premailer import Premailer

if TYPE_CHECKING:
    from lxml.html import HtmlElement

cssutils.log.setLevel(logging.CRITICAL)  # it knows no mso- property and warns of each
_RULES = re.compile(r"\{[^{}]*\}")
_BEYOND = re.compile(r"[+~\[:*@#]")
_read: dict[tuple[str, int], tuple[list[Any], list[Any]]] = {}
_MOST_READ = 32
_KEPT = ("width", "height", "align", "valign", "bgcolor", "cellpadding", "cellspacing")


class _Inliner(Premailer):  # type: ignore[misc]  # premailer ships no types
    """Premailer that reads a style sheet once: a list's sheet is the same for all its issues."""

    def _parse_style_rules(self, css_body: str, ruleset_index: int) -> tuple[list[Any], list[Any]]:
        key = (css_body, ruleset_index)
        if key not in _read:
            if len(_read) >= _MOST_READ:
                _read.clear()
            _read[key] = super()._parse_style_rules(css_body, ruleset_index)
        rules, leftover = _read[key]
        return list(rules), list(leftover)


def inline(root: HtmlElement, css: str) -> None:
    """Write the rules of `css` into the style attributes of `root` and all below it; what an element has wins."""
    if _BEYOND.search(_RULES.sub(" ", css)):
        _premail(root, css)
        return
    model, places = _model(root)
    _premail(model, css)
    for element, place in places:
        if style := place.get("style"):
            element.set("style", style)


def _model(root: HtmlElement) -> tuple[HtmlElement, list[tuple[HtmlElement, HtmlElement]]]:
    """Give a tree with one element for each kind of place in `root`, and each element's own in it."""
    model = _like(root)
    places = [(root, model)]
    kinds: dict[HtmlElement, dict[tuple[str, str, str], HtmlElement]] = {}
    for element, place in places:  # grows while it is walked: each level adds the next
        known = kinds.setdefault(place, {})
        for child in element:
            kind = (str(child.tag), child.get("class", ""), child.get("style", ""))
            if kind not in known:
                known[kind] = _like(child)
                place.append(known[kind])
            places.append((child, known[kind]))
    return model, places


def _like(element: HtmlElement) -> HtmlElement:
    like: HtmlElement = lxml.html.Element(str(element.tag))
    for name in ("class", "style"):
        if value := element.get(name):
            like.set(name, value)
    return like


def _premail(root: HtmlElement, css: str) -> None:
    _Inliner(
        root,
        css_text=css,
        disable_leftover_css=True,
        strip_important=False,
        remove_unset_properties=False,
        disable_validation=True,
        align_floating_images=False,
        allow_network=False,
        disable_basic_attributes=list(_KEPT),
        cssutils_logging_level=logging.CRITICAL,
    ).transform()
