"""docs/api.md and docs/hooks.md against the interface, the events and the metrics that there are."""

from __future__ import annotations

import re

from mailer.hooks.patience import WAITS
from mailer.settings.hooks import SENT
from mailer.tokens import Scope
from tests.docs.pages import ROOT, names, read, rows, sections

API = sections(read("api.md"))
HOOKS = sections(read("hooks.md"))


def _first(section: str) -> set[str]:
    return {name for row in rows(section) for name in names(row[0])}


def test_scopes():
    """Every scope is explained, and none that is gone."""
    assert _first(API["Scopes"]) == set(Scope)


def test_events():
    """Every type that a receiver may be told is explained, and no other."""
    assert _first(HOOKS["Hooks going out"]) == set(SENT)


def test_waits():
    """The waits stand as they are."""
    told = re.search(r"tried again after ([^,]+(?:, [^,]+)*?) and (24 h)", HOOKS["Hooks going out"])
    assert told is not None
    units = {"s": 1, "min": 60, "h": 3600}
    spans = [one.split() for one in (*told[1].split(", "), told[2])]
    assert [int(number) * units[unit] for number, unit in spans] == [one.total_seconds() for one in WAITS]


def test_routes():
    """Every route stands in the table, and every row is a route."""
    prefixes = {
        "people": "/subscribers",
        "suppressions": "/suppressions",
        "segments": "/segments",
        "mailings": "",
    }
    routes = set()
    for room, prefix in prefixes.items():
        text = (ROOT / f"mailer/web/api/{room}.py").read_text()
        for method, path in re.findall(r"@router\.(get|post|patch|delete)\(\s*\"([^\"]*)\"", text):
            bare = re.sub(r"subscriber_id", "id", path)
            routes.add(f"{method.upper()} {prefix}{bare}")
    told = set()
    for row in rows(API["Requests"]):
        whole = names(row[0])
        base = whole[0].rsplit("/", 1)[0]
        told |= {one if " " in one else base + one.removeprefix("…") for one in whole}
    assert told == routes


def test_metrics():
    """Every metric is explained with its labels, and none that is gone."""
    text = (ROOT / "mailer/web/monitor/sums.py").read_text() + (
        ROOT / "mailer/web/monitor/metrics.py"
    ).read_text()
    assert _first(API["Watching"]) == set(re.findall(r"\"(mailer_\w+)\"", text))


def test_codes():
    """Every word for programs stands in the table of errors."""
    text = "".join(file.read_text() for file in (ROOT / "mailer/web/api").glob("*.py"))
    words = set(re.findall(r"code=\"([a-z-]+)\"", text)) | set(re.findall(r"\(4\d\d, \"([a-z-]+)\"\)", text))
    words |= set(re.findall(r"40[45]: \"([a-z-]+)\"", text)) | {"no-token", "bad-token"}
    told = {name for row in rows(API["Errors"]) for name in names(row[1])}
    assert words - told == set()
