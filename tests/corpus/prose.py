# ruff: noqa: RUF001 - punctuation of many scripts
"""What an issue's source says, read without the program: its sentences and its links.

An independent and much cruder reader than mailer.issue: it knows no structure, drops what is markup in any of the
dialects, and gives runs of words that must stand, in this order and unbroken, in every part of the mail.
"""

from __future__ import annotations

import html
import json
import re
from urllib.parse import unquote

import ftfy

CRUFT = re.compile(
    r"^\W*(?:like this:?(?:\s*like)?\s*(?:loading\W*)?|like loading\W*|related|share this:?|loading\W*)\W*$"
    r"|click to (?:share|email|print)|opens in new window",
    re.IGNORECASE,
)
_DROPPED = [
    re.compile(pattern, re.DOTALL | re.MULTILINE)
    for pattern in (
        r"^(```|~~~)[^\n]*\n.*?^\1[^\n]*$",
        r"<!--.*?-->",
        r"<(script|style|iframe|video|audio|object|noscript|form)\b.*?</\1\s*>",
        r"\{%-?\s*comment.*?endcomment\s*-?%\}",
        r"\{%-?\s*(?:highlight|raw).*?end(?:highlight|raw)\s*-?%\}",
        r"\{\{<\s*highlight.*?/highlight\s*>\}\}",
        r"\{::comment\}.*?\{:/comment\}",
        r"%%.*?%%",
        r"\{/\*.*?\*/\}",
        r"^export const .*?^\}\s*$",
        r"^[*-] TOC *$",
        r"^import\s[^\n]*\bfrom\b[^\n]*$",
        r"<[A-Z]\w+\s(?:[^<>]|\{[^}]*\})*?/>",
    )
]
_BREAKS = [
    (re.compile(pattern, re.DOTALL), "\n")
    for pattern in (
        r"\{%.*?%\}",
        r"\{\{[<%].*?[>%]\}\}",
        r"\{::?[^{}\n]*\}",
        r"(?m)\s?\{#[\w-]+\}\s*$",
        r"!\[\[[^\]\n]*\]\]",
        r"!\[[^\]\n]*\]\([^)\n]*\)",
        r"\[(?:/?caption|gallery|audio|video)\b[^\]\n]*\]",
        r"\[embed\].*?\[/embed\]",
        r"\[\^[^\]\n]+\]:?",
        r"\^\[",
        r"(?m)^\s*\[[^\]\n]+\]:\s*\S+.*$",
        r"\[[ xX]\]",
        r"(?m)^> ?\[!\w+\][+-]?",
        r"(?m)\s\^[\w-]+\s*$",
        r"(?m)^:{3,}[ \t]*(?:\{[^}\n]*\}|\w+)?|^!!!\s+\w+",
        r"(?<=\s)#[a-zA-Z][\w/-]*",
        r"(?<![\w@/.-])(?:[\w-]+\.)+(?:com|org|net|edu|gov|io|ai|dev|co\.uk)\b(?:/[^\s)\]]*)?",
    )
]
_MERGE = re.compile(
    r"(?<!`)\{\{\s*(?:subscriber|list|issue)\.\w+\s*(?:\|\s*default\s*(?:\(\s*|:\s*)([\"'])(.*?)\1\)?\s*)?\}\}"
)
_OUTPUT_TAG = re.compile(r"(?<!`)\{\{.*?\}\}")
_LINK = re.compile(
    r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(\s*<?((?:[^()\s>]|\([^()\s]*\))*)>?(?:\s+[\"'(][^\n]*?[\"')])?\s*\)"
)
_WIKI = re.compile(r"\[\[([^\]|\n]*\|)?([^\]\n]*)\]\]")
_URL = re.compile(r"<?\b(?:https?://|mailto:|tel:)[^\s<>\"]+>?")
_BLOCK_TAG = re.compile(
    r"</?(?:p|div|h\d|ul|ol|li|table|t[rdh]|thead|tbody|br|hr|blockquote|img|details|summary|center)\b[^>]*>",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_SENTENCE = re.compile(r"[.!?:;|…。！？：；、،؛؟।()（）—–\n]")
_WIDE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_WIDE}]|[^\W_{_WIDE}]+")


def decoded(source: bytes) -> str:
    """Give the text, with its mis-decoded lines mended as far as ftfy can."""
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = source.decode("cp1252", "replace")
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line if line.startswith("    ") else ftfy.fix_encoding(line) for line in lines)


def split(text: str) -> tuple[str, str]:
    """Give the front matter, of whichever kind, and what comes after it."""
    text = text.lstrip("\n")
    for fence in ("---", "+++"):
        match = re.match(
            rf"{re.escape(fence)}[ \t]*\n(.*?)\n{re.escape(fence)}[ \t]*(?:\n|\Z)", text, re.DOTALL
        )
        if match and re.search(r"^\s*[\w-]+\s*[:=]", match[1], re.MULTILINE):
            return match[1], text[match.end() :]
    if text.startswith("{"):
        try:
            end = json.JSONDecoder().raw_decode(text)[1]
        except ValueError:
            return "", text
        return text[:end], text[end:]
    match = re.match(r"(?:[A-Z][\w -]*:[ \t]+[^\n]+\n){2,}\n", text)
    return (match[0], text[match.end() :]) if match else ("", text)


def words(text: str) -> list[str]:
    """Give the words in lower case; each Chinese, Japanese or Korean sign is a word of its own."""
    return [word.casefold() for word in _WORD.findall(text.replace("*", "").replace("\xad", ""))]


def _unlinked(text: str) -> str:
    for _ in range(3):
        text = _LINK.sub(r"\1", text)
    text = re.sub(r"\[([^\[\]]*)\]\[[^\]\n]*\]", r"\1", text)
    return _WIKI.sub(r"\2", text)


def prose(body: str) -> str:
    """Give the body without its markup, a line feed wherever it was interrupted."""
    for pattern in _DROPPED:
        body = pattern.sub("\n", body)
    body = _MERGE.sub(lambda match: match[2] if match[2] is not None else "\n", body)
    body = _OUTPUT_TAG.sub("\n", body)
    for pattern, put in _BREAKS:
        body = pattern.sub(put, body)
    body = "\n".join("" if CRUFT.search(line) else line for line in body.split("\n"))
    body = _URL.sub("\n", _unlinked(body))
    body = html.unescape(_TAG.sub("", _BLOCK_TAG.sub("\n", body)))
    body = re.sub(r":[a-z0-9_+-]+:", "\n", body)
    return re.sub(r"(?m)^[ \t>]*(?:\d+[.)]|[-+*•])[ \t]+", "\n", body).replace("~~", "").replace("==", "")


def sentences(source: bytes) -> list[list[str]]:
    """Give the runs of at least three words that the mail must hold."""
    body = split(decoded(source))[1]
    return [run for run in map(words, _SENTENCE.split(prose(body))) if len(run) >= 3]


def missing(source: bytes, shown: str) -> list[str]:
    """Give the source's sentences that do not stand in what a part of the mail shows."""
    said = f" {' '.join(words(shown))} "
    return [" ".join(run) for run in sentences(source) if f" {' '.join(run)} " not in said]


def same_address(url: str) -> str:
    """Give an address in the spelling in which two spellings of it are equal."""
    return unquote(html.unescape(url)).rstrip("/").replace(" ", "")


def links(source: bytes) -> list[str]:
    """Give the absolute addresses that the body links to, without those of pictures, code and cruft."""
    body = split(decoded(source))[1]
    for pattern in _DROPPED:
        body = pattern.sub("\n", body)
    body = _MERGE.sub(lambda match: match[2] or "", body)
    body = "\n".join("" if CRUFT.search(line) else line for line in body.split("\n"))
    body = re.sub(
        r"!\[[^\]\n]*\]\([^)\n]*\)|`[^`\n]*`|<img\b[^>]*>|\[embed\].*?\[/embed\]|\{\{.*?\}\}|\{%.*?%\}",
        "",
        body,
    )
    found = [match[2] for match in _LINK.finditer(body)]
    found += re.findall(r"<a\b[^>]*?href\s*=\s*[\"']([^\"']+)", body)
    found += re.findall(r"<((?:https?://|mailto:)[^<>\s]+)>", body)
    wanted = (re.match(r"(?:https?://|mailto:|tel:)[^\s{}]+\Z", url) for url in found)
    return [match[0] for match in wanted if match]
