# ruff: noqa: RUF001 - other languages have other commas
"""The few words of an edition that are not its author's, and its dates, in the languages we have them in.

A language that is not here gets English words: a wrong guess would be worse. `{list}`, `{number}` and `{site}` are
filled by `say`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.edition.language import base

if TYPE_CHECKING:
    from datetime import date

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "browser": "View in browser",
        "unsubscribe": "Unsubscribe",
        "preferences": "Preferences",
        "why": "You get this mail because you subscribed to {list}.",
        "why_unnamed": "You get this mail because you subscribed to it.",
        "more": "Read the full issue",
        "issue": "Issue {number}",
        "watch": "Watch on {site}",
        "listen": "Listen on {site}",
        "open": "Open on {site}",
        "post": "See the post on {site}",
        "image": "image",
    },
    "de": {
        "browser": "Im Browser ansehen",
        "unsubscribe": "Abbestellen",
        "preferences": "Einstellungen",
        "why": "Sie erhalten diese Mail, weil Sie {list} abonniert haben.",
        "why_unnamed": "Sie erhalten diese Mail, weil Sie sie abonniert haben.",
        "more": "Die ganze Ausgabe lesen",
        "issue": "Ausgabe {number}",
        "watch": "Auf {site} ansehen",
        "listen": "Auf {site} anhören",
        "open": "Auf {site} öffnen",
        "post": "Den Beitrag auf {site} ansehen",
        "image": "Bild",
    },
    "fr": {
        "browser": "Voir dans le navigateur",
        "unsubscribe": "Se désabonner",
        "preferences": "Préférences",
        "why": "Vous recevez ce message car vous êtes abonné à {list}.",
        "why_unnamed": "Vous recevez ce message car vous y êtes abonné.",
        "more": "Lire le numéro complet",
        "issue": "Numéro {number}",
        "watch": "Voir sur {site}",
        "listen": "Écouter sur {site}",
        "open": "Ouvrir sur {site}",
        "post": "Voir la publication sur {site}",
        "image": "image",
    },
    "es": {
        "browser": "Ver en el navegador",
        "unsubscribe": "Darse de baja",
        "preferences": "Preferencias",
        "why": "Recibes este correo porque te suscribiste a {list}.",
        "why_unnamed": "Recibes este correo porque te suscribiste.",
        "more": "Leer el número completo",
        "issue": "Número {number}",
        "watch": "Ver en {site}",
        "listen": "Escuchar en {site}",
        "open": "Abrir en {site}",
        "post": "Ver la publicación en {site}",
        "image": "imagen",
    },
    "zh": {
        "browser": "在浏览器中查看",
        "unsubscribe": "退订",
        "preferences": "偏好设置",
        "why": "您收到这封邮件，是因为您订阅了{list}。",
        "why_unnamed": "您收到这封邮件，是因为您订阅了它。",
        "more": "阅读全文",
        "issue": "第 {number} 期",
        "watch": "在 {site} 观看",
        "listen": "在 {site} 收听",
        "open": "在 {site} 打开",
        "post": "在 {site} 查看原帖",
        "image": "图片",
    },
    "ja": {
        "browser": "ブラウザで表示",
        "unsubscribe": "配信停止",
        "preferences": "配信設定",
        "why": "{list}を購読されている方にお送りしています。",
        "why_unnamed": "購読されている方にお送りしています。",
        "more": "全文を読む",
        "issue": "第{number}号",
        "watch": "{site}で見る",
        "listen": "{site}で聴く",
        "open": "{site}で開く",
        "post": "{site}で投稿を見る",
        "image": "画像",
    },
    "ar": {
        "browser": "عرض في المتصفح",
        "unsubscribe": "إلغاء الاشتراك",
        "preferences": "التفضيلات",
        "why": "تصلك هذه الرسالة لأنك مشترك في {list}.",
        "why_unnamed": "تصلك هذه الرسالة لأنك مشترك فيها.",
        "more": "قراءة العدد كاملًا",
        "issue": "العدد {number}",
        "watch": "شاهد على {site}",
        "listen": "استمع على {site}",
        "open": "افتح على {site}",
        "post": "اعرض المنشور على {site}",
        "image": "صورة",
    },
    "he": {
        "browser": "צפייה בדפדפן",
        "unsubscribe": "הסרה מרשימת התפוצה",
        "preferences": "העדפות",
        "why": "קיבלת הודעה זו כי נרשמת אל {list}.",
        "why_unnamed": "קיבלת הודעה זו כי נרשמת אליה.",
        "more": "לקריאת הגיליון המלא",
        "issue": "גיליון {number}",
        "watch": "צפייה ב־{site}",
        "listen": "האזנה ב־{site}",
        "open": "פתיחה ב־{site}",
        "post": "לצפייה בפוסט ב־{site}",
        "image": "תמונה",
    },
    "fa": {
        "browser": "مشاهده در مرورگر",
        "unsubscribe": "لغو اشتراک",
        "preferences": "تنظیمات",
        "why": "این نامه را دریافت می‌کنید زیرا مشترک {list} هستید.",
        "why_unnamed": "این نامه را دریافت می‌کنید زیرا مشترک آن هستید.",
        "more": "خواندن شمارهٔ کامل",
        "issue": "شمارهٔ {number}",
        "watch": "تماشا در {site}",
        "listen": "شنیدن در {site}",
        "open": "باز کردن در {site}",
        "post": "دیدن نوشته در {site}",
        "image": "تصویر",
    },
    "hi": {
        "browser": "ब्राउज़र में देखें",
        "unsubscribe": "सदस्यता समाप्त करें",
        "preferences": "प्राथमिकताएँ",
        "why": "आपको यह मेल इसलिए मिला क्योंकि आपने {list} की सदस्यता ली है।",
        "why_unnamed": "आपको यह मेल इसलिए मिला क्योंकि आपने इसकी सदस्यता ली है।",
        "more": "पूरा अंक पढ़ें",
        "issue": "अंक {number}",
        "watch": "{site} पर देखें",
        "listen": "{site} पर सुनें",
        "open": "{site} पर खोलें",
        "post": "{site} पर पोस्ट देखें",
        "image": "चित्र",
    },
}

_MONTHS: dict[str, tuple[str, str]] = {
    "en": (
        "{month} {day}, {year}",
        "January February March April May June July August September October November December",
    ),
    "de": (
        "{day}. {month} {year}",
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    ),
    "fr": (
        "{day} {month} {year}",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    ),
    "es": (
        "{day} de {month} de {year}",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    ),
    "zh": ("{year}年{month}月{day}日", "1 2 3 4 5 6 7 8 9 10 11 12"),
    "ja": ("{year}年{month}月{day}日", "1 2 3 4 5 6 7 8 9 10 11 12"),
    "ar": (
        "{day} {month} {year}",
        "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    ),
    "he": (
        "{day} ב{month} {year}",
        "ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט ספטמבר אוקטובר נובמבר דצמבר",
    ),
    "fa": ("{day} {month} {year}", "ژانویه فوریه مارس آوریل مه ژوئن ژوئیه اوت سپتامبر اکتبر نوامبر دسامبر"),
    "hi": ("{day} {month} {year}", "जनवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर"),
}


def words_for(language: str) -> dict[str, str]:
    """Give the words of `language`, or English ones."""
    return WORDS.get(base(language), WORDS["en"])


def say(phrase: str, **values: object) -> str:
    """Fill `{name}` in one of our phrases, literally: a value may hold braces."""
    for name, value in values.items():
        phrase = phrase.replace("{" + name + "}", str(value))
    return phrase


def date_in(language: str, day: date) -> str:
    """Give a date as a reader of `language` writes it; in a language that is not here, as ISO 8601."""
    if base(language) not in _MONTHS:
        return day.strftime("%Y-%m-%d")
    order, months = _MONTHS[base(language)]
    return say(order, day=day.day, month=months.split()[day.month - 1], year=day.year)
