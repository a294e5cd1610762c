"""Bounces in the languages of the world, in their charsets, written by us: prose without a field or a code, and HTML."""

# ruff: noqa: E501, RUF001 - mails are written as they come
# fmt: off

from __future__ import annotations

from typing import Final

from tests.feedback.shapes import ALIVE, ANN, DAEMON, GONE, ORIGINAL, WAITS, Shape, Told, fields, mail, report

# The heading, what is said of an address that is not there, by language: as Gmail words it.
_GMAIL: Final = {
    "de": ("Adresse nicht gefunden", "Ihre Nachricht wurde nicht an {} zugestellt, weil die Adresse nicht gefunden wurde oder keine E-Mails empfangen kann."),
    "fr": ("Adresse introuvable", "Votre message n'a pas été remis à {}, car l'adresse est introuvable ou ne peut pas recevoir de messages."),
    "es": ("No se ha encontrado la dirección", "Tu mensaje no se ha entregado a {} porque no se ha encontrado la dirección o esta no puede recibir correo."),
    "it": ("Indirizzo non trovato", "Il tuo messaggio non è stato recapitato a {} perché l'indirizzo non è stato trovato o non è in grado di ricevere posta."),
    "pt": ("Endereço não encontrado", "Sua mensagem não foi entregue para {} porque o endereço não foi encontrado ou não pode receber e-mails."),
    "nl": ("Adres niet gevonden", "Je bericht is niet bezorgd bij {} omdat het adres niet kan worden gevonden of geen e-mail kan ontvangen."),
    "pl": ("Nie znaleziono adresu", "Twoja wiadomość nie została dostarczona do {}, ponieważ nie znaleziono tego adresu lub nie może on odbierać poczty."),
    "tr": ("Adres bulunamadı", "Adres bulunamadığı veya posta alamadığı için iletiniz {} adresine teslim edilemedi."),
    "ru": ("Адрес не найден", "Ваше письмо не доставлено получателю {}, так как этот адрес не найден или не принимает почту."),
    "zh": ("找不到地址", "您的邮件未送达 {}，因为系统找不到该地址，或该地址无法接收邮件。"),
    "ja": ("アドレス不明", "アドレス不明でメールが {} に配信されませんでした。アドレスが見つからないか、メールを受信できません。"),
    "ko": ("주소를 찾을 수 없음", "주소를 찾을 수 없거나 주소에서 메일을 받을 수 없으므로 메시지가 {} 에 전송되지 않았습니다."),
    "sv": ("Adressen hittades inte", "Ditt meddelande levererades inte till {} eftersom adressen inte hittades eller inte kan ta emot e-post."),
    "cs": ("Adresa nenalezena", "Zpráva nebyla doručena na adresu {}, protože adresa nebyla nalezena nebo nemůže přijímat poštu."),
    "ar": ("لم يتم العثور على العنوان", "لم يتم تسليم رسالتك إلى {} لأنه لم يتم العثور على العنوان أو لأنه لا يمكنه استلام بريد."),
    "he": ("הכתובת לא נמצאה", "ההודעה שלך לא נמסרה אל {} כי הכתובת לא נמצאה או שהיא לא יכולה לקבל דואר."),
}
# As Exchange heads and words a mailbox that is not there, and one that is full.
_EXCHANGE: Final = {
    "de": ("Unzustellbar: Wasser", "Ihre Nachricht an {} konnte nicht zugestellt werden.\n\n{} wurde unter reader.example nicht gefunden.", "Das Postfach des Empfängers {} ist voll und kann zurzeit keine Nachrichten annehmen."),
    "fr": ("Non remis : Eau", "Impossible de remettre votre message à {}.\n\n{} est introuvable dans reader.example.", "La boîte aux lettres du destinataire {} est pleine et ne peut pas accepter de messages."),
    "es": ("No se puede entregar: Agua", "No se pudo entregar el mensaje a {}.\n\nNo se encontró a {} en reader.example.", "El buzón del destinatario {} está lleno y no puede aceptar mensajes."),
    "pt": ("Não é possível entregar: Água", "Não foi possível entregar sua mensagem para {}.\n\n{} não foi encontrado em reader.example.", "A caixa de correio do destinatário {} está cheia."),
    "it": ("Non recapitabile: Acqua", "Impossibile recapitare il messaggio a {}.\n\n{} non trovato in reader.example.", "La cassetta postale del destinatario {} è piena."),
    "nl": ("Onbestelbaar: Water", "Uw bericht aan {} kan niet worden bezorgd.\n\n{} is niet gevonden op reader.example.", "Het postvak van de geadresseerde {} is vol."),
    "pl": ("Nie można dostarczyć: Woda", "Nie można dostarczyć wiadomości do {}.\n\nNie znaleziono adresata {} w domenie reader.example.", "Skrzynka pocztowa adresata {} jest pełna."),
    "tr": ("Teslim edilemedi: Su", "{} adresine gönderdiğiniz ileti teslim edilemedi.\n\n{} reader.example konumunda bulunamadı.", "{} alıcısının posta kutusu dolu."),
    "ru": ("Не удается доставить: Вода", "Не удалось доставить ваше сообщение получателю {}.\n\nПользователь {} не найден в reader.example.", "Почтовый ящик получателя {} переполнен."),
    "zh": ("无法传递: 水", "无法将您的邮件传递给 {}。\n\n在 reader.example 找不到 {}。", "收件人 {} 的邮箱已满。"),
    "ja": ("配信不能: 水", "{} へのメッセージを配信できませんでした。\n\n{} が reader.example に見つかりませんでした。", "受信者 {} のメールボックスがいっぱいです。"),
    "sv": ("Kan inte levereras: Vatten", "Ditt meddelande till {} kunde inte levereras.\n\n{} hittades inte på reader.example.", "Mottagarens postlåda {} är full."),
    "da": ("Kan ikke leveres: Vand", "Din meddelelse til {} kunne ikke leveres.\n\n{} blev ikke fundet på reader.example.", "Modtagerens postkasse {} er fuld."),
    "fi": ("Toimittaminen ei onnistu: Vesi", "Viestiä ei voitu toimittaa vastaanottajalle {}.\n\nVastaanottajaa {} ei löydy kohteesta reader.example.", "Vastaanottajan {} postilaatikko on täynnä."),
    "cs": ("Nedoručitelné: Voda", "Zprávu pro {} nelze doručit.\n\nPříjemce {} nebyl nalezen v doméně reader.example.", "Poštovní schránka příjemce {} je plná."),
    "hu": ("Kézbesíthetetlen: Víz", "Az üzenet nem kézbesíthető a következőnek: {}.\n\nA(z) {} címzett nem található.", "A címzett {} postaládája megtelt."),
    "ko": ("배달되지 않음: 물", "{} 에게 메시지를 배달할 수 없습니다.\n\nreader.example에서 {} 을(를) 찾을 수 없습니다.", "받는 사람 {} 의 사서함이 꽉 찼습니다."),
}
# As Postfix, translated, and as providers of a country word it: language, charset, encoding, subject, words, verdict.
_PROSE: Final[dict[str, tuple[str, str, str, str, Told]]] = {
    "postfix_de": ("iso-8859-1", "quoted-printable", "Unzustellbare Nachricht an Absender zurückgesendet", f"Dies ist das E-Mail-System auf mx.example.net.\n\nEs tut mir leid, dass Ihre Nachricht nicht zugestellt werden konnte.\n\n<{ANN}>: host mx.reader.example[192.0.2.25] said: 550 5.1.1 User unknown (in reply to RCPT TO command)\n", GONE),
    "postfix_fr": ("iso-8859-15", "8bit", "Message non délivré renvoyé à l'expéditeur", f"Ceci est le système de messagerie de mx.example.net.\n\n<{ANN}>: host mx.reader.example[192.0.2.25] said: 552 5.2.2 Quota exceeded (in reply to RCPT TO command)\n", ALIVE),
    "postfix_ja": ("iso-2022-jp", "7bit", "=?iso-2022-jp?B?GyRCR1s/LkdULTUbKEI=?=", f"メールを配信できませんでした。\n\n<{ANN}>: host mx.reader.example[192.0.2.25] said: 550 5.1.1 User unknown (in reply to RCPT TO command)\n", GONE),
    "gmx_de": ("utf-8", "base64", "Mail delivery failed: returning message to sender", f"Diese Nachricht wurde automatisch erzeugt.\n\nEine E-Mail, die Sie gesendet haben, konnte nicht zugestellt werden:\n\n{ANN}:\nSMTP-Fehler: 550 Requested action not taken: mailbox unavailable (in reply to RCPT TO)\n", GONE),
    "warning_de": ("utf-8", "8bit", "Verzögerung bei der Zustellung", f"Ihre Nachricht an <{ANN}> konnte noch nicht zugestellt werden. Es wird weiterhin versucht, sie zuzustellen.\n", WAITS),
    "warning_fr": ("utf-8", "8bit", "Retard de remise : Eau", f"La remise à <{ANN}> est retardée. Votre message n'a pas encore été remis ; d'autres tentatives seront effectuées.\n", WAITS),
    "warning_es": ("utf-8", "8bit", "Entrega retrasada: Agua", f"El mensaje para <{ANN}> todavía no se ha entregado. Se seguirá intentando.\n", WAITS),
    "warning_ja": ("iso-2022-jp", "7bit", "=?utf-8?B?6YWN5L+h6YGF5bu2?=", f"<{ANN}> へのメールの配信が遅延しています。引き続き配信を試みます。\n", WAITS),
    "warning_ru": ("koi8-r", "8bit", "Задержка доставки", f"Письмо для <{ANN}> пока не доставлено. Попытки будут продолжены.\n", WAITS),
    "mailru": ("koi8-r", "base64", "Недоставленное сообщение", f"Это письмо создано автоматически сервером. Ваше письмо не может быть доставлено:\n\n{ANN}\nпользователь не найден\n", GONE),
    "yandex": ("utf-8", "8bit", "Недоставленное сообщение", f"Это письмо отправлено почтовым сервером.\nК сожалению, Ваше письмо не может быть отправлено одному или нескольким адресатам.\n\n<{ANN}>: host mx.reader.example[192.0.2.25] said: 550 5.7.1 Spam message rejected (in reply to end of DATA command)\n", ALIVE),
    "qq": ("gb18030", "base64", "=?gb18030?B?z7XNs83L0MU=?=", f"抱歉，您的邮件被退回来了……\n\n收件人邮件地址 {ANN} 不存在，邮件无法送达。\nhost mx.reader.example said: 550 Mailbox not found\n", GONE),
    "big5": ("big5", "8bit", "=?big5?B?sGil8w==?=", f"您的郵件無法投遞。\n\n{ANN}\n收件人不存在\n", GONE),
    "seznam": ("utf-8", "8bit", "Nedoručená zpráva", f"Vaše zpráva nemohla být doručena.\n\n{ANN}: uživatel neexistuje\n", GONE),
    "libero": ("utf-8", "8bit", "Mancata consegna", f"Il messaggio non è stato consegnato.\n\n<{ANN}>\nUtente sconosciuto\n", GONE),
    "laposte": ("utf-8", "8bit", "Échec de la remise", f"Votre message n'a pas pu être remis à <{ANN}>.\nBoîte aux lettres pleine.\n", ALIVE),
    "arabic": ("windows-1256", "8bit", "Undeliverable", f"تعذر تسليم رسالتك.\n\n{ANN}\nالمستخدم غير موجود\n", GONE),
    "hebrew": ("windows-1255", "8bit", "Undeliverable", f"לא ניתן היה למסור את ההודעה.\n\n{ANN}\nהמשתמש לא קיים\n", GONE),
    "greek": ("iso-8859-7", "8bit", "Undeliverable mail", f"Το μήνυμά σας δεν παραδόθηκε.\n\n{ANN}\nΆγνωστος χρήστης\n", GONE),
    "swedish": ("iso-8859-1", "8bit", "Kunde inte levereras", f"Ditt meddelande kunde inte levereras.\n\n{ANN}\nOkänd användare\n", GONE),
    "mislabelled": ("us-ascii", "8bit", "Undelivered Mail Returned to Sender", f"<{ANN}>: 552 5.2.2 casella piena\n", ALIVE),
}


def _gmail(subject: str, words: str) -> bytes:
    """Write it as Gmail does: HTML alone, then a picture; the heading and the sentence."""
    page = f"<html><head><style>p {{ color: red }}</style></head><body><h1>{subject}</h1><p>{words.format(f'<b>{ANN}</b>')}</p></body></html>"
    inner = f"--r\nContent-Type: text/html; charset=utf-8\n\n{page}\n--r\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--r--\n"
    return mail("Mail Delivery Subsystem <mailer-daemon@googlemail.com>", "Delivery Status Notification (Failure)", inner, 'Content-Type: multipart/related; boundary="r"', f"X-Failed-Recipients: {ANN}", "Auto-Submitted: auto-replied")


def _exchange(subject: str, words: str) -> bytes:
    """Write it as Exchange does, without the part for fields: HTML in base64."""
    page = "<html><body>" + "".join(f"<p>{line}</p>" for line in words.replace("{}", ANN).split("\n") if line) + "</body></html>"
    return mail("postmaster@mx.example.net", subject, page, "Content-Type: text/html; charset=utf-8", f"X-Exchange: {len(ORIGINAL)}")


SHAPES: Final[dict[str, Shape]] = {
    **{f"gmail_{tongue}": Shape(_gmail(*said), (GONE,)) for tongue, said in _GMAIL.items()},
    **{f"exchange_{tongue}": Shape(_exchange(head, gone), (GONE,)) for tongue, (head, gone, _) in _EXCHANGE.items()},
    **{f"exchange_full_{tongue}": Shape(_exchange(head, full), (ALIVE,)) for tongue, (head, _, full) in _EXCHANGE.items()},
    **{name: Shape(mail("postmaster@mx.example.net", subject, words, charset=charset if name != "mislabelled" else "utf-8", coded=coded), (told,)) for name, (charset, coded, subject, words, told) in _PROSE.items()},
    "gmail_delay_de": Shape(report(DAEMON, "Delivery Status Notification (Delay)", f"** Zustellung unvollständig **\n\nBei der Zustellung Ihrer Nachricht an {ANN} ist ein vorübergehendes Problem aufgetreten. Gmail versucht es noch 45 Stunden lang.\n", fields((ANN, "delayed", "4.4.1", "The recipient server did not accept our requests to connect."))), (WAITS,)),
}
