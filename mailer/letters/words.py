"""The words of the letters, keyed by the English ones: the newsletter's catalogue first, then ours.

A catalogue is a folder's `.po` files, the same that the web pages use (mailer.catalogue); a language that neither has
gets English words: a wrong guess would be worse. `{list}` and its like are filled by `say`, literally.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mailer.catalogue import catalogue_for
from mailer.edition.language import base
from mailer.edition.words import say

if TYPE_CHECKING:
    from pathlib import Path

GERMAN: Final = {
    "Please confirm your subscription: {list}": "Bitte bestätigen Sie Ihr Abonnement: {list}",
    "Please confirm": "Bitte bestätigen Sie",
    "Somebody, most likely you, asked us to send this to your address:": (
        "Jemand, vermutlich Sie, hat uns gebeten, an Ihre Adresse dies zu schicken:"
    ),
    "Press the button to say that it was you. Nothing is sent before.": (
        "Mit dem Knopf sagen Sie, dass Sie es waren. Vorher wird nichts verschickt."
    ),
    "Confirm": "Bestätigen",
    "If it was not you, do nothing: your address is then deleted by itself. The link is good until {date}.": (
        "Wenn Sie es nicht waren, tun Sie nichts: Ihre Adresse wird dann von selbst gelöscht. "
        "Der Link gilt bis {date}."
    ),
    "You are already subscribed: {list}": "Sie haben das schon abonniert: {list}",
    "You are already subscribed": "Sie haben das schon abonniert",
    "Somebody, most likely you, asked us to send you what you already get:": (
        "Jemand, vermutlich Sie, hat uns um etwas gebeten, das Sie schon bekommen:"
    ),
    "There is nothing more to do. Here you can change what you get, pause, or leave.": (
        "Es ist nichts weiter zu tun. Hier können Sie ändern, was Sie bekommen, eine Pause machen oder abbestellen."
    ),
    "Your settings": "Ihre Einstellungen",
    "Your link: {list}": "Ihr Link: {list}",
    "Here is your link": "Hier ist Ihr Link",
    "Somebody, most likely you, asked us for the link to your settings. There you can change what you get, "
    "pause, or leave.": (
        "Jemand, vermutlich Sie, hat uns um den Link zu Ihren Einstellungen gebeten. Dort können Sie ändern, was Sie "
        "bekommen, eine Pause machen oder abbestellen."
    ),
    "Whoever has this link can change your settings: keep it to yourself. If you did not ask for it, do nothing.": (
        "Wer diesen Link hat, kann Ihre Einstellungen ändern: geben Sie ihn nicht weiter. Wenn Sie nicht danach "
        "gefragt haben, tun Sie nichts."
    ),
    "Please confirm your new address: {list}": "Bitte bestätigen Sie Ihre neue Adresse: {list}",
    "Is this your new address?": "Ist das Ihre neue Adresse?",
    "A reader of {list} asked us to send their mail to this address from now on.": (
        "Jemand, der {list} liest, hat uns gebeten, die Mails künftig an diese Adresse zu schicken."
    ),
    "Confirm the new address": "Neue Adresse bestätigen",
    "If it was not you, do nothing. The link is good until {date}.": (
        "Wenn Sie es nicht waren, tun Sie nichts. Der Link gilt bis {date}."
    ),
    "Your mail now goes to another address: {list}": "Ihre Mails gehen jetzt an eine andere Adresse: {list}",
    "Your mail goes elsewhere now": "Ihre Mails gehen jetzt woandershin",
    "As you asked, what you read from {list} goes to your new address from now on, {masked}, and no longer to this "
    "one.": (
        "Wie gewünscht geht, was Sie von {list} lesen, ab jetzt an Ihre neue Adresse, {masked}, und nicht mehr an "
        "diese."
    ),
    "If it was not you, take it back: until {date} one press is enough.": (
        "Wenn Sie das nicht waren, machen Sie es rückgängig: bis {date} genügt ein Knopfdruck."
    ),
    "Take it back": "Rückgängig machen",
    "Your data: {list}": "Ihre Daten: {list}",
    "Your data are ready": "Ihre Daten liegen bereit",
    "You asked for everything that we hold about you. The button leads to it.": (
        "Sie haben um alles gebeten, was wir über Sie gespeichert haben. Der Knopf führt dorthin."
    ),
    "Get your data": "Daten abholen",
    "Shall we erase you? {list}": "Sollen wir Sie löschen? {list}",
    "Shall we erase you?": "Sollen wir Sie löschen?",
    "You asked us to erase everything that we hold about you. That cannot be undone.": (
        "Sie haben uns gebeten, alles zu löschen, was wir über Sie gespeichert haben. Das lässt sich nicht rückgängig "
        "machen."
    ),
    "Erase me": "Löschen",
    "If it was not you, do nothing: then nothing happens.": (
        "Wenn Sie es nicht waren, tun Sie nichts: dann geschieht nichts."
    ),
    "You get this mail once, because of a request with your address.": (
        "Sie bekommen diese Mail einmalig, wegen einer Anfrage mit Ihrer Adresse."
    ),
}
"""What we say in German."""

OURS: Final = {"de": GERMAN}


class Tongue:
    """One language, as far as there are words in it."""

    def __init__(self, templates: Path | None, *wanted: str | None) -> None:
        """Take the first wanted language of the newsletter's catalogue or ours, else English."""
        catalogue = catalogue_for(templates)
        self.language = catalogue.language(*wanted)
        self._theirs = catalogue.translations(self.language)
        self._ours = OURS.get(base(self.language), {})

    def __call__(self, phrase: str, **values: object) -> str:
        """Give the phrase in this language, filled."""
        said = self._theirs.gettext(phrase)
        return say(self._ours.get(phrase, phrase) if said == phrase else said, **values)
