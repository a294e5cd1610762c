"""mailer.toml and MAILER_* -> one frozen Settings, or every problem at once, each with its key and line.

The environment wins over the file; a secret may stand in a file of its own, named by MAILER_X_FILE,
url_file or password_file. No value that may hold a secret is ever repeated in a message.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from mailer.errors import Problem, UserError
from mailer.settings.document import BrandTable, Document, DomainTable, ListTable, RelayTable, TripwireTable
from mailer.settings.feedback import FeedbackTable
from mailer.settings.hooks import ApiTable, HookTable, MonitorTable, WebhookTable
from mailer.settings.lines import key_lines, line_of
from mailer.settings.model import RelaySettings, Settings
from mailer.settings.resolve import complaints, placeholders, resolve
from mailer.settings.schedule import ScheduleTable, UpkeepTable
from mailer.settings.web import WebTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from mailer.settings.lines import KeyPath

FILE: Final = "mailer.toml"
_MOST_OCTETS: Final = 1_000_000
_ENVIRONMENT: Final = {
    "MAILER_DATABASE": "database",
    "MAILER_BASE_URL": "base_url",
    "MAILER_PUBLIC_URL": "public_url",
    "MAILER_SECRET": "secret",
    "MAILER_RELAY": "relay",
}
_TABLES: Final = {"lists": ListTable, "brands": BrandTable, "relays": RelayTable, "domains": DomainTable,
    "hooks": HookTable, "webhooks": WebhookTable, "api": ApiTable, "monitor": MonitorTable, "web": WebTable,
    "schedule": ScheduleTable, "upkeep": UpkeepTable, "feedback": FeedbackTable}  # fmt: skip
_WORDS: Final[Mapping[str, str]] = {"missing": "is missing", "string_type": "must be text in quotes"}


@dataclass(frozen=True, slots=True)
class _Source:
    """What was read, so that a problem can name its place."""

    folder: Path
    lines: Mapping[KeyPath, int]
    environment: Mapping[str, str]  # key -> the variable that set it

    def problem(self, path: KeyPath, message: str) -> Problem:
        variable = self.environment.get(str(path[0])) if len(path) == 1 else None
        if variable:
            return Problem(message, key=variable)
        return Problem(message, FILE, line_of(self.lines, path), ".".join(map(str, path)))


def load_settings(folder: Path, environ: Mapping[str, str]) -> Settings:
    """Read the newsletter in `folder`. Raises UserError with every problem, in the order of the file."""
    folder = folder.resolve()
    text = _read(folder / FILE)
    raw = _parse(text)
    values, problems = _from_environment(folder, environ)
    source = _Source(folder, key_lines(text), {key: name for key, (name, _) in values.items()})
    document = _validate(_laid_over(raw, values), source, problems)
    return _settings(document, source, values, problems)


def _read(file: Path) -> str:
    try:
        octets = file.read_bytes()
    except FileNotFoundError:
        raise UserError(Problem("there is no mailer.toml; `mailer init` makes one", str(file))) from None
    except OSError as error:
        raise UserError(Problem(f"cannot be read: {error.strerror}", str(file))) from None
    if len(octets) > _MOST_OCTETS:
        raise UserError(Problem("is larger than 1 MB", FILE))
    try:
        return octets.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise UserError(Problem("is not UTF-8", FILE, line)) from None


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # not TOML, or a number of more digits than Python reads
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        message = re.sub(r" \(at .*\)", "", str(error))
        raise UserError(Problem(f"not TOML: {message}", FILE, line)) from None
    except RecursionError:
        raise UserError(Problem("nests too deep", FILE)) from None


def _from_environment(
    folder: Path, environ: Mapping[str, str]
) -> tuple[dict[str, tuple[str, str]], list[Problem]]:
    """Give key -> (variable, value) for what the environment sets, itself or by a file."""
    values: dict[str, tuple[str, str]] = {}
    problems: list[Problem] = []
    for variable, key in _ENVIRONMENT.items():
        by_file = environ.get(f"{variable}_FILE")
        if environ.get(variable):
            values[key] = variable, environ[variable]
        elif by_file:
            try:
                values[key] = f"{variable}_FILE", secret_from(folder / by_file)
            except ValueError as error:
                problems.append(Problem(str(error), key=f"{variable}_FILE"))
    return values, problems


def secret_from(file: Path) -> str:
    """Read a secret's file without its last line break; raises ValueError that names the file alone."""
    try:
        with file.open("rb") as stream:
            return stream.read(65_536).decode().rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not UTF-8") from None


def _laid_over(raw: Mapping[str, Any], values: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    simple = {key: value for key, (_, value) in values.items() if key not in {"relay", "secret"}}
    # MAILER_RELAY stands for all relays: those of the file may name secrets that only the server has.
    relays: dict[str, Any] = {"relays": []} if "relay" in values else {}
    return {**raw, **simple, **relays}


def _validate(raw: Mapping[str, Any], source: _Source, problems: list[Problem]) -> Document:
    try:
        return Document.model_validate(raw)
    except ValidationError as error:
        found = [_told(detail, source) for detail in error.errors(include_url=False)]
    raise UserError(*problems, *_in_order(found))


def _in_order(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: problem.line or 0)


def _told(detail: ErrorDetails, source: _Source) -> Problem:
    """Put a finding of pydantic into our words."""
    path: KeyPath = tuple(part for part in detail["loc"] if part != "[key]")
    kind = detail["type"]
    if kind == "extra_forbidden":
        return source.problem(path, _unknown(path))
    message = _WORDS.get(kind, detail["msg"].removeprefix("Value error, "))
    return source.problem(path, message[:1].lower() + message[1:] if kind != "value_error" else message)


def _unknown(path: KeyPath) -> str:
    table: type = Document
    if len(path) > 1:
        table = TripwireTable if path[0] == "tripwire" else _TABLES.get(str(path[0]), Document)
    fields: Mapping[str, Any] = table.model_fields  # type: ignore[attr-defined]
    known = [field.alias or name for name, field in fields.items()]
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    return f"there is no such setting; did you mean {near[0]}?" if near else "there is no such setting"


def _settings(
    document: Document, source: _Source, values: Mapping[str, tuple[str, str]], problems: list[Problem]
) -> Settings:
    one_relay = "relay" in values
    found = [source.problem(path, text) for path, text in complaints(document, one_relay=one_relay)]
    relays = (
        (RelaySettings("relay", values["relay"][1]),)
        if one_relay
        else _relays(document, source, found.append)
    )
    if problems or found:
        raise UserError(*problems, *_in_order(found))
    fixed = {key: values[key][1] for key in ("base_url", "public_url") if key in values}
    settings = resolve(document, source.folder, relays=relays, fixed=fixed, one_relay=one_relay)
    warnings = tuple(source.problem(path, text) for path, text in placeholders(document))
    return replace(
        settings, lines=source.lines, warnings=warnings, secret=values.get("secret", ("", None))[1]
    )


def _relays(
    document: Document, source: _Source, complain: Callable[[Problem], None]
) -> tuple[RelaySettings, ...]:
    relays = []
    for index, table in enumerate(document.relays):
        try:
            relays.append(_relay(table, source.folder))
        except ValueError as error:
            complain(source.problem(("relays", index, "url"), str(error)))
    return tuple(relays)


def _relay(table: RelayTable, folder: Path) -> RelaySettings:
    if (table.url is None) == (table.url_file is None):
        raise ValueError("write either url or url_file")
    url = table.url.get_secret_value() if table.url else secret_from(folder / str(table.url_file))
    options = table.model_dump(exclude={"url", "url_file", "password_file", "name"}, exclude_defaults=True)
    if table.password_file:
        options["password"] = secret_from(folder / table.password_file)
    return RelaySettings(table.name, url, options)
