"""What looks the same is the same: names, tags and attributes are kept in NFC, whatever way they came."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import subscribers
from subscribers.exchange.cells import json_of, storable, text_of
from subscribers.profile import clean_attributes, clean_line

WIEN = "Zürich"
APART = unicodedata.normalize("NFD", WIEN)


@pytest.fixture
def matching(with_lists, clock):
    """Count the readers of main whom a segment selects."""

    def matching(text: str) -> int:
        frozen = subscribers.freeze_segment(text, list_key="main", now=clock.now)
        with with_lists.connect() as connection:
            audience = subscribers.audience(subscribers.list_ids(connection)["main"], clock.now)
            return len(connection.execute(audience.where(subscribers.compile_segment(frozen, {}))).all())

    return matching


@pytest.mark.parametrize("form", [WIEN, APART])
def test_segments_find_it(with_lists, matching, clock, hash_key, tmp_path, form):
    """A segment written in either form finds who was added, imported as CSV or as JSON in either form."""
    files = {
        "people.csv": f"email,name,Ört,tags\ncsv@example.org,{APART},{APART},{APART}\n".replace(
            "Ö", "O\u0308"
        ),
        "people.jsonl": json.dumps(
            {"email": "json@example.org", "name": APART, "tags": [APART], "attributes": {"O\u0308rt": APART}}
        ),
    }
    for name, text in files.items():
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        subscribers.import_file(
            with_lists.begin, file, list_key="main", basis="form", now=clock(), hash_key=hash_key,
            rejects=tmp_path / "rejects",
        )  # fmt: skip
    with with_lists.begin() as connection:
        subscribers.add(
            connection, email="added@example.org", list_key="main", now=clock(), hash_key=hash_key, basis="mail",
            name=APART, attributes={"O\u0308rt": APART}, tags=[APART],
        )  # fmt: skip
        ann = subscribers.add(
            connection, email="set@example.org", list_key="main", now=clock(), hash_key=hash_key, basis="mail"
        )
        subscribers.set_profile(connection, ann.id, clock(), name=APART, attributes={"O\u0308rt": APART})
        subscribers.tag(connection, ann.id, add=[APART], now=clock())
    for text in (f'tag "{form}"', f'name = "{form}"', f'attribute "Ört" = "{form}"'):
        assert matching(text) == 4, text
    with with_lists.begin() as connection:
        assert len(subscribers.people(connection, tag=form)) == 4
        assert subscribers.tag(connection, ann.id, remove=[form], now=clock()).tags == ()


@given(
    st.recursive(
        st.text(max_size=9), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner)
    )
)
def test_any_text_is_composed(value):
    """Any attribute becomes NFC, keys too, and composing it again changes nothing."""
    for clean in (_cleaned, _stored):
        if (stored := clean(value)) is not None:
            text = json.dumps(stored, ensure_ascii=False)
            assert unicodedata.is_normalized("NFC", text)
            assert clean(stored) == stored


def _cleaned(value: Any) -> Any:
    try:
        return clean_attributes({"a": value})["a"]
    except subscribers.SubscribersError:
        return None


def _stored(value: Any) -> Any:
    return json.loads(json_of({"a": storable(value)}))["a"]


@given(st.text(max_size=300))
def test_any_line_is_composed(text):
    """Any name and any cell becomes NFC."""
    assert unicodedata.is_normalized("NFC", clean_line(text))
    assert unicodedata.is_normalized("NFC", text_of(text))
    assert clean_line(clean_line(text)) == clean_line(text)


def test_a_second_import_in_another_form_is_no_news(with_lists, clock, hash_key, tmp_path):
    """A file that differs from the one before in nothing but its form of Unicode updates nobody."""
    ends = []
    for form in (WIEN, APART):
        file = tmp_path / "people.csv"
        file.write_text(f"email,name,town\nann@example.org,{form},{form}\n", encoding="utf-8")
        ends.append(
            subscribers.import_file(
                with_lists.begin,
                file,
                list_key="main",
                basis="form",
                now=datetime(2026, 8, 1, tzinfo=UTC),
                hash_key=hash_key,
                rejects=tmp_path,
            )
        )
    assert (ends[1].unchanged, ends[1].repeat_of) == (1, None)
