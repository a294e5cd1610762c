"""Merge fields are found, named and replaced by tokens; what a reader would see by mistake is an error."""

from __future__ import annotations

import re

import pytest
from reading import read

from mailer.issue.read import read_issue


def test_fields_become_tokens_everywhere():
    """Subject, preheader, text, attribute and address hold the same token for the same field."""
    source = (
        '---\ntitle: Hi {{ subscriber.first_name | default("friend") }}\nexcerpt: For {{list.name}}\n---\n'
        "{{ subscriber.first_name|default: 'friend' }} [a](https://a.example/?n={{ issue.number }})\n"
    )
    issue = read_issue(source.encode(), "a.md")
    fields = {(field.name, field.default): field for field in issue.merge_fields}
    assert set(fields) == {("subscriber.first_name", "friend"), ("list.name", None), ("issue.number", None)}
    token = fields["subscriber.first_name", "friend"].token
    assert re.fullmatch(r"[a-z0-9]+", token)
    assert issue.subject == f"Hi {token}"
    assert issue.preheader == f"For {fields['list.name', None].token}"
    assert issue.body.startswith(f"{token} [a](https://a.example/?n={fields['issue.number', None].token})")
    assert issue.findings == ()


def test_tokens_differ_with_the_source():
    """A token holds a digest of the source, so that no source can contain its own."""
    first, second = (read(f"{{{{ subscriber.name }}}} {word}").merge_fields[0].token for word in "ab")
    assert first != second


@pytest.mark.parametrize(
    "text",
    [
        "{{ subscriber.name | upper }}",
        "{{ list.colour }}",
        "{{ user.name }}",
        "{{ name }}",
        "{{ subscriber }}",
        "*|FNAME|*",
    ],
)
def test_unknown_fields_are_errors(text: str):
    """An unknown name, filter or namespace stops the issue, at its line."""
    issue = read(f"Hallo\n\n{text}\n")
    assert [(finding.rule, finding.level.value, finding.line) for finding in issue.findings] == [
        ("merge-unknown", "error", 6)
    ]


def test_an_unknown_field_in_the_subject_is_an_error():
    """The subject is looked at, too, and its line is that of the title."""
    issue = read("Text", title="'Hi {{ nobody }}'")
    assert [(finding.rule, finding.line) for finding in issue.findings][:1] == [("merge-unknown", 2)]


def test_curly_quotes_of_a_default_are_understood():
    """Word processors curl the quotes of a default."""
    (field,) = read("{{ subscriber.name | default(“Freundin”) }}").merge_fields
    assert field.default == "Freundin"
