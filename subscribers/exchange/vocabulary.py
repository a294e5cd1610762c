"""Other tools' words become ours in these tables, each row with its source beside it.

What no table names is an attribute of the person; a status that none names is no consent.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from subscribers.exchange.fields import Field, Standing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def plain_name(column: str) -> str:
    """Give a column's name in lower case and without accents, words apart by one blank."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", column) if not unicodedata.combining(c))
    return re.sub(r"[\s_\-.]+", " ", bare).strip().casefold()


def _words(names: str) -> Sequence[str]:
    return [plain_name(name) for name in names.split(", ")]


NAMES: Mapping[str, Field] = {
    name: field
    for field, names in {
        Field.EMAIL: "email, e mail, email address, e mail address, mail, mail address, emailaddress, "
        "subscriber email, e mail adresse, email adresse, mailadresse, adresse e mail, adresse email, adresse mail, "
        "courriel, correo, correo electronico, direccion de correo, indirizzo email, posta elettronica, e mailadres, "
        "emailadres, endereco de email, endereco de e mail, adres e mail, adres email, e post, epost, e postadress, "
        "e postadresse, sahkoposti, электронная почта, почта, メール, メールアドレス, 邮箱, 电子邮件, 이메일",
        Field.NAME: "name, full name, fullname, display name, subscriber name, nom complet, nombre completo, "
        "nome completo, naam, namn, navn, nimi, imie i nazwisko, имя, 名前, 氏名, 姓名, 이름",
        Field.FIRST_NAME: "first name, firstname, fname, given name, vorname, prenom, nombre, nome, voornaam, imie, "
        "fornamn, fornavn, etunimi",
        Field.LAST_NAME: "last name, lastname, lname, surname, family name, nachname, familienname, nom, "
        "nom de famille, apellido, apellidos, cognome, sobrenome, achternaam, nazwisko, efternamn, etternavn, sukunimi",
        Field.LANGUAGE: "language, lang, locale, sprache, langue, idioma, lingua, taal, jezyk, sprak, kieli",
        Field.TIME_ZONE: "time zone, timezone, tz, zeitzone, fuseau horaire, zona horaria",
        Field.TAGS: "tags, tag, labels, schlagworte, etiquettes, etiquetas",
        Field.ATTRIBUTES: "attributes",
        Field.STATUS: "status, state, subscription status, subscriber status, statut, estado, stato",
        Field.SUBSCRIBED: "subscribed, is subscribed",
        Field.LEFT_AT: "unsubscribed at, unsubscribe date, unsubscription date",
        Field.BOUNCED_AT: "bounced at",
        Field.COMPLAINED: "complained, complained at",
        Field.JOINED_AT: "joined, joined at, subscribed at, signup date, subscribe date, subscription date, "
        "date added, optin time, opt in time, anmeldedatum, date d'inscription, fecha de alta",
        Field.CONFIRMED_AT: "confirmed at, confirm time, confirmation date, consent at",
        Field.JOINED_FROM: "optin ip, signup ip, consent network",
        Field.CONFIRMED_FROM: "confirm ip",
        Field.CONSENT_BASIS: "consent, consent basis",
        Field.PAUSED_UNTIL: "paused until",
        Field.IGNORED: "all lists, suppressed",  # of our own export: `status` says what follows from them
    }.items()
    for name in _words(names)
}

STANDINGS: Mapping[str, Standing] = {
    word: standing
    for standing, words in {
        Standing.ACTIVE: "active, subscribed, enabled, confirmed, regular, free, paid, comped, member, yes",
        Standing.PAUSED: "paused, snoozed",
        Standing.PENDING: "pending, unconfirmed, nonsubscribed, transactional, not confirmed",
        Standing.UNSUBSCRIBED: "unsubscribed, removed, inactive, disabled, opted out, left, no, archived",
        Standing.BOUNCED: "cleaned, bounced, undeliverable, unreachable, dead, malformed",
        Standing.COMPLAINED: "complained, complaint, spam, abuse",
        Standing.BLOCKED: "blocklisted, blacklisted, blocked, banned, suppressed",
    }.items()
    for word in words.split(", ")
}


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool whose exports are known: by columns that together only it writes.

    `words` are those of its status that mean something else there than in STANDINGS.
    """

    name: str
    signs: frozenset[str]
    fields: Mapping[str, Field]
    words: Mapping[str, Standing] = field(default_factory=dict)


def _tool(
    name: str, signs: str, fields: Mapping[str, str], words: Mapping[str, Standing] | None = None
) -> Tool:
    """Make a line of the table; names of columns are in the form of `plain_name`."""
    pairs = {column: Field(meaning) for meaning, columns in fields.items() for column in columns.split(", ")}
    return Tool(name, frozenset(signs.split(", ")), pairs, words or {})


_BUTTONDOWN_COLUMNS = {
    "attributes": "metadata",
    "joined-at": "creation date",
    "joined-from": "ip address",
    # `type` says it, and says it of those who came back, too.
    "-": "id, secondary id, unsubscription date, undeliverability date, avatar url",
}
# docs.buttondown.com/api-subscribers-introduction and SubscriberType in github.com/buttondown/openapi (enums.json):
# paused and past_due are about paying alone; spammy and blocked are a guess of a machine, not the reader's word.
_BUTTONDOWN_WORDS = {
    **dict.fromkeys(
        ("premium", "trialed", "unpaid", "gifted", "churning", "churned", "past_due", "paused"),
        Standing.ACTIVE,
    ),
    **dict.fromkeys(("unactivated", "upcoming", "spammy", "blocked"), Standing.PENDING),
}

TOOLS: Sequence[Tool] = (
    # "Export audience": a ZIP of subscribed_, unsubscribed_, cleaned_ (= bounced) and nonsubscribed_ files
    # (mailchimp.com/help/view-or-export-contacts, mailchimp.com/help/about-cleaned-contacts; the columns as in the
    # fixtures of github.com/TryGhost/migrate, packages/mg-mailchimp-members). Times are UTC.
    _tool(
        "Mailchimp",
        "member rating, optin time",
        {
            "left-at": "unsub time",
            "bounced-at": "clean time",
            "-": "leid, euid, member rating, latitude, longitude, gmtoff, dstoff, last changed, unsub campaign title, "
            "unsub campaign id, unsub reason, unsub reason other, clean campaign title, clean campaign id",
        },
    ),
    # email_list.NAME.csv in the ZIP of "Settings, Exports" (github.com/TryGhost/migrate,
    # packages/mg-substack-members-csv): email_disabled is who switched the letters off.
    _tool(
        "Substack",
        "email, active subscription, expiry",
        {"disabled": "email disabled", "joined-at": "created at"},
    ),
    # "Members, Export all members": github.com/TryGhost/Ghost, ghost/core/core/server/services/members/csv/unparse.
    _tool(
        "Ghost",
        "id, email, subscribed to emails",
        {
            "subscribed": "subscribed to emails",
            "joined-at": "created at",
            "left-at": "deleted at",
            "-": "id, stripe customer id, gift id",
        },
    ),
    # "Subscribers, Export": github.com/knadh/listmonk, cmd/subscribers.go. It does not say who left a single list.
    _tool(
        "listmonk",
        "uuid, email, attributes, status",
        {"joined-at": "created at", "-": "uuid, updated at"},
    ),
    # "Settings, Export": the subscribers as the API names them; the second is how it did until 2024.
    _tool(
        "Buttondown",
        "email address, type, creation date",
        {"status": "type", **_BUTTONDOWN_COLUMNS},
        _BUTTONDOWN_WORDS,
    ),
    _tool(
        "Buttondown",
        "email, subscriber type, creation date",
        {"status": "subscriber type", **_BUTTONDOWN_COLUMNS},
        _BUTTONDOWN_WORDS,
    ),
)

# Mailchimp says it in the name of the file, too; `audience` since 2019, `members` before.
_FILES: Sequence[tuple[re.Pattern[str], Standing]] = tuple(
    (re.compile(rf"(?:^|/){word}_(?:members|email_audience|audience)", re.IGNORECASE), standing)
    for word, standing in {
        "unsubscribed": Standing.UNSUBSCRIBED,
        "cleaned": Standing.BOUNCED,
        "nonsubscribed": Standing.PENDING,
    }.items()
)


def standing_of_file(file: str) -> Standing:
    """Say how the people of a file stood, where its name tells."""
    return next((standing for pattern, standing in _FILES if pattern.search(file)), Standing.ACTIVE)


def recognise(header: Sequence[str]) -> Tool | None:
    """Give the tool that writes such a table, or None."""
    names = {plain_name(column) for column in header}
    return next((tool for tool in TOOLS if tool.signs <= names), None)
