"""What remote servers write, as a table: which cause do these words name? Each row has its source.

The first row that matches decides, so what is particular stands above what is general: `spamhaus` above `user
unknown`, for Sendmail writes the latter below every 550. Words are compared in lower case with single spaces.
The reasons are Sisimai's vocabulary.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that name a cause, and who was seen to write them."""

    reason: str
    words: re.Pattern[str]
    source: str


def phrase(reason: str, source: str, *words: str) -> Phrase:
    """Make a row: words are alternatives, in lower case."""
    return Phrase(reason, re.compile("|".join(words)), source)


CERTAIN: Final[tuple[Phrase, ...]] = (
    phrase(
        "hostunknown",
        "cPanel's Exim, one text for all",
        r"the account or domain may not exist, they may be blacklisted",
    ),
    phrase(
        "notaccept",
        "RFC 7505 and 7504; Gmail, Exim, Yahoo, Messaging Server",
        r"null ?mx|nullmx|returned null|does not accept (?:e-?)?mail",
        r"doesn'?t (?:accept|receive) (?:e-?)?mail|no mx (?:record|host)s? (?:found|for)",
        r"domain .{0,60}accepts? no mail|(?:domain|host) never accepts mail",
        r"an mx or srv record indicated no smtp service",
        r"\b(?:556|521) (?:5\.\d\.\d+ )?.{0,40}(?:does not accept|no mail)|^5\.1\.10\b",
        r"\b5\.1\.10\b(?! recipient)|smtp protocol is not (?:supported|available)",
        r"name service error for name=\S+ type=mx: malformed or unexpected name server reply",
    ),
    phrase(
        "blocked",
        "Yahoo, Cox, Spectrum, GoDaddy IB112, freenet: of the sender's list, not of this reader",
        r"too many (?:\S+ )?(?:unknown|invalid|bad|non-?exist\w+|failed|rejected|wrong) "
        r"(?:users?|recipients?|addresses|rcpts?|mail ?boxes)",
        r"(?:threshold|limit|number|amount|rate) (?:of|for) (?:unknown|invalid|bad) (?:users|recipients|addresses)",
    ),
    phrase(
        "authfailure",
        "Gmail 5.7.26-32, Microsoft 5.7.509 and 5.7.515, RFC 7372, Mail.ru, QQ",
        r"dmarc|dkim|openspf|\bspf\b(?!-)|sender policy framework"
        r"|unauthenticated e?-?mail|(?<!client was )not authenticated",
        r"sender id \(|required authentication level|authentication (?:information|checks? failed)",
        r"authentication check|\b5\.7\.(?:2[0-4]|26|27|30|32|509|515)\b|fails to pass authentication",
        r"domain owner discourages",
    ),
    phrase(
        "requireptr",
        "Gmail 5.7.25, RFC 7372 section 3.3, AOL RTR, Postfix reject_unknown_client, Sendmail, Exim",
        r"reverse dns|\bptr\b|rdns|reverse (?:lookup|host ?name|resol|mapping)|ip name lookup|fcrdns",
        r"\b5\.7\.25\b|no reverse|cannot (?:find your|resolve your) (?:reverse |host ?)?(?:host ?)?name",
        r"unverif[yi]able sending ip|(?:ip|client) address (?:does not|doesn'?t) (?:resolve|have)",
        r"unresolvable (?:client|relay|host ?name)|domain .{0,80}mismatches client ip|fix reverse",
        r"cannot find your hostname|dns resolution (?:failed|error) for|forward[ -]confirmed",
        r"helo.{0,40}does not (?:resolve|match)|name lookup failed for|client host rejected: cannot find",
    ),
    phrase(
        "mailboxfull",
        "Web.de, Exchange: neither many nor large mails of ours",
        r"user has too many messages|zu ?viele mails auf dem server|free space (?:left )?in the mail ?box",
        r"over the allowed quota",
    ),
    phrase(
        "spamdetected", "both in one breath", r"spam (?:or|and|/) ?virus|virus ?(?:or|and|/) ?spam|spam/virus"
    ),
    phrase(
        "virusdetected",
        "ClamAV, amavisd, MessageLabs, Symantec",
        r"\bvirus(?:es)?\b|infected|malware|trojan|\bworm\b|phish",
    ),
    phrase(
        "badreputation",
        "Yahoo TSS04, Gmail 4.7.28 and 5.7.1, Microsoft 5.7.1 S775, Cloudmark CSI",
        r"reputation|\[tss?\d\d\]|user complaints|unexpected volume|unusual rate",
        r"likely (?:suspicious|unsolicited) .{0,40}ip|senderscore|sender ?base|poor score",
    ),
    phrase(
        "spamdetected",
        "SpamAssassin, Barracuda, Gmail 5.7.1, Orange OFR_506, GMX, Strato, Mail.ru",
        r"(?:as|be|is|looks? like|considered|probable|suspected|classified|identified|detected|marked"
        r"|possible|high) .{0,25}\bspam\b",
        r"\bspam\b.{0,30}(?:detected|content|score|message|rejected|probability|filter|found|like|suspect"
        r"|mail)",
        r"(?:anti-?|message )spam|\bube\b|unsolicited|bulk (?:e-?)?mail|junk (?:e-?)?mail|spamassassin",
        r"no spam|indésirable|спам|垃圾[邮郵]件|迷惑メール|contains? spam"
        r"|content rejected|blocked by .{0,30}(?:content|bulk).{0,20}filter",
        r"high probability of spam|spam (?:threshold|points)|ofr_?(?:006_?)?(?:506|510|511|513)\b|dt:spm",
        r"rejected by .{0,20}(?:filter|content)|\b(?:s|u)rbl\b|\buribl\b|ur[il] (?:black|listed)",
    ),
    phrase(
        "blocked",
        "Spamhaus, SpamCop, Barracuda, Microsoft S3140 and S3150, Proofpoint, IronPort, GoDaddy",
        r"spamhaus|spamcop|sorbs|barracudacentral|dnsbl|\brbls?\b|black ?-?list|block ?-?list|black ?hole",
        r"deny ?list|sperrliste|liste noire|lista n[eo]gra|ч[её]рн\w+ списк"
        r"|黑名单|client host .{0,60}(?:rejected|blocked|denied)|blocked using",
        r"\b4\.7\.(?:[5-6]\d\d|8[5-9]\d) access denied",
        r"\b5\.7\.(?:60[6-9]|6[1-4]\d|708|511|512)\b|s31[45]0",
        r"(?:your|sender'?s|sending|client|source|remote|this)? ?(?:ip|network)(?: address)?(?: \S+)? "
        r"(?:is |has been |was )?(?:temporarily )?(?:block|ban|reject|refus|deni|list)",
        r"(?:host|server|ip|client|sender|connection|domain|mail from).{0,30} (?:is |are |was |has been "
        r"|been )(?:permanently |temporarily |currently )?(?:blocked|banned|blacklisted|denied access"
        r"|not welcome)",
        r"banned (?:send|ip|host)|invalid ip|your network is|refused by .{0,30}(?:list|policy)",
        r"is not allowed to (?:send|connect)|access denied\.{2,}",
        r"(?:service|mail) (?:refus|refused|rejected|denied)\b|connection (?:rejected|denied)",
        r"connection refused(?: by| from| due| for|[.,] (?:too|this"
        r"|your|ip))|^(?:smtp; )?[45]\d\d[ -]connection refused",
        r"\d{1,3}(?:\.\d{1,3}){3}[\])>]* (?:is |was |has been |currently |temporarily )*(?:blocked|found (?:on|in)"
        r"|listed|rejected|banned|denied|refused)",
        r"blocked (?:- see|for (?:spam|abuse)|by ldap:)|\bgo away\b|ip abuse|black ip|grey ?-?list|gray ?-?list",
        r"(?:invalid|bad|fake|forged) helo|helo (?:name |argument )?(?:is )?(?:invalid|rejected|not allowed)",
        r"you(?:r e-?mail is redundant| are not allowed to)|bad ip",
        r"no (?:direct )?(?:mail|smtp).{0,20}from (?:your|dynamic)",
        r"dynamic(?:ally)? (?:ip|assigned|address)|dial-?up|ip reputation",
        r"this (?:ip|host|server) (?:is|has)|too much spam from",
        r"\b(?:554|550|521)[- ](?:5\.7\.1 )?(?:no smtp service|connections? (?:not|refused|denied)"
        r"|you are not)",
        r"ofr_?(?:00\d_?)?(?:403|[19]\d\d)\b|lpn\d{3}_\d+",
        r"mail from \S+ (?:is )?(?:blocked|refused)",
    ),
    phrase(
        "norelaying",
        "Postfix, Sendmail, Exim, Exchange 5.7.54, Amazon SES",
        r"relay(?:ing)?(?: access)?(?: was| is)? (?:denied|prohibited|not (?:permitted|allowed)"
        r"|disallowed|rejected|forbidden)",
        r"(?:unable|not (?:configured|allowed|authori[sz]ed|permitted|able)|refus\w+|will not|won'?t|do"
        r"(?:es)? not|cannot|can'?t) (?:to )?relay",
        r"we (?:do not|don'?t) relay|relay(?:ing)? (?:not|access)|not a relay",
        r"e?-?mail address is not verified|no relaying|insecure mail relay|is not allowed to relay",
        r"relaying (?:mail|to|from)|denies relay|mail server requires authentication when",
        r"(?:isn'?t|not) in my control/locals|rcpthosts|not a gateway|\b5\.7\.54\b",
        r"recipient in non-accepted domain",
    ),
    phrase(
        "toomanyconn",
        "RFC 3463 x.4.5 and x.5.3, Gmail 4.7.28, Microsoft 4.7.650, Yahoo TSS01, docomo, SES",
        r"too many (?:concurrent |simultaneous )?(?:smtp )?(?:connections?|sessions?|recipients?|messages?"
        r"|e-?mails?|mails?|rcpt|errors)",
        r"throttl|rate[ -]?limit|(?:sending|message|connection|delivery|receiving) (?:rate|limit)",
        r"frequency (?:is |was )?(?:limited|limit)|frequency of receiving|excessive volume"
        r"|exceeded .{0,30}(?:rate|connections)|(?:daily|hourly|sending|relay|outbound) (?:\S+ )?quota",
        r"(?:maximum|max) (?:number of )?(?:messages? per|sessions?|connections?|concurrent|recipients)|slow down",
        r"try (?:again )?slow|receiving mail (?:at a rate|too quickly)",
        r"daily (?:message|sending|user sending) (?:quota|limit)|sent too many",
    ),
    phrase(
        "mailboxfull",
        "IMail, Zimbra: not the size of the mail",
        r"mail ?box (?:\S+ )?exceeds|(?:mail ?box|inbox|account|postbox)[^.;:]{0,40} (?:reached|exceeded|hit|at|over)"
        r" (?:its|the|his|their|your) (?:max\w*|limit|size|quota|storage|capacity)",
        r"space (?:has been |is |was )?(?:used up|exhausted)",
    ),
    phrase(
        "systemfull",
        "RFC 3463 x.3.1, ENOSPC, Sendmail",
        r"system (?:storage|disk)|(?:mail )?system full|no space left on device|disk (?:is )?full",
        r"insufficient (?:disk|storage) space(?!.{0,20}(?:user|mail ?box|account|recipient|inbox|quota))",
        r"file ?system (?:is )?full|\b[45]\.3\.1\b",
    ),
    phrase(
        "mesgtoobig",
        "RFC 3463 x.3.4, Postfix, Exchange, Gmail, Exim",
        r"(?:message|mail|e-?mail|content|body)?(?: is)? ?too (?:big|large)",
        r"(?:message|mail|maximum|max|fixed|allowed)(?: file)? size ?(?:exceed|limit|too|allowed)?",
        r"size (?:of (?:the |this )?message )?exceed",
        r"exceed\w* .{0,40}(?:message|mail|maximum|size|fixed) ?(?:size|limit)|larger than|\b5\.3\.4\b",
        r"message (?:is |was )?too long|message length exceed|data size|sizelimit|message .{0,30}exceeds the maximum",
    ),
    phrase(
        "mailboxfull",
        "RFC 3463 x.2.2, Gmail, Dovecot, Exchange, qmail, Postfix, Domino, GroupWise, Japanese carriers",
        r"(?:mail ?box|mailfolder|mail ?store|mail ?dir|inbox|account|post ?box|message ?store|maildrop"
        r"|user)'?s? (?:\S+ )?(?:is |was |are |has been |currently )*(?:full|over ?quota|at capacity"
        r"|exceed)",
        r"(?:over|out of|exceed\w*|above|beyond|past)[ -](?:the |his |her |their |its |disk |storage "
        r"|mail(?:box)? |allocated |allotted |allowed |assigned |hard |user |maildir |of )*(?:quota"
        r"|storage|space)",
        r"over ?quota|quota .{0,30}(?:exceed|full|over|reach|violation)|full mail ?box",
        r"(?:mail ?box|account) (?:size|quota|full|limit|storage)",
        r"(?:insufficient|not enough|no|out of|lack of) (?:disk |storage |mailbox |user )?(?:space|room"
        r"|storage)(?: (?:left|available))?(?: (?:in|for|on)(?: the| this)?)? ?(?:user|mail ?box|account"
        r"|recipient|inbox)?",
        r"mailbox for user is full|storage (?:is )?full"
        r"|user has (?:too many messages|exceeded)|storage quota|disk ?quota",
        r"\b[45]\.2\.2\b|mail quota|exhausted (?:his|its|their|the)? ?(?:allowed )?(?:storage|space)",
        r"receiver'?s (?:mailbox|storage) is full|is full(?:$|\.| )",
        r"(?:exceed|over|has reached).{0,30}(?:mail ?box|storage|allowed size|capacity)|voll\b|llen[oa]\b",
        r"boite pleine|bo[iî]te.{0,80}pleine|dépass.{0,30}quota|\bpien[ao]\b|перепол?нен|переповнен|容量|いっぱい",
        r"已[满滿]|pełn[ay]\b|lotad[oa]|chei[ao]\b|dolu\b|\bis vol\b|(?:är|er) ful[dl]\b|täynnä|\bpln[áý]\b",
        r"megtelt|betelt|꽉 찼|가득|מלאה|ممتلئ|γεμάτ|plină|đầy\b",
    ),
    phrase(
        "rejected",
        "RFC 3463 x.1.7 and x.1.8: the sender; Postfix, Sendmail, Exim, GoDaddy IB506",
        r"sender (?:address |domain |e-?mail )?(?:\S+ )?(?:is |was |has been )?(?:rejected|not (?:allowed"
        r"|accepted|exist|found)|denied|refused|invalid|unknown|verify|must)",
        r"\b5\.1\.[78]\b|reply to mail from|bad sender|domain of sender|from: domain is",
        r"address rejected: domain not found|invalid sender|server rejected mail from",
        r"sender (?:verify|callback)|verify sender|after mail from|mail from (?:is )?invalid|invalid mail from",
        r"unresolvable (?:rfc\S* )?(?:from )?domain|unrout\w+ sender|requires? (?:a )?valid sender|denies the sender",
        r"your (?:e-?mail )?(?:address|domain)(?: <>"
        r"| \([^)]*\))? (?:has been|is|was) (?:blocked|banned)|sender blocked",
    ),
    phrase(
        "suspend",
        "Yahoo, Gmail 5.2.1, Exchange, Orange, Proofpoint, Zoho, au",
        r"(?:account|mail ?box|user|address|recipient|domain|e-?mail|subscriber|service|customer)"
        r"(?:'s)?(?: \S+){0,5} (?:is |was |has been |are |have been |been |currently |temporarily "
        r"|now )*(?:disabled|suspended|inactive|deactivated|dormant|frozen|blocked by admin|locked"
        r"|discontinued|closed|terminated|cancell?ed|expired|deprovisioned|unavailable due to inactiv)",
        r"(?:disabled|suspended|inactive|deactivated|dormant|locked|closed|terminated|cancell?ed"
        r"|abandoned) (?:account|mail ?box|user|recipient|address|e-?mail)",
        r"(?:is )?now disabled|not allowed to receive (?:e?-?mail|messages)"
        r"|archived recipient|banned recipient|recipient account is ?blocked"
        r"|destinataire (?:est )?(?:archiv|bloqu)",
        r"not active|invalid/inactive|user suspended|vdelivermail: account is locked",
        r"mailbox (?:temporarily )?(?:disabled|suspended|not accepting)",
        r"account (?:that you tried to reach )?is (?:disabled|inactive)|no longer active",
        r"boite inactive|inactive boite|has not been (?:used|active)|out of service|not accepting messages",
        r"delivery to this (?:user|address) is disabled|\b5\.7\.13\b|disabled or discontinued",
        r"(?:is )?currently (?:suspended|disabled)|(?:ist|konto|postfach).{0,30}(?:deaktiviert|gesperrt)",
        r"désactivé|заблокирован|冻结|凍結|ask.ya al|zablokowan"
        r"|(?:cuenta|conta|buzón|caixa|account|casella).{0,30}(?:suspendid|sospes|bloquead|bloccat|desactivad)",
    ),
    phrase(
        "hasmoved",
        "RFC 3463 x.1.6, Exchange, GroupWise",
        r"has (?:moved|been replaced by)|no longer on server|(?:address"
        r"|user) (?:has )?(?:been )?(?:changed|moved|replaced)",
        r"new (?:e-?mail )?address is|no longer valid.{0,40}new|is no longer .{0,40}please use|\b5\.1\.6\b",
        r"user not local; please try|address is obsolete",
    ),
    phrase(
        "hostunknown",
        "RFC 3463 x.1.2 and x.4.4, Sendmail, Postfix, Exim, OpenSMTPD, Gmail, qmail, Exchange",
        r"host (?:or domain name )?(?:is )?(?:unknown|not (?:found|known|exist)|name (?:is )?(?:not found"
        r"|unknown))(?!, try| *:? *retry)",
        r"unknown (?:mail )?(?:host|domain|server|site)",
        r"domain (?:name )?(?:\S+ )?(?:does(?: not|n'?t) exist|must resolve|not (?:found|exist)|is "
        r"(?:not valid|invalid|unknown))",
        r"no such (?:domain|host|server)",
        r"(?:name|node) (?:or|nor) (?:service|servname)(?: provided,?)?,? (?:or )?not known",
        r"recipient domain must exist",
        r"unable to (?:look ?up|resolve|find) (?:the )?(?:host|domain)(?! name of)",
        r"bad destination (?:mail )?(?:system|host)|nxdomain|domain .{0,80}could ?n[o']t be found",
        r"(?:couldn'?t|could not|cannot|can'?t) find any host named|unrouteable mail domain",
        r"mail domain mentioned in|all relevant mx records point to non-?existent|invalid (?:domain|host)",
        r"illegal host/domain|domain not in dns|non-?existent (?:domain|host|server)",
        r"no (?:valid )?(?:dns|mx|a|address)(?:,| or|/)?(?: \S+){0,3} (?:record|entry|host)s?",
        r"recipient domain .{0,30}(?:not|no )|invaliddomain|name server: .{0,120}host not found|5\.1\.2\b",
        r"5\.4\.4\b",
    ),
    phrase(
        "syntaxerror",
        "RFC 5321 section 4.2.3: our commands, not the reader",
        r"(?:syntax error|bad sequence|unrecogni[sz]ed command|(?:command|parameter) not (?:implemented|recogni[sz]ed)"
        r"|unknown command)(?!.{0,60}(?:address|mailbox))",
    ),
    phrase(
        "mailererror",
        "Postfix pipe(8) and local(8), Exim pipe transport, procmail, Sendmail X-Unix",
        r"command (?:output|failed|died)|procmail|x-unix|pipe to \||child (?:of|process)|exit status",
        r"mailer error|died with status|returned (?:failure|non-zero)|return code \d+ from",
        r"generated by pipe",
    ),
)
"""Words that leave no doubt, wherever they were said."""
