from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mailer.edition import Edition, Masthead, Slot
from mailer.edition.compile import compile_issue
from mailer.issue.read import read_issue

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = Masthead(
    list_name="The Lighthouse",
    base_url="https://lighthouse.example/",
    public_url="https://news.lighthouse.example",
    postal_address="1 Harbour Lane\nWhitby",
)


class Mail:
    """One compiled source, with its slots shown as {{name:context}}."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self.html = shown(edition.html)
        self.text = shown(edition.text)
        self.subject = shown(edition.subject)

    @property
    def content(self) -> str:
        """The HTML between the title and the footer."""
        start = self.html.index('class="content"')
        return self.html[start : self.html.index("<!--[if mso | IE]></td>", start)]

    def rules(self, level: str | None = None) -> list[str]:
        """The names of the rules that found something."""
        return [f.rule for f in self.edition.findings if level is None or f.level == level]


def shown(parts: tuple[str | Slot, ...]) -> str:
    return "".join(
        part if isinstance(part, str) else f"{{{{{part.name}:{part.context}:{part.default}}}}}"
        for part in parts
    )


@pytest.fixture
def mail() -> Callable[..., Mail]:
    """Compile a source: `mail("# Hello", subject="Hi", list_name="L", …)`."""

    def compiled(source: str | bytes, *, subject: str | None = "A quiet week", **masthead: Any) -> Mail:
        octets = source if isinstance(source, bytes) else source.encode()
        values = {name: getattr(HEAD, name) for name in Masthead.__dataclass_fields__}
        return Mail(
            compile_issue(
                read_issue(octets, "issues/7.md", subject=subject), Masthead(**{**values, **masthead})
            )
        )

    return compiled
