"""The letters themselves: what each says, in whose language, with which link, once for which request.

No advertising, no word that a visitor typed, and never more of an address than `n***@e***.org`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.edition.words import date_in
from mailer.keys import Purpose
from mailer.letters.content import Button, Content
from mailer.letters.words import Tongue
from mailer.letters.writing import own_link, post
from subscribers import list_ids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.ground import Ground
    from mailer.settings import ListSettings
    from subscribers import AddressMove, MoveResult, Person, SignUp

_ONCE_IN = 900  # seconds in which the same question has the same answer
_RARELY = (
    3600  # for what only the owner of a link can ask: a link that was forwarded must not flood a mailbox
)


def confirmation(connection: Connection, ground: Ground, asked: SignUp, now: datetime) -> str | None:
    """Ask a mailbox whether it asked for these lists; give the letter's Message-ID, None if it was written before."""
    settings = ground.settings.for_list(asked.lists[0])
    say, names = _tongue(settings, asked.language), _names(ground, asked.lists)
    until = _day(say, settings, asked.expires_at) if asked.expires_at else ""
    url = own_link(ground, settings, Purpose.CONFIRM, asked.subscriber_id or 0, asked.id or 0)
    content = Content(
        subject=say("Please confirm your subscription: {list}", list=_joined(names)),
        title=say("Please confirm"),
        language=say.language,
        before=(say("Somebody, most likely you, asked us to send this to your address:"),),
        items=names,
        between=(say("Press the button to say that it was you. Nothing is sent before."),),
        button=Button(say("Confirm"), url),
        after=(
            say(
                "If it was not you, do nothing: your address is then deleted by itself. "
                "The link is good until {date}.",
                date=until,
            ),
        ),
        why=say("You get this mail once, because of a request with your address."),
    )
    common = {"settings": settings, "to": asked.email, "now": now, "subscriber_id": asked.subscriber_id}
    return post(connection, ground, content, purpose="confirmation", key=str(asked.id), **common)  # type: ignore[arg-type]


def already_subscribed(
    connection: Connection, ground: Ground, person: Person, lists: Sequence[str], now: datetime
) -> bool:
    """Tell a reader that they have what somebody asked for, with the link to their settings."""
    settings = ground.settings.for_list(lists[0])
    say, names = _tongue(settings, person.language), _names(ground, lists)
    content = Content(
        subject=say("You are already subscribed: {list}", list=_joined(names)),
        title=say("You are already subscribed"),
        language=say.language,
        before=(say("Somebody, most likely you, asked us to send you what you already get:"),),
        items=names,
        between=(say("There is nothing more to do. Here you can change what you get, pause, or leave."),),
        button=Button(say("Your settings"), _settings_link(connection, ground, settings, person)),
        after=(say("If it was not you, do nothing: then nothing happens."),),
        why=say("You get this mail once, because of a request with your address."),
    )
    key = f"{person.id}:{','.join(lists)[:80]}:{_window(now)}"
    return _to(connection, ground, person, content, settings, "already", key, now)


def manage_link(connection: Connection, ground: Ground, person: Person, now: datetime) -> bool:
    """Send a person the link to their settings."""
    settings = _home(ground, person)
    say = _tongue(settings, person.language)
    content = Content(
        subject=say("Your link: {list}", list=settings.name),
        title=say("Here is your link"),
        language=say.language,
        before=(
            say(
                "Somebody, most likely you, asked us for the link to your settings. There you can change what you get, "
                "pause, or leave."
            ),
        ),
        button=Button(say("Your settings"), _settings_link(connection, ground, settings, person)),
        after=(
            say(
                "Whoever has this link can change your settings: keep it to yourself. If you did not ask for it, "
                "do nothing."
            ),
        ),
        why=say("You get this mail once, because of a request with your address."),
    )
    return _to(connection, ground, person, content, settings, "manage", f"{person.id}:{_window(now)}", now)


def new_address(
    connection: Connection, ground: Ground, person: Person, move: AddressMove, now: datetime
) -> bool:
    """Ask the new mailbox whether a reader's mail may go there."""
    settings = _home(ground, person)
    say = _tongue(settings, person.language)
    until = _day(say, settings, move.expires_at) if move.expires_at else ""
    url = own_link(ground, settings, Purpose.MOVE, person.id, move.id or 0)
    content = Content(
        subject=say("Please confirm your new address: {list}", list=settings.name),
        title=say("Is this your new address?"),
        language=say.language,
        before=(
            say(
                "A reader of {list} asked us to send their mail to this address from now on.",
                list=settings.name,
            ),
        ),
        button=Button(say("Confirm the new address"), url),
        after=(say("If it was not you, do nothing. The link is good until {date}.", date=until),),
        why=say("You get this mail once, because of a request with your address."),
    )
    common = {"settings": settings, "to": move.email, "now": now, "subscriber_id": person.id}
    return post(connection, ground, content, purpose="move", key=str(move.id), **common) is not None  # type: ignore[arg-type]


def old_address(
    connection: Connection, ground: Ground, person: Person, move_id: int, moved: MoveResult, now: datetime
) -> bool:
    """Tell the old mailbox that mail goes elsewhere, with the link that takes it back."""
    settings = _home(ground, person)
    say = _tongue(settings, person.language)
    until = _day(say, settings, moved.undo_until) if moved.undo_until else ""
    url = own_link(ground, settings, Purpose.UNDO_MOVE, person.id, move_id)
    content = Content(
        subject=say("Your mail now goes to another address: {list}", list=settings.name),
        title=say("Your mail goes elsewhere now"),
        language=say.language,
        before=(
            say(
                "As you asked, what you read from {list} goes to your new address from now on, {masked}, and no "
                "longer to this one.",
                list=settings.name,
                masked=masked(moved.email),
            ),
            say("If it was not you, take it back: until {date} one press is enough.", date=until),
        ),
        button=Button(say("Take it back"), url),
        why=say("You get this mail once, because of a request with your address."),
    )
    common = {"settings": settings, "to": moved.old_email, "now": now, "subscriber_id": person.id}
    return post(connection, ground, content, purpose="moved", key=str(move_id), **common) is not None  # type: ignore[arg-type]


def data_ready(connection: Connection, ground: Ground, person: Person, url: str, now: datetime) -> bool:
    """Send a person the link to all that is held about them; `url` is a page of ours."""
    settings = _home(ground, person)
    say = _tongue(settings, person.language)
    content = Content(
        subject=say("Your data: {list}", list=settings.name),
        title=say("Your data are ready"),
        language=say.language,
        before=(say("You asked for everything that we hold about you. The button leads to it."),),
        button=Button(say("Get your data"), url),
        after=(say("If it was not you, do nothing: then nothing happens."),),
        why=say("You get this mail once, because of a request with your address."),
    )
    return _to(
        connection, ground, person, content, settings, "data", f"{person.id}:{_window(now, _RARELY)}", now
    )


def erase_link(connection: Connection, ground: Ground, person: Person, url: str, now: datetime) -> bool:
    """Ask a person whether they meant it: `url` is the page of ours that erases them."""
    settings = _home(ground, person)
    say = _tongue(settings, person.language)
    content = Content(
        subject=say("Shall we erase you? {list}", list=settings.name),
        title=say("Shall we erase you?"),
        language=say.language,
        before=(say("You asked us to erase everything that we hold about you. That cannot be undone."),),
        button=Button(say("Erase me"), url),
        after=(say("If it was not you, do nothing: then nothing happens."),),
        why=say("You get this mail once, because of a request with your address."),
    )
    return _to(
        connection, ground, person, content, settings, "erase", f"{person.id}:{_window(now, _RARELY)}", now
    )


def _to(
    connection: Connection,
    ground: Ground,
    person: Person,
    content: Content,
    settings: ListSettings,
    purpose: str,
    key: str,
    now: datetime,
) -> bool:
    """Write a letter to a person's own address; nothing for who has none."""
    if person.email is None:
        return False
    common = {"settings": settings, "to": person.email, "now": now, "subscriber_id": person.id}
    return post(connection, ground, content, purpose=purpose, key=key, **common) is not None  # type: ignore[arg-type]


def masked(email: str) -> str:
    """Give an address so that its owner knows it and nobody else does: n***@e***.org."""
    local, _, domain = email.rpartition("@")
    name, _, top = domain.rpartition(".")
    return f"{local[:1]}***@{name[:1]}***.{top}"


def _tongue(settings: ListSettings, language: str | None) -> Tongue:
    own = settings.templates if settings.templates.is_dir() else None
    return Tongue(own, language, settings.language)


def _names(ground: Ground, lists: Sequence[str]) -> tuple[str, ...]:
    return tuple(ground.settings.for_list(key).name for key in lists)


def _joined(names: Sequence[str]) -> str:
    return ", ".join(names)


def _home(ground: Ground, person: Person) -> ListSettings:
    """Give the list in whose name a person is written to: the first that they read, else any that they know."""
    known = [each for each in person.subscriptions if each.list_key in ground.settings.lists]
    known.sort(key=lambda each: each.state not in {"active", "paused"})
    keys = [each.list_key for each in known] or sorted(ground.settings.lists)
    return ground.settings.for_list(keys[0])


def _settings_link(connection: Connection, ground: Ground, settings: ListSettings, person: Person) -> str:
    list_id = list_ids(connection)[settings.key]
    return own_link(ground, settings, Purpose.PREFERENCES, person.id, list_id)


def _day(say: Tongue, settings: ListSettings, moment: datetime) -> str:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - a day is what a person reads

    return date_in(say.language, moment.astimezone(ZoneInfo(settings.time_zone)).date())


def _window(now: datetime, seconds: int = _ONCE_IN) -> int:
    """Give the quarter of an hour, or the hour: who asks twice in it gets one letter, who asks later another."""
    return int(now.timestamp()) // seconds
