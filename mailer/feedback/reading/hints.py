"""More of what remote servers write, as tables: words that other signs may overrule (see `reasons`).

Rows as in `phrases`, each with its source.
"""

from __future__ import annotations

from typing import Final

from mailer.feedback.reading.phrases import Phrase, phrase

FOREIGN: Final = (
    r"unbekannt|nicht gefunden|existiert nicht|inconnu|inexistant|introuvable|destinataire invalide|n'existe pas"
    r"|no existe|no se encontr|desconocid|sconosciut|non esiste|inesistente|onbekend|bestaat niet|não existe"
    r"|nao existe|não encontrad|neexistuje|nie istnieje|nieznany|okänd|finns inte|ukendt|findes ikke|finnes ikke"
    r"|ei löydy|tuntematon|nem létezik|ismeretlen|nu există|ei ole olemas|bulunamad|άγνωστο|не существует|не найден"
    r"|неизвест|нет такого|не існує|غير موجود|לא קיים|存在しない|存在しま|見つか[りら]|不存在|找不到|查无此|존재하지"
    r"|no se ha[n]? encontrad|non (?:è stato )?trovat|niet (?:\w+ ){0,2}gevonden|não foi encontrad|nie (?:od)?naleziono"
    r"|nie znaleziono|hittades inte|hittas inte|ikke fun[dn]et"
    r"|nenalezen|neb[yo]l[ao]? n[aá](?:lezen|jden)|nem található"
    r"|ei löytynyt|nu a fost găsit|nije pronađen|δεν βρέθηκε|άγνωστ|не знайден|не \w намерен|لم يتم العثور|یافت نشد"
    r"|inexistente|desconhecid|necunoscut|nezn[aá]m[yýáa]"
    r"|לא נמצא|不明|存在せず|찾을 수 없|không t[ìồ]|tidak ditemukan|ไม่พบ"
)
"""The same in other languages: only a mail system speaks of its own mailboxes in them."""

_SENDER: Final = (
    r"absender|exp[ée]diteur|[ée]metteur|remitente|mittente|remetente|afzender|verzender|отправител|відправник|подател"
    r"|nadawc|odes[ií]l?atel|avsändar|afsender|avsender|lähettäj|feladó|expeditor|pošiljatel|αποστολέ|gönderen|发件人|发信人|發件人"
    r"|送信元|送信者|差出人|보낸 사람|발신|المرسل|השולח"
)
_READER: Final = r"recip|user|mail ?box|account|empf|destinat|bestemm|получат"
r"|odbiorc|příjem|收件|受信|宛先|받는|[.,;:<。，、]"  # noqa: RUF001
ABOUT_US: Final = phrase(
    "rejected",
    "whose words are about the sender, his host or his message, in many languages: no reader died of that",
    rf"(?:{_SENDER})(?:(?!{_READER}).){{0,40}}(?:{FOREIGN})",
    rf"(?:{FOREIGN})(?:(?!{_READER}).){{0,12}}(?:{_SENDER})",
    r"(?:sender(?:'s)?|sending|\bfrom|\bhelo|\behlo|client|your (?:mail ?"
    r"|sending )?(?:domain|server|host|ip)|message-id|url|link"
    rf"|policy|certificate|key|signature|header)(?: (?!{_READER})\S+){{0,3}} (?:was |is |does |could )?"
    r"(?:unknown|invalid|not (?:be )?(?:found|exist|known|listed|valid)|n[o']t (?:be )?(?:found|exist))",
    r"(?:invalid|no such|unknown|bad|not (?:be )?(?:found|exist"
    r"|listed|known))(?: [^\s.,;:]+){0,3} (?:for|in|of|from|with) "
    r"(?:the |your |our |my )?(?:helo|ehlo|from\b|send(?:er|ing)|header|white ?list|allow ?list|safe ?list)",
    r"(?:recipient|to|cc) header|unknown to us",
)
"""Words that name something as missing which is not the reader's."""

UNKNOWN_USER: Final = phrase(
    "userunknown",
    "RFC 3463 x.1.1, and everybody",
    r"user(?: \S+)? (?:is )?(?:unknown|not (?:found|known|exist|here|listed|local|recogni[sz]ed)"
    r"|missing home)",
    r"unknown (?:or invalid |virtual |local )?(?:user|recipient|address|account|local|mail ?box"
    r"|e-?mail|addressee|name|or illegal|to address)",
    r"no (?:such|valid|local|matching) (?:an? |local )?(?:user|recipient|mail ?box|account|address"
    r"|person|e-?mail|name|mail drop|subscriber)",
    r"no (?:mail ?box|account|user|e-?mail box|mail box)(?: \S+){0,2} (?:by that name|available|found"
    r"|here|with that|at this|exists)",
    r"no mail ?box|no thank you rejected|account (?:not |un)available|no matches to nameserver",
    r"recipients? not ok|rejected recipients?|addresses were unknown",
    r"(?:recipient|address|mail ?box|account|user|e-?mail|addressee|person|alias|spectator|login)"
    r"(?: [^\s:;,.]+){0,4} (?:was |were |is |does |could |has |can |do )?(?:not |n[o']t )(?:be )?"
    r"(?:found|exist|known|valid|recogni[sz]ed|here|listed|a valid|present|available|in directory)",
    r"(?:recipient|address|mail ?box|account|user|addressee|mail)(?: [^\s:;,.]+){0,3} (?:is |was "
    r"|are )?(?:unknown|unavailable(?! or access)|nonexistent)",
    r"(?:does|do|did) ?n[o']t (?:have an? \S+ (?:account|mailbox|e-?mail)|exist)",
    r"(?:does|do) (?:no|not) exists?|mail ?box is not allowed"
    r"|(?:account|user|mail ?box|address) (?:<> )?(?:has been |was |is )"
    r"(?:removed|deleted)",
    r"(?<!host )not (?:exist|found)|non-?existe?nt|unrouteable address",
    r"(?:couldn'?t|could not|wasn'?t|isn'?t|can'?t|cannot) be found|<> not found",
    r"invalid (?:or unknown )?(?:recipient|user|address|mail ?box|e-?mail|final|virtual|local)",
    r"invalid/unknown|archived recipient|bad (?:destination|recipient|address)|bad[-_ ]?rcpt ?to",
    r"incorrect (?:recipient|address)",
    r"recipient(?: address)? (?:unknown|not found|invalid|is possibly incorrect|is not local)",
    r"(?:recip|adr\.?recip)(?:ient)?not ?found|not? listed in (?:domino|public|the)|can'?t accept user",
    r"not (?:a |an )?(?:valid |local |active )(?:user|address|mailbox|account|recipient)",
    r"is not (?:a |an )?(?:valid|known|local|our|active address)|mail ?box name not allowed",
    r"requested action not taken: (?:mailbox(?! unavailable or)|no such)|undeliverable address|address error",
    r"delivery address is|not our (?:user|customer)|there is no (?:one|such|user|account)",
    r"name is not (?:found|in)|unknown address error|address (?:has been )?rejected: undeliverable",
    r"5\.1\.0 address rejected|unable to (?:find|validate) recipient|ofr_?(?:00\d_?)?41[68]\b",
    r"sorry, i couldn'?t find .{0,20}(?:mailbox|name)|recipient address rejected: access denied",
    r"no longer (?:here|available|in use|exists|valid|with|works|accepts?)|has left (?:the|our|this)",
    r"unavailable (?:mail ?)?(?:user|mail ?box|recipient)|(?:address|recipient|mail ?box|user) (?:is )?invalid",
    r"unable to (?:find|locate) (?:<>|(?:the )?(?:user|recipient|mail ?box|account|address))|valid-?rcpt-?to list",
    r"(?:recipient|user|address|mail ?box|account|<>)(?: [^\s:;,.]+){0,3} not in (?:our|the|my|this) "
    r"(?:directory|address ?book|database|list of (?:valid|known)|system|records)",
    r"found at the destination|no longer employed|match any (?:known )?(?:mail ?box|user|account|recipient)",
    r"(?:recipient|address|user)(?: \S+){0,2} (?:could ?n[o']t"
    r"|cannot|can'?t) be resolved|user_?unknown|recipient_?unknown",
    r"(?:user|address|mail ?box|account|recipient) (?:is )?not registered"
    r"|account for <> (?:was|has been) (?:removed|deleted)",
    r"vpopmail: user|ldap entry|user doesn?'?t",
    FOREIGN,
    r"directory ?lookup",
    r"5\.1\.1\b|5\.1\.3\b|#5\.1\.0",
)
"""Words for a mailbox that is not there; a filter may say so too (see `reasons`)."""

LATER: Final[tuple[Phrase, ...]] = (
    phrase(
        "spamdetected",
        "a bare word, after all that says more; QQ, Verizon 571",
        r"\bspam\b|message filtered|content (?:denied|reject)|^(?:smtp; )?571\b",
    ),
    phrase("rejected", "mailing list managers", r"not (?:a )?member|members[- ]only|registered gateway user"),
    phrase(
        "policyviolation",
        "Gmail 5.7.0 content, Yahoo 5.7.9, Exchange transport rules, Barracuda",
        r"policy|potential security issue|header error|not accepted for|prohibited by|against our|violat",
        r"host network,? not allowed|rule(?:s|set)|dlp\b|restricted",
    ),
    phrase(
        "notcompliantrfc",
        "RFC 5322, Gmail 5.7.1 From, Exim, Zoho",
        r"rfc ?-?[25]\d{3}|multiple addresses in from",
        r"header(?:s)? (?:is |are )?(?:missing|not accepted|invalid|duplicate)|missing .{0,20}header",
        r"bare (?:lf|cr|linefeed)|malformed|not rfc|duplicate header",
    ),
    phrase(
        "contenterror",
        "RFC 3463 x.6.x",
        r"media error|\b5\.6\.\d\b|attachment|line (?:length"
        r"|too long)|content(?:s)? (?:error|not|unacceptable)|\bmime\b",
        r"8-?bit|conversion",
    ),
    phrase(
        "securityerror",
        "RFC 4954, RFC 3207, Exchange RESOLVER.RST.AuthRequired",
        r"smtp auth|must (?:be authenticated|authenticate)"
        r"|auth(?:entication)? (?:is )?(?:required|failed|needed|credentials)|authrequired",
        r"unauthenticated senders|starttls|\btls\b|encryption|security|access denied \(state|sasl",
        r"certificate|not authori[sz]ed to send|\b5\.7\.0\b",
    ),
    phrase(
        "networkerror",
        "RFC 3463 x.4.x, Postfix, Exim, Sendmail",
        r"too many hops|(?:mail|routing|forwarding)? ?loop|host not found, try again",
        r"name (?:service|server) (?:error|failure)|dns (?:error|failure|lookup)",
        r"temporary (?:lookup|name|dns)|malformed name server|no route to host|network (?:is )?unreachable",
        r"try again later: .{0,20}dns|host ?(?:name )?lookup|hop count|\b[45]\.4\.[36]\b|unreachable mail",
        r"lost connection|connection (?:reset|closed|lost|dropped)|(?:mx|a) record lookup",
        r"socket\b(?! error)|domain name not found",
    ),
    phrase(
        "expired",
        "RFC 3463 x.4.1 and x.4.7, qmail, Exim, Sendmail, Exchange, Amazon SES, Messaging Server",
        r"expired|retry time|too long|giv(?:e|en|ing) up|gave up|timed? ?-?out|time limit",
        r"cannot send (?:message|mail) (?:for|within)|for (?:more than|the (?:last|past)) \d+",
        r"after (?:more than )?\d+ (?:hour|day|minute)|multiple retries|retries",
        r"unable to (?:connect|deliver (?:this )?message after)|hosts? (?:have|has) been failing",
        r"not (?:yet )?been delivered|undelivered after|still being retried|connection refused",
        r"could not connect|(?:couldn'?t|failed|unable) to (?:connect|establish)",
        r"did not accept our requests|not reachable|not responding|no (?:answer|response) from",
        r"\b[45]\.4\.[17]\b|queue|socket error|delayed|unavailable, please try|winsock",
        r"server (?:is )?(?:down|unreachable|not available)",
    ),
    phrase(
        "systemerror",
        "RFC 3463 x.3.x, local failures",
        r"system error|internal (?:server |software )?error|local (?:error|configuration|problem)",
        r"configuration error|server (?:error|configuration)",
        r"(?:service|server) (?:currently |temporarily )?(?:unavailable|not available)",
        r"insufficient (?:permission|resources)|\b[45]\.3\.\d\b|operating system",
        r"unexpected (?:error|failure)|could not load|temporary (?:failure|error|problem|system)",
        r"resources temporarily|can'?t (?:create|open|write)|unable to (?:process|create|open|write)",
        r"i/o error|upstream error|backend|database|ldap|transient",
    ),
    phrase(
        "filtered",
        "RFC 3463 x.2.0 and x.2.4, Japanese carriers, mFILTER, SES",
        r"filtered|domain filter|user (?:rejects|refuses|has rejected)|refus\w* by (?:user|recipient)",
        r"envelope (?:blocked|rejected)|rejected by header|blocked by the recipient|protected by"
        r"|rejected by (?:the )?recipient|delivery not authori[sz]ed",
        r"does not (?:want|like)|not on .{0,20}(?:list|whitelist)|受信拒否|指定受信|message rejected by recipient",
    ),
)
"""Words that mean something unless a code says better."""
