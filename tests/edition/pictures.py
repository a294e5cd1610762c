"""Pictures of a compiled mail, as phones and desktops show it: light and dark, 375, 600 and 1,200 CSS pixels wide.

    python -m tests.edition.pictures OUT_FOLDER ISSUE…

Nothing is fetched: local pictures beside the issue stand in for remote ones, everything else stays empty.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.edition import Edition, Masthead, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Route

WIDTHS = (375, 600, 1200)
SCHEMES = ("light", "dark")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def browser(path: str = "/usr/bin/chromium") -> Iterator[Browser]:
    """Start Chromium, headless and without a network."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield chromium
        chromium.close()


def as_read(edition: Edition) -> str:
    """Give the HTML as somebody gets it of whom nothing is known."""
    return "".join(part if isinstance(part, str) else _shown(part) for part in edition.html)


def _shown(slot: Slot) -> str:
    return "https://reader.example/" if slot.name.startswith("link.") else slot.default or slot.name


def photograph(
    chromium: Browser,
    html: str,
    width: int,
    scheme: str,
    file: Path | None = None,
    beside: Path | None = None,
) -> int:
    """Show the mail, take its picture where `file` is given, and give the width that it needs to be seen whole."""
    context = chromium.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        device_scale_factor=2,  # type: ignore[arg-type]
    )
    context.route("**/*", lambda route: _answer(route, beside))
    page = context.new_page()
    page.set_content(html)
    needed: int = page.evaluate("document.scrollingElement.scrollWidth")
    if file:
        page.screenshot(path=file, full_page=True)
    context.close()
    return needed


def _answer(route: Route, beside: Path | None) -> None:
    local = beside / route.request.url.rsplit("/", 1)[-1] if beside else None
    if local and local.is_file():
        route.fulfill(path=local)
    else:
        route.abort()


def main(folder: Path, issues: list[Path]) -> None:
    """Write ISSUE-WIDTH-SCHEME.png for each issue."""
    from mailer.edition.guard import Compiler

    folder.mkdir(parents=True, exist_ok=True)
    with browser() as chromium, Compiler() as compiler:
        for issue in issues:
            head = Masthead(
                list_name="The Lighthouse",
                base_url="https://lighthouse.example/",
                postal_address="1 Harbour Lane\nWhitby",
                folder=issue.parent,
            )
            html = as_read(
                compiler.compile(issue, head, subject=None if issue.suffix == ".md" else issue.stem)
            )
            for width in WIDTHS:
                for scheme in SCHEMES:
                    file = folder / f"{issue.stem}-{width}-{scheme}.png"
                    needed = photograph(chromium, html, width, scheme, file, issue.parent)
                    sys.stdout.write(f"{file.name}: needs {needed} of {width} px\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
