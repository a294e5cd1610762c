"""What programs and people answer to a newsletter, made by us: 30 languages, many clients, many headers."""

# ruff: noqa: E501, RUF001 - mails are written as they come

from __future__ import annotations

import base64
import itertools
from email.header import Header
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

TO: Final = "news@weekly.example"

# language: (an automatic subject, its body, a person's answer)
VOICES: Final[dict[str, tuple[str, str, str]]] = {
    "en": (
        "Out of Office",
        "I am away until Monday and cannot read mail.",
        "Thank you, that was a good read.",
    ),
    "de": ("Automatische Antwort", "Ich bin bis Montag nicht im Büro.", "Danke, ein schöner Text!"),
    "fr": ("Réponse automatique", "Je suis absent jusqu'à lundi.", "Merci, j'ai bien aimé cet article."),
    "es": ("Respuesta automática", "Estoy fuera de la oficina hasta el lunes.", "Gracias, me gustó mucho."),
    "pt": ("Resposta automática", "Estou de férias até segunda-feira.", "Obrigado, gostei muito do texto."),
    "it": ("Risposta automatica", "Sono fuori ufficio fino a lunedì.", "Grazie, molto interessante."),
    "nl": ("Automatisch antwoord", "Ik ben tot maandag afwezig.", "Bedankt, mooi stuk."),
    "pl": ("Autoodpowiedź", "Jestem poza biurem do poniedziałku.", "Dziękuję, świetny tekst."),
    "cs": ("Automatická odpověď", "Do pondělí jsem mimo kancelář.", "Díky, pěkný článek."),
    "sk": ("Automatická odpoveď", "Do pondelka som mimo kancelárie.", "Vďaka, pekný článok."),
    "hu": ("Automatikus válasz", "Hétfőig szabadságon vagyok.", "Köszönöm, érdekes volt."),
    "ro": ("Răspuns automat", "Sunt în concediu până luni.", "Mulțumesc, un text foarte bun."),
    "bg": ("Автоматичен отговор", "Извън офиса съм до понеделник.", "Благодаря, чудесна статия."),
    "hr": ("Automatski odgovor", "Do ponedjeljka sam izvan ureda.", "Hvala, odličan tekst."),
    "sl": ("Samodejni odgovor", "Do ponedeljka sem odsoten.", "Hvala, zanimivo branje."),
    "sv": ("Autosvar", "Jag är inte på kontoret förrän måndag.", "Tack, fin text."),
    "da": ("Automatisk svar", "Jeg er på ferie til mandag.", "Tak, en god artikel."),
    "no": ("Automatisk svar: fravær", "Jeg er på ferie til mandag.", "Takk, en fin tekst."),
    "fi": ("Automaattinen vastaus", "Olen lomalla maanantaihin asti.", "Kiitos, hieno juttu."),
    "et": ("Automaatvastus", "Olen esmaspäevani kontorist väljas.", "Aitäh, hea lugu."),
    "lv": ("Automātiska atbilde", "Esmu prombūtnē līdz pirmdienai.", "Paldies, labs raksts."),
    "lt": ("Automatinis atsakymas", "Iki pirmadienio atostogauju.", "Ačiū, geras straipsnis."),
    "el": ("Αυτόματη απάντηση", "Είμαι εκτός γραφείου έως τη Δευτέρα.", "Ευχαριστώ, ωραίο κείμενο."),
    "ru": ("Автоответ", "Я в отпуске до понедельника.", "Спасибо, хороший текст."),
    "uk": ("Автоматична відповідь", "Я у відпустці до понеділка.", "Дякую, гарний текст."),
    "tr": ("Otomatik Yanıt", "Pazartesiye kadar ofis dışındayım.", "Teşekkürler, güzel yazı."),
    "ar": ("رد تلقائي", "أنا خارج المكتب حتى يوم الاثنين.", "شكرا، مقال جميل."),
    "he": ("תשובה אוטומטית", "אני מחוץ למשרד עד יום שני.", "תודה, מאמר יפה."),
    "ja": ("自動返信", "月曜日まで不在です。", "ありがとうございます。とても良い記事でした。"),
    "zh": ("自动回复", "我在休假，周一回来。", "谢谢，写得很好。"),
    "ko": ("자동 회신", "월요일까지 부재 중입니다.", "감사합니다. 좋은 글이었습니다."),
}
assert len(VOICES) >= 30

SIGNS: Final = (
    ("Auto-Submitted: auto-replied",),
    ("X-Autoreply: yes", "Precedence: bulk"),
    ("X-Auto-Response-Suppress: All", "Auto-Submitted: auto-generated"),
    ("X-Autorespond: vacation",),
    ("Precedence: auto_reply",),
    ("X-FC-MachineGenerated: true",),
    (),  # the subject alone
)
"""How programs say that they are programs; the last say it only in the subject."""


def mail(
    subject: str,
    body: str,
    *fields: str,
    sender: str = "Ann <ann@reader.example>",
    to: str = TO,
    charset: str = "utf-8",
) -> bytes:
    """Give a mail with an encoded subject and body."""
    try:
        octets, name = body.encode(charset), charset
        title = Header(subject, charset).encode()
    except UnicodeEncodeError:
        octets, name = body.encode(), "utf-8"
        title = Header(subject, "utf-8").encode()
    head = [
        f"From: {sender}",
        f"To: {to}",
        f"Delivered-To: {to}",
        f"Subject: {title}",
        "Date: Tue, 14 Jul 2026 10:00:00 +0000",
        "Message-ID: <answer@reader.example>",
        "MIME-Version: 1.0",
        f"Content-Type: text/plain; charset={name}",
        "Content-Transfer-Encoding: base64",
        *fields,
    ]
    return ("\n".join(head) + "\n\n").encode() + base64.encodebytes(octets)


def automatic(count: int) -> Iterator[tuple[str, bytes]]:
    """Give so many automatic answers, each of a language and a style."""
    charsets = ("utf-8", "iso-8859-1", "utf-8", "windows-1252")
    pairs = itertools.cycle(itertools.product(SIGNS, VOICES.items()))
    for number, (signs, (language, (subject, body, _))) in zip(range(count), pairs, strict=False):
        shapes = (subject, f"{subject}: Water is low", f"{subject} Re: Water is low")
        path = "Return-Path: <>" if number % 2 else "Return-Path: <ann@reader.example>"
        yield language, mail(shapes[number % 3], body, path, *signs, charset=charsets[number % 4])


PERSONS: Final = (
    ("Re: Water is low", "{words}", ()),
    (
        "AW: Water is low",
        "{words}\n\n> Am 14.07.2026 schrieb The Weekly:\n> Water is low.\n",
        ("X-Mailer: Thunderbird",),
    ),
    (
        "Question about delivery",
        "{words}\n\nIs there a delivery on Monday? My mailbox was full last week.",
        (),
    ),
    ("Water is low", "{words}\n\nI was out of office when it came.", ("X-Priority: 1",)),
)
"""How people write, also of mailboxes that were full and of offices they were out of."""


def persons(count: int) -> Iterator[tuple[str, bytes]]:
    """Give so many answers of people."""
    pairs = itertools.cycle(itertools.product(PERSONS, VOICES.items()))
    for _, ((subject, body, fields), (language, (_, _, words))) in zip(range(count), pairs, strict=False):
        yield language, mail(subject, body.format(words=words), "Return-Path: <ann@reader.example>", *fields)


CLIENTS: Final = (
    "Thunderbird", "Apple Mail (2.3776)", "iPhone Mail (21F90)", "Microsoft Outlook 16.0", "Outlook for Android", "Outlook for iOS",
    "Gmail", "Gmail for Android", "Yahoo Mail", "YahooMailAndroid", "AOL Mail", "K-9 Mail", "FairEmail", "Evolution 3.52", "KMail 6",
    "Mutt/2.2", "NeoMutt", "Alpine 2.26", "mu4e 1.12", "Gnus/5.13", "Claws Mail 4.3", "Sylpheed", "Geary", "The Bat! 11", "eM Client",
    "Mailbird", "Spark", "Airmail 5", "Canary", "Edison", "BlueMail", "Samsung Email", "Proton Mail", "Tutanota", "Fastmail", "Zoho Mail",
    "GMX", "WEB.DE", "T-Online", "Orange", "laposte.net", "Mail.ru", "Yandex Mail", "QQMail", "NetEase", "Naver", "docomo", "Becky! 4",
    "Lotus Notes 9", "GroupWise 18",
)  # fmt: skip
assert len(CLIENTS) >= 50


def leaving(token: str) -> Iterator[bytes]:
    """Give a mail to the unsubscribe mailbox from each client: any subject, body and charset, no body at all."""
    subjects = ("unsubscribe", "", "Unsubscribe me", "Abmelden", "退会", "Re: Water is low", "désabonnement")
    bodies = (
        "",
        "unsubscribe",
        "Bitte austragen.",
        "<html><body>unsubscribe</body></html>",
        "配信停止",
        "-- \nSent from my phone",
    )
    for number, client in enumerate(CLIENTS):
        written = f"leave+{token if number % 2 else token.upper()}@weekly.example"
        path = "Return-Path: <other@elsewhere.example>"
        subject, body = subjects[number % len(subjects)], bodies[number % len(bodies)]
        sender = "Somebody Else <other@elsewhere.example>"
        yield mail(
            subject, body, path, f"X-Mailer: {client}", sender=sender, to=written, charset="iso-2022-jp"
        )
