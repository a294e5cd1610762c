"""How automatic answers are headed, in the languages of the world, as tables (A07)."""

from __future__ import annotations

import re
from typing import Final

SUBJECTS: Final = {
    "en": (
        r"auto(?:matic|mated)?[ -]?(?:reply|response|responder|acknowledge?ment|answer)"
        r"|out[ -]of[ -](?:the[ -])?office|ooo\b|on vacation|vacation (?:reply|response|message|notice)"
        r"|away from (?:my|the) (?:office|desk|mail|computer)|i am away|currently (?:away|out)"
        r"|(?:annual|maternity|paternity|parental|sick|medical) leave|on (?:leave|holiday|annual)"
        r"|away until|absence notice|will be away|ticket (?:received|created|opened)"
        r"|(?:we|i) have received your|thank you for (?:your (?:e-?mail|message|request)|contacting)"
        r"|no longer (?:with|at|works?|employed)|has left the|left the company|retired\b"
    ),
    "de": (
        r"automatische (?:antwort|r[üu]ckantwort|abwesenheit)|abwesen(?:heit|d)"
        r"|nicht (?:im (?:haus|b[üu]ro)|am arbeitsplatz)|au(?:ß|ss)er haus|urlaub"
        r"|eingangsbest[äa]tigung|autoantwort"
    ),
    "fr": (
        r"r[ée]ponse automatique|absen(?:ce|t)(?: du bureau)?|hors (?:du )?bureau"
        r"|en (?:cong[ée]s?|vacances)|accus[ée] de r[ée]ception"
    ),
    "es": (
        r"respuesta autom[áa]tica|fuera de (?:la )?oficina|ausen(?:te|cia)|de vacaciones"
        r"|contestaci[óo]n autom|acuse de recibo"
    ),
    "pt": r"resposta autom[áa]tica|fora do escrit[óo]rio|ausente|aus[êe]ncia|de f[ée]rias|em f[ée]rias",
    "it": r"risposta automatica|fuori (?:ufficio|sede)|assen(?:te|za)|in ferie|messaggio automatico",
    "nl": (
        r"automatisch (?:antwoord|bericht)|afwezig(?:heid)?|niet aanwezig|buiten kantoor|met vakantie"
        r"|op vakantie"
    ),
    "pl": (
        r"automatyczna odpowied[źz]|autoodpowied[źz]|poza biurem|nieobecno[śs][ćc]|nieobecn|na urlopie"
        r"|urlop\b"
    ),
    "cs": r"automatick[áa] odpov[ěe][ďd]|mimo kancel[áa][řr]|nep[řr][íi]tomnost|dovolen[áa]",
    "sk": r"automatick[áa] odpove[ďd]|mimo kancel[áa]rie|nepr[íi]tomnos[ťt]",
    "hu": (
        r"automatikus v[áa]lasz|irod[áa]n k[íi]v[üu]l|szabads[áa]gon|t[áa]voll[ée]t"
        r"|h[áa]zon k[íi]v[üu]l"
    ),
    "ro": r"r[ăa]spuns automat|absen[țt][ăa]|[îi]n concediu|plecat din birou",
    "bg": r"автоматичен отговор|извън офиса|отсъств",
    "sr": r"automatski odgovor|аутоматски одговор|van kancelarije|odsutan|odsutnost",
    "hr": r"automatski odgovor|izvan ureda|na godi[šs]njem",
    "sl": r"samodejni odgovor|odsotnost|izven pisarne|na dopustu",
    "sv": r"autosvar|automatiskt svar|fr[åa]nvaro|fr[åa]nvarande|inte p[åa] kontoret|semester",
    "da": r"autosvar|automatisk svar|frav[æa]r|ikke p[åa] kontoret|p[åa] ferie|fraværende",
    "no": r"automatisk svar|frav[æa]r|ikke til stede|p[åa] ferie|autosvar",
    "fi": r"automaattinen vastaus|poissa|lomalla|poissaolo|lomaviesti",
    "et": r"automaatvastus|automaatne vastus|kontorist v[äa]ljas|puhkusel",
    "lv": r"autom[āa]tisk[āa]? atbilde|prombūtn|atva[ļl]in[āa]jum",
    "lt": r"automatinis atsakymas|automatinis atsakas|nesu biure|atostog",
    "el": r"αυτόματη απάντηση|εκτός γραφείου|αυτοματη απαντηση|απουσία",
    "ru": r"автоответ|автоматический ответ|нет на месте|в отпуске|вне офиса|отсутств|отпуск",
    "uk": r"автоматична відповідь|автовідповідь|поза офісом|відпустк|відсутн",
    "tr": r"otomatik (?:yan[ıi]t|cevap)|ofis d[ıi][şs][ıi]nda|izinde|ofiste de[ğg]il|yıllık izin",  # noqa: RUF001 - as Turks write
    "ar": r"رد تلقائي|الرد التلقائي|خارج المكتب|إجازة|رد آلي",
    "he": r"תשובה אוטומטית|מענה אוטומטי|מחוץ למשרד|בחופשה|היעדרות",
    "fa": r"پاسخ خودکار|خارج از دفتر|مرخصی",
    "hi": r"स्वचालित (?:उत्तर|जवाब)|स्वत: जवाब|कार्यालय से बाहर|छुट्टी",
    "th": r"ตอบกลับอัตโนมัติ|ตอบอัตโนมัติ|ไม่อยู่ที่สำนักงาน|ลาพักร้อน",
    "vi": r"trả lời tự động|thư trả lời tự động|vắng mặt|nghỉ phép|ngoài văn phòng",
    "id": r"balasan otomatis|jawaban otomatis|di luar kantor|sedang cuti|tidak di kantor",
    "ms": r"balasan automatik|bercuti|di luar pejabat",
    "ja": r"自動(?:返信|応答|回答|送信)|不在(?:の|通知|連絡|案内)|休暇|外出中",
    "zh": r"自动(?:回复|答复|回覆)|自動(?:回覆|回復|答覆)|不在办公室|不在辦公室|休假|外出",
    "ko": r"자동\s*(?:회신|응답|답장)|부재\s*중|휴가",
    "ca": r"resposta autom[àa]tica|fora de l'oficina|absent",
    "eu": r"erantzun automatikoa",
    "gl": r"resposta autom[áa]tica",
    "is": r"sjálfvirkt svar|fjarvera",
    "ga": r"freagra uathoibríoch|as oifig",
}
"""What the subject of an automatic answer says, by language."""

SUBJECT: Final = re.compile("|".join(SUBJECTS.values()), re.IGNORECASE)
CLEAR: Final = re.compile(
    r"auto|авто|αυτ|otomat|samodejn|sjálfvirk|uathoib|تلقائي|رد آلي|خودکار|אוטומט|स्व|อัตโนมัติ|tự động|自動|自动|자동"
    r"|out[ -]of|ooo|abwesen|fravær|frånvar|ticket|received your|away until",
    re.IGNORECASE,
)
"""Which of these no person writes; holidays and leave are what people write of, too."""

MARKED: Final = re.compile(
    r"^\W*(?:auto(?:matic(?: reply)?)?|autoreply|ooo|out of (?:the )?office|vacation|abwesend|absence"
    r"|automatische antwort|r[ée]ponse automatique|autosvar|自动回复|自動返信)\s*[:：\])-]",  # noqa: RUF001 - as written
    re.IGNORECASE,
)

CHALLENGERS: Final = re.compile(
    r"boxbe|bluebottle|spam ?arrest|tmda|choicemail|uol antispam|antispam uol", re.IGNORECASE
)
"""Who asks a sender to prove himself (A09): names that stand where no person writes them."""

CHALLENGE: Final = re.compile(
    r"sender (?:verification|authentication) (?:required|request)|verify (?:that )?you (?:sent|are)"
    r"|(?:confirm|verify|approve) (?:your|that your|this) (?:e-?mail|message|identity|address) (?:to"
    r"|in order|so that|was)"
    r"|challenge[ /-]response"
    r"|please (?:click|reply|confirm) .{0,80}(?:so (?:that )?your (?:message|mail)|to deliver"
    r"|to be delivered|to release)"
    r"|waiting for (?:your )?(?:confirmation|approval|verification)"
    r"|guest ?list|unknown sender .{0,40}approv"
    r"|added to (?:my|the) (?:approved|allowed|safe) (?:sender|list)|is being held|mail block",
    re.IGNORECASE,
)
"""What they say; people write most of it, too."""
