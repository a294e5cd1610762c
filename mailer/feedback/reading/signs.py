"""The signs of a bounce in prose, as tables: who writes, how it is headed, what it says; in many languages.

None of them decides alone (see `bounce`): a person can write each of these words.
"""

from __future__ import annotations

import re
from typing import Final

FROM: Final = re.compile(
    r"mail(?:er)? ?delivery (?:sub)?system|mail(?:er)?[ .-]?daemon|post-?_?master|mail administrator"
    r"|mailsystem|mail system|delivery system|system administrator|message delivery"
    r"|internet mail delivery|mail router|mail server|mail ?gateway|postoffice"
    r"|delivery (?:service|agent)|systemadministrator",
    re.IGNORECASE,
)
"""The name or the local part of a mail system."""

SUBJECT: Final = re.compile(
    r"undeliver|(?:un)?able to deliver|non[- ]?delivery|not (?:be )?delivered"
    r"|delivery (?:has |status|failure|failed|report|notification|delayed|problem|error|unsuccessful"
    r"|incomplete)"
    r"|deliver(?:y|ing)? .{0,20}(?:fail|delay|impossible)|failure (?:notice|delivery)|returned mail"
    r"|mail (?:delivery )?(?:failed|failure|error|returned|delivery system)"
    r"|failed (?:mail|delivery|message)"
    r"|message (?:you sent|status|delayed|undeliverable|not delivered|could not)|returning message"
    r"|could not (?:send|be delivered)|bounce|warning: (?:could not|message)|mail system error|rejected"
    r"|user (?:unknown|not)|nondeliver|mail not delivered|message could not|unzustellbar"
    r"|nicht zugestellt|zustellung|non remis|non distribu|échec|echec"
    r"|no se (?:puede|pudo|ha podido) entregar|no entregad|non recapit|mancato recapito"
    r"|mancata consegna|impossibile recapitare|não (?:foi )?(?:entregue|é possível)"
    r"|falha (?:na|de) entrega|onbestelbaar|niet (?:bezorgd|afgeleverd)|niedostarcz|nie dostarczono"
    r"|zwrot|kézbesíthetetlen|nedoručiteln|nedoručen|kan ikke leveres|går inte att leverera"
    r"|kunde inte levereras|ikke levert|toimitt|недостав|не доставлено|недостижим"
    r"|loop (?:alert|back warning)|not member article|reject mail|unknown member|are not (?:a )?member"
    r"|teslim edil|配信(?:不能|できません|エラー|失敗)|配送(?:不能|失敗)|未达|退信"
    r"|(?:无法|未能|不能)(?:投递|送达|传递|发送)|無法(?:投遞"
    r"|傳遞|送達)|반송|전송 실패|gagal|배달되지|배달할 수|전달되지"
    r"|nie (?:można|udało się) dostarczyć|не уда(?:ется|лось|ётся) доставить|не доставлен|kan inte leverera"
    r"|nelze doručit|nu (?:a putut fi|poate fi) livrat|не може (?:бути|да бъде) доставен|nije isporučen|לא נמסר"
    r"|تعذر (?:ال)?تسليم|αδύνατη η παράδοση|không (?:thể )?gửi",
    re.IGNORECASE,
)
"""What its mails are headed."""

WORDS: Final = re.compile(
    r"(?:could|can|was|were|has|have) ?(?:not|n[o']t)(?: be| yet been| been)? (?:delivered|deliver"
    r"|sent|reached)"
    r"|could not be delivered|(?:was|were)n'?t (?:delivered|able to deliver)|unable to (?:deliver|send)"
    r"|delivery (?:to the following|has failed|failed|of your|failure)|permanent (?:fatal )?error"
    r"|following (?:address|recipient)(?:\(?e?s\)?)?.{0,40}(?:fail|error|could|reject)"
    r"|failed permanently|did not reach the following|undeliverable"
    r"|error (?:was )?(?:delivering|while delivering|occurred while)|failed to deliver|giving up"
    r"|unknown user|user unknown|no such user|mailbox (?:is )?full|mailbox exceeds"
    r"|transcript of session|(?:server|host) (?:said|returned|responded)|delivery attempt"
    r"|failed address|non-?delivery|cannot be delivered|was undeliverable|has been delayed"
    r"|is delayed for|not relayed|unzustellbar|nicht (?:zugestellt|ausgeliefert)|zustell(?:ung|bar)"
    r"|n'a pas pu être|échec de (?:la )?remise|no se (?:ha podido|pudo) entregar|impossibile recapitare"
    r"|non è (?:stato possibile|riuscito)|onbestelbaar|配信できません|送信できません|配信されません|エラー|届けることが"
    r"|не (?:может быть|было|удалось) достав|无法(?:投递|送达|发送)|無法(?:投遞|傳送)|error below|error message below"
    r"|reason for the problem|failure reason|not a member of this mailing|duplicated message-id"
    r"|invalid user address|requested action not taken|konnte (?:noch )?nicht|(?:est|a été) retardée"
    r"|n'a pas (?:encore )?été (?:remis|délivré|distribué|envoyé)|impossible de remettre|no se ha (?:podido )?entreg"
    r"|non (?:è stato |può essere )?(?:consegnat|recapit)|niet (?:worden )?(?:bezorgd|afgeleverd)"
    r"|não (?:foi )?(?:entregue|possível entregar)|nie (?:można|udało się|została|mogła) (?:\w+ )?dostarcz"
    r"|inte (?:leverer|nått)|ikke (?:leveres|leveret|levert)|ei voitu toimittaa|nelze doručit|nebyla doručena"
    r"|nem (?:volt )?kézbesíthető|teslim edilemedi|не доставлен"
    r"|(?:无法|未能).{0,12}(?:传递|送达|投递)|無法.{0,12}(?:傳遞|送達)"
    r"|배달할 수 없|전송되지 않|전달되지|配信が遅延|遅延して|تعذر|לא נמסר|לא ניתן היה|δεν παραδόθηκε",
    re.IGNORECASE,
)
"""What they say."""

WARNING: Final = re.compile(
    r"warning message only|do not need to resend|(?:has|have) (?:not yet|been delayed)"
    r"|(?:not|n't) yet been delivered|still (?:being |be )?(?:retried|trying|queued|undelivered)"
    r"|will (?:keep|continue) (?:trying|to (?:try|be|retry))"
    r"|(?:delivery|will) (?:attempts? )?will (?:be |continue|keep)|delivery attempts will continue"
    r"|temporary failure report|temporarily (?:delayed|undeliver)|delivery (?:is |has been )?delayed"
    r"|you do not need to re-?send|no action is required on your part|will be (?:retried|repeated)"
    r"|is delayed for more than|will retry|delay reason|could not send message for past"
    r"|keep(?:s)? trying|status: ?delayed"
    r"|noch nicht zugestellt|weiterhin versucht|versuch\w* es noch|pas encore été (?:remis|délivré|distribué)"
    r"|d'autres tentatives|(?:est|a été) retardée|(?:todavía|aún) no se ha|se seguirá intentando"
    r"|non è (?:stato )?ancora|ulteriori tentativi|ainda não foi"
    r"|continuar(?:á|emos) a tentar|nog niet (?:bezorgd|afgeleverd)"
    r"|blijven proberen|遅延(?:し|が)|引き続き|(?:将|会|將|會)继续(?:尝试)?"
    r"|(?:пока|ещё|еще) не доставлен|попытки .{0,10}продолж"
    r"|jeszcze nie (?:została|dostarcz)|ännu inte|endnu ikke"
    r"|ennå ikke|ei vielä|zatím neb|még nem|henüz teslim|아직 배달",
    re.IGNORECASE,
)
"""It still tries: nothing is lost yet (R04)."""

WARNING_SUBJECT: Final = re.compile(
    r"\bwarning\b|\bdelay(?:ed)?\b|still in queue|verzöger|retard(?:é|e\b|\b)|retrasad|demorad|ritard|遅延|延迟|延遲"
    r"|задерж|затрим|opóźni|vertrag|vertraagd|atras(?:o|ad)|försen|fördröj|forsink|viiväst|gecik|지연|késlelt|zpožd",
    re.IGNORECASE,
)
"""How such warnings are headed."""

GIVEN_UP: Final = re.compile(
    r"giv(?:en|ing) up|gave up|will not (?:try|be retried)|not going to try again"
    r"|has (?:stopped|expired)|deleted from queue|permanent(?:ly)?|failed permanently|have failed"
    r"|has failed",
    re.IGNORECASE,
)
"""It tries no more."""

REPLY_LINE: Final = re.compile(
    r"(?:^|[\s:<>'\"(#])[45]\d\d[ -](?:[45]\.\d{1,2}\.\d{1,3}|[A-Za-z<]{3})|#[45]\.\d\.\d"
    r"|\b[45]\.\d\.\d{1,3}\b .{0,60}(?:rejected|unknown|denied|failed|full)",
    re.MULTILINE,
)
"""An SMTP reply quoted in a text."""
