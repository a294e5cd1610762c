"""Events -> notices: the provider's table says what its words mean; what no row knows is kept for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mailer.feedback.model import Kind, Notice, Permanence
from mailer.web.hooks.reading import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mailer.web.hooks.model import Facts, Provider, Row

MOST_RECIPIENTS = 1000  # of one event


def understand(
    provider: Provider, name: str, events: Sequence[Mapping[str, Any]]
) -> tuple[list[Notice], list[Mapping[str, Any]]]:
    """Give the notices of a batch in its order, and the events that no row of the table knows."""
    notices: list[Notice] = []
    unknown: list[Mapping[str, Any]] = []
    for event in events:
        said = provider.words(event)
        row = next((row for row in provider.rows if row.matches(said)), None)
        facts = list(provider.facts(event))[:MOST_RECIPIENTS] if row and row.kind else []
        if row is None or (row.kind and not facts):
            unknown.append(event)
        notices += [_notice(name, row, one) for one in facts if row]
    return notices, unknown


def _notice(name: str, row: Row, facts: Facts) -> Notice:
    if row.kind is None:
        raise AssertionError("a row without a kind makes no notice")
    final = row.permanence is not Permanence.TEMPORARY if row.kind is Kind.BOUNCE else None
    return Notice(
        kind=row.kind,
        recipient=facts.recipient,
        reason=row.reason,
        permanence=row.permanence,
        final=final,
        hardbounce=row.hardbounce,
        status=facts.status,
        reply=facts.reply,
        at=facts.at,
        key=_key(name, row, facts),
        evidence=facts.evidence,
        **({"feedback": row.feedback} if row.feedback else {}),
    )


def _key(name: str, row: Row, facts: Facts) -> str:
    """Give a name for this report about this recipient, the same whenever the provider repeats it."""
    parts = (
        name,
        str(row.kind),
        facts.key,
        facts.recipient.lower(),
        facts.evidence.relay_id,
        str(facts.at or ""),
    )
    return f"hook:{name}:{digest(*(part.encode() for part in parts))[:40]}"
