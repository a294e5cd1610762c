"""The ways in which a server can misbehave, each with what the session makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.loopback.script import Do, Rule, Script

FIRST, SECOND, THIRD = "one@example.net", "two@example.net", "three@example.net"


@dataclass(frozen=True)
class Case:
    """A misbehaviour, the outcome of each exchange, and who has a message afterwards."""

    name: str
    script: Script
    outcomes: list[str]
    accepted: list[str]


def rules(*given: Rule, **more: object) -> Script:
    return replace(Script(rules=given), **more)  # type: ignore[arg-type]


GOOD = ["ready", "final 250 ready", "final 250 ready", "final 250"]


ALL = [FIRST, SECOND, THIRD]


# The same with and without PIPELINING: what a server does must not depend on how it is spoken to.
ALIKE = [
    Case("a good server", Script(), GOOD, ALL),
    Case("slow to answer", Script(delay=0.02), GOOD, ALL),
    Case("octet by octet", Script(split=True), GOOD, ALL),
    Case(
        "multi-line replies",
        rules(
            Rule("mail", "250-2.1.0 a\n250-2.1.0 b\n250 2.1.0 c"),
            Rule("rcpt", "250-2.1.5 a\n250 2.1.5 b"),
            Rule("data", "354-go\n354 on"),
            Rule("final", "250-2.0.0 Ok:\n250 2.0.0 queued as {id}"),
        ),
        GOOD,
        ALL,
    ),
    Case("a reply of three digits alone", rules(Rule("mail", "250"), Rule("rcpt", "250")), GOOD, ALL),
    Case("251 at RCPT is yes (S14)", rules(Rule("rcpt", "251 2.1.5 will forward")), GOOD, ALL),
    Case(
        "MAIL refused once",
        rules(Rule("mail", "550 5.7.1 no", times=1)),
        ["550 at mail", "ready", "final 250 ready", "final 250"],
        [SECOND, THIRD],
    ),
    Case(
        "MAIL deferred behind a body",
        rules(Rule("mail", "451 4.3.0 later", first=2, times=1)),
        ["ready", "final 250 451 at mail", "ready", "final 250"],
        [FIRST, THIRD],
    ),
    Case(
        "RCPT refused first",
        rules(Rule("rcpt", "550 5.1.1 unknown", recipient=FIRST)),
        ["550 at rcpt", "ready", "final 250 ready", "final 250"],
        [SECOND, THIRD],
    ),
    Case(
        "RCPT refused behind a body",
        rules(Rule("rcpt", "550-5.1.1 un\n550 5.1.1 known", recipient=SECOND)),
        ["ready", "final 250 550 at rcpt", "ready", "final 250"],
        [FIRST, THIRD],
    ),
    Case(
        "RCPT deferred at the end",
        rules(Rule("rcpt", "450 4.2.1 slow", recipient=THIRD)),
        ["ready", "final 250 ready", "final 250 450 at rcpt"],
        [FIRST, SECOND],
    ),
    Case(
        "every RCPT refused",
        rules(Rule("rcpt", "550 5.1.1 unknown")),
        ["550 at rcpt", "550 at rcpt", "550 at rcpt"],
        [],
    ),
    Case("551 at RCPT is no (S14)", rules(Rule("rcpt", "551 not here")), ["551 at rcpt"] * 3, []),
    Case(
        "DATA refused, so the transaction is reset (P04)",
        rules(Rule("data", "451 4.3.0 no room", times=1)),
        ["451 at data", "ready", "final 250 ready", "final 250"],
        [SECOND, THIRD],
    ),
    Case(
        "the body refused",
        rules(Rule("final", "554 5.7.1 spam", recipient=FIRST)),
        ["ready", "final 554 ready", "final 250 ready", "final 250"],
        [SECOND, THIRD],
    ),
    Case(
        "the body deferred",
        rules(Rule("final", "452 4.3.1 full", recipient=SECOND)),
        ["ready", "final 250 ready", "final 452 ready", "final 250"],
        [FIRST, THIRD],
    ),
    Case(
        "421 at MAIL (S13)", rules(Rule("mail", "421 4.3.2 bye", Do.REPLY_DROP)), ["lost by 421 at mail"], []
    ),
    Case("421 at RCPT", rules(Rule("rcpt", "421 4.7.0 slow", Do.REPLY_DROP)), ["lost by 421 at rcpt"], []),
    Case("421 at DATA", rules(Rule("data", "421 4.3.2 bye", Do.REPLY_DROP)), ["lost by 421 at data"], []),
    Case(
        "421 for a body is an answer: it was not taken",
        rules(Rule("final", "421 4.3.2 bye", Do.REPLY_DROP)),
        ["ready", "lost final 421 by 421 at final"],
        [],
    ),
    Case(
        "421 behind an accepted body",
        rules(Rule("mail", "421 4.3.2 bye", Do.REPLY_DROP, first=2)),
        ["ready", "lost final 250 by 421 at mail"],
        [FIRST],
    ),
    Case("421 without closing", rules(Rule("mail", "421 4.3.2 bye", Do.REPLY)), ["lost by 421 at mail"], []),
    Case(
        "no more messages for this session",
        Script(max_messages=1),
        ["ready", "lost final 250 by 421 at mail"],
        [FIRST],
    ),
    Case("a drop at MAIL", rules(Rule("mail", do=Do.DROP)), ["lost"], []),
    Case("a drop at RCPT", rules(Rule("rcpt", do=Do.DROP)), ["lost"], []),
    Case("a drop at DATA", rules(Rule("data", do=Do.DROP)), ["lost"], []),
    Case(
        "a drop after the dot, nothing taken (S08)",
        rules(Rule("final", do=Do.DROP)),
        ["ready", "lost in doubt"],
        [],
    ),
    Case(
        "a drop after the dot, all of it taken (S08)",
        rules(Rule("final", do=Do.ACCEPT_DROP)),
        ["ready", "lost in doubt"],
        [FIRST],
    ),
    Case(
        "a drop behind the answer to a body",
        rules(Rule("final", "250 2.0.0 Ok", Do.REPLY_DROP)),
        ["ready", "lost final 250"],
        [FIRST],
    ),
    Case(
        "a drop behind a refused body",
        rules(Rule("final", "554 5.7.1 no", Do.REPLY_DROP)),
        ["ready", "lost final 554"],
        [],
    ),
    Case(
        "a refusal and a closed door: the refusal counts",
        rules(Rule("rcpt", "550 5.7.1 blocked", Do.REPLY_DROP, recipient=SECOND)),
        ["ready", "final 250 550 at rcpt", "lost"],
        [FIRST],
    ),
    Case("silence at MAIL (S07)", rules(Rule("mail", do=Do.STALL)), ["lost"], []),
    Case("silence at RCPT", rules(Rule("rcpt", do=Do.STALL)), ["lost"], []),
    Case("silence at DATA", rules(Rule("data", do=Do.STALL)), ["lost"], []),
    Case("silence after the dot", rules(Rule("final", do=Do.STALL)), ["ready", "lost in doubt"], []),
    Case(
        "silence after taking it",
        rules(Rule("final", do=Do.ACCEPT_STALL)),
        ["ready", "lost in doubt"],
        [FIRST],
    ),
    Case("nonsense at MAIL", rules(Rule("mail", "hello there")), ["lost"], []),
    Case("nonsense at RCPT", rules(Rule("rcpt", "25O ok")), ["lost"], []),
    Case("nonsense at DATA", rules(Rule("data", "HTTP/1.1 400 Bad Request")), ["lost"], []),
    Case(
        "nonsense for a body leaves it in doubt",
        rules(Rule("final", "Ok, taken")),
        ["ready", "lost in doubt"],
        [],
    ),
    Case("a code of four digits", rules(Rule("mail", "2500 Ok")), ["lost"], []),
    Case("a code of no class", rules(Rule("mail", "950 Ok")), ["lost"], []),
    Case("a preliminary code", rules(Rule("rcpt", "150 wait")), ["lost"], []),
    Case("a go-ahead at MAIL", rules(Rule("mail", "354 go")), ["lost"], []),
    Case("a go-ahead at RCPT", rules(Rule("rcpt", "354 go")), ["lost"], []),
    Case("a yes to DATA that is no go-ahead", rules(Rule("data", "250 Ok")), ["lost"], []),
    Case("a go-ahead for a body", rules(Rule("final", "354 go")), ["ready", "lost in doubt"], []),
    Case("an empty line for an answer", rules(Rule("mail", "\n")), ["lost"], []),
    Case(
        "one reply too many",
        rules(Rule("mail", "250 Ok\n250 Ok", first=2)),
        ["ready", "lost final 250"],
        [FIRST],
    ),
    Case("a reply without an end", rules(Rule("mail", "250-" + "x" * 40_000)), ["lost"], []),
    Case("a reply of too many lines", rules(Rule("rcpt", "\n".join(["250-more"] * 3000))), ["lost"], []),
    Case(
        "octets that are no text", rules(Rule("rcpt", "550 \udcff\udc80\x07 gone")), ["550 at rcpt"] * 3, []
    ),
]


PIPELINED = [
    Case(
        "RCPT refused and yet a go-ahead: a lone dot (P04)",
        rules(Rule("rcpt", "550 5.1.1 unknown", recipient=FIRST), Rule("data", "354 go", times=1)),
        ["550 at rcpt", "ready", "final 250 ready", "final 250"],
        [SECOND, THIRD],
    ),
    Case(
        "the same behind a body",
        rules(Rule("rcpt", "550 5.1.1 unknown", recipient=SECOND), Rule("data", "354 go", first=2, times=1)),
        ["ready", "final 250 550 at rcpt", "ready", "final 250"],
        [FIRST, THIRD],
    ),
    Case(
        "the lone dot is answered by a drop: the refusal still counts",
        rules(
            Rule("rcpt", "550 5.1.1 unknown", recipient=FIRST),
            Rule("data", "354 go", times=1),
            Rule("final", do=Do.DROP),
        ),
        ["550 at rcpt", "lost"],
        [],
    ),
    Case(
        "the lone dot is answered by 421",
        rules(
            Rule("rcpt", "550 5.1.1 unknown", recipient=FIRST),
            Rule("data", "354 go", times=1),
            Rule("final", "421 bye", Do.REPLY_DROP),
        ),
        ["550 at rcpt", "lost by 421 at dot"],
        [],
    ),
    Case(
        "the reset is refused: two transactions could run into one",
        rules(Rule("data", "451 4.3.0 no", times=1), Rule("rset", "502 what?")),
        ["451 at data", "lost"],
        [],
    ),
    Case(
        "421 in place of the reset",
        rules(Rule("data", "451 4.3.0 no", times=1), Rule("rset", "421 bye", Do.REPLY_DROP)),
        ["451 at data", "lost by 421 at rset"],
        [],
    ),
]
