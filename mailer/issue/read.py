"""A file's bytes -> an Issue: the one way in to this room.

decode -> front matter -> code hidden -> dialects -> merge fields -> repairs -> code shown. Pure and bounded: a source
over 1 MB is refused, and the time grows with its size alone. It raises UserError and nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.errors import Problem, UserError
from mailer.issue import number as numbers
from mailer.issue.code import hide_code, show_code
from mailer.issue.dates import read_date, zone
from mailer.issue.decode import clean, decode, mend_encoding
from mailer.issue.dialects import looks_plain, repair, translate
from mailer.issue.fields import Fields
from mailer.issue.front_matter import FrontMatter, split
from mailer.issue.merge import Merge
from mailer.issue.model import Finding, Issue, Level
from mailer.issue.page import MORE_MARK
from mailer.issue.preheader import preheader, summary
from mailer.issue.prose import one_line, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from mailer.issue.page import Page

LARGEST = 1_000_000
_MOST_FINDINGS = 200
_FIRST_HEADING = re.compile(
    r"\s*(?:#[ \t]+([^\n]{1,400}?)(?:[ \t]+#+)?[ \t]*(?:\n|$)|([^\n#>|-][^\n]{0,400})\n=+[ \t]*(?:\n|$))"
)
_MORE = re.compile(MORE_MARK)
_TRUNCATED = re.compile(r"(?:\u2026|\.\.\.|&hellip;|\[\u2026\]|\[\.\.\.\]|\[&hellip;\])[\s*_\"\u201d)]*$")


def read_issue(source: bytes, file: str, *, subject: str | None = None, time_zone: str = "UTC") -> Issue:
    """Give the issue that `source` holds; `file` is its path, as findings and errors shall name it.

    `subject` overrides the file's own. Dates without a zone are in `time_zone` (an IANA name). Raises UserError, and
    nothing else, for a source over 1 MB, one that is no text, and front matter that cannot be read.
    """
    if len(source) > LARGEST:
        # Whoever reads a file may stop behind the limit, so its whole size is not known here.
        said = f"The file has more than {LARGEST:,} bytes, which is the most that an issue may have."
        raise UserError(Problem(said, file))
    local = zone(time_zone)
    matter, page = split(decode(source, file))
    merge = Merge(source, matter.values)
    markdown = not looks_plain(page.text, file)
    page = mend_encoding(hide_code(page, indented=markdown))
    page = merge.tokenise(translate(page, Fields(matter).separator()))
    page = repair(page, markdown=markdown)
    return _Writer(file, matter, merge, local).issue(page, subject)


class _Writer:
    """Puts an Issue together from what its file said."""

    def __init__(self, file: str, matter: FrontMatter, merge: Merge, local: tzinfo) -> None:
        self._file, self._matter, self._merge, self._local = file, matter, merge, local
        self._fields = Fields(matter)
        self._found: list[Finding] = []

    def issue(self, page: Page, subject: str | None) -> Issue:
        fields = self._fields
        title = fields.text("title") or heading(page)
        claimed = fields.text("title", "subject") or title
        body = page.sub(_MORE, "")
        own = [self._merged(text, "preheader") for text in fields.preheaders()]
        body = show_code(body).trimmed()
        more = fields.address("link", "more_url", "source_url", "original_url")
        truncated = bool(_TRUNCATED.search(body.text[-200:]))
        canonical = fields.canonical()
        return Issue(
            file=self._file,
            number=self._number(claimed),
            slug=numbers.slug_of(fields.plain_values(), self._file),
            subject=self._subject(subject, title),
            body=body.text,
            lines=tuple(body.numbers),
            title=self._merged(title, "title"),
            preheader=preheader(own, page, title),
            summary=summary(page),
            date=fields.date(self._local) or self._date_of_name(),
            language=fields.language(),
            list=fields.text("list") or None,
            draft=fields.draft(self._file),
            canonical=canonical or (None if truncated else more),
            more_url=more if truncated else None,
            hero=fields.hero(),
            send=fields.send(),
            merge_fields=self._merge.fields,
            front_matter=dict(self._matter.values),
            findings=self._findings(body),
        )

    def _subject(self, given: str | None, title: str) -> str:
        text = one_line(clean(given)) if given else self._fields.text("subject") or title
        if not text:
            said = "The issue has no title: add \u201ctitle: \u2026\u201d at the top of the file, or give --subject."
            self._found.append(Finding("fm-title", Level.ERROR, said, self._file, 1))
        return self._merged(text, "subject")

    def _merged(self, text: str, key: str) -> str:
        if "{{" not in text:
            return text
        place = key if self._fields.get(key) else "title"
        page = self._merge.tokenise_value(text, self._file, self._fields.line(place))
        self._found += page.findings
        return one_line(page.text)

    def _number(self, title: str) -> int | None:
        found = numbers.candidates(self._matter.values, title, self._file)
        said = numbers.disagreement(found)
        if said:
            line = self._fields.line("number") if self._fields.get("number") else self._fields.line("title")
            self._found.append(Finding("number", Level.ERROR, said, self._file, line))
        return numbers.agreed(found)

    def _date_of_name(self) -> datetime | None:
        return read_date(numbers.date_of_name(self._file), self._local)

    def _findings(self, body: Page) -> tuple[Finding, ...]:
        noted = [
            Finding(note.rule, note.level, note.message, self._file, line)
            for line, note in self._fields.notes
        ]
        return grouped([*noted, *self._found, *body.findings], self._file)


def heading(page: Page) -> str:
    """Give the text of a level-one heading that opens the body: the title of files without front matter."""
    match = _FIRST_HEADING.match(page.text[:5000])
    return plain(page.reveal(match[1] or match[2])) if match else ""


def grouped(findings: Sequence[Finding], file: str) -> tuple[Finding, ...]:
    """Give one finding for each rule and message, in the order of lines, and at most 200 in all."""
    counts: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        counts.setdefault((finding.rule, finding.message), []).append(finding)
    merged = []
    for same in counts.values():
        first = min(same, key=lambda finding: finding.line or 0)
        often = f" ({len(same)} times; first here)" if len(same) > 1 else ""
        merged.append(Finding(first.rule, first.level, first.message + often, first.file, first.line))
    merged.sort(key=lambda finding: (finding.level is not Level.ERROR, finding.line or 0))
    if len(merged) > _MOST_FINDINGS:
        said = f"{len(merged) - _MOST_FINDINGS} more findings are not shown."
        del merged[_MOST_FINDINGS:]
        merged.append(Finding("too-many", Level.WARNING, said, file))
    return tuple(sorted(merged, key=lambda finding: finding.line or 0))
