"""Whatever a provider posts: no event, no octets and no value make a hook fall over."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.web.hooks.model import Refused
from mailer.web.hooks.providers import PROVIDERS
from mailer.web.hooks.reading import moment, objects, parsed
from mailer.web.hooks.understanding import understand

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


NAMES = st.sampled_from(
    ["event", "eventType", "RecordType", "type", "bounce", "mail", "message", "headers", "Email", "timestamp",
     "recipient", "bouncedRecipients", "Content", "Metadata", "SuppressSending", "event-data", "signature", "header"]
)  # fmt: skip


WORDS = st.sampled_from(
    ["bounce", "Bounce", "failed", "delivered", "Complaint", "permanent", "SubscriptionChange"]
)


@given(st.sampled_from(sorted(PROVIDERS)), st.dictionaries(NAMES, JSON | WORDS, max_size=8))
def test_no_event_makes_a_provider_fall_over(kind: str, event: dict[str, Any]):
    """Whatever stands in an event, it becomes notices, or is kept as unknown, or is of no consequence."""
    found, unknown = understand(PROVIDERS[kind], kind, [event])
    assert len(unknown) + bool(found) <= 1
    for one in found:
        assert one.recipient
        assert len(one.reply) <= 4100
        assert len(one.key) < 200


@given(JSON)
def test_only_a_list_of_objects_is_a_batch(value: Any):
    """Anything else is refused."""
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        assert objects(value) == value
    else:
        with pytest.raises(Refused):
            objects(value)


@given(st.binary(max_size=200))
def test_any_octets_are_json_or_refused(body: bytes):
    """Nothing else comes of them."""
    with suppress(Refused):
        parsed(body)


@given(JSON)
def test_any_value_is_a_time_or_none(value: Any):
    """A time that cannot be is none."""
    found = moment({"t": value}, "t")
    assert found is None or found.tzinfo is UTC
