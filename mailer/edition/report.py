"""Where the stages of one compile put what they find."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailer.issue.model import Finding, Level


@dataclass(slots=True)
class Report:
    """The findings of one compile, in the order they were made, each once."""

    file: str
    findings: list[Finding] = field(default_factory=list)
    _seen: set[Finding] = field(default_factory=set)

    def add(self, rule: str, level: Level, message: str, line: int | None = None) -> None:
        """Add a finding, unless the same one is there."""
        finding = Finding(rule, level, message, self.file, line)
        if finding not in self._seen:
            self._seen.add(finding)
            self.findings.append(finding)

    def error(self, rule: str, message: str, line: int | None = None) -> None:
        """Add what stops a send."""
        self.add(rule, Level.ERROR, message, line)

    def warn(self, rule: str, message: str, line: int | None = None) -> None:
        """Add what an author should look at."""
        self.add(rule, Level.WARNING, message, line)

    def note(self, rule: str, message: str, line: int | None = None) -> None:
        """Add what an author may want to know."""
        self.add(rule, Level.INFO, message, line)
