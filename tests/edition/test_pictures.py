"""What a phone shows: no sideways scroll, whatever the issue holds."""

from __future__ import annotations

import pytest

from tests.edition.pictures import SCHEMES, browser, photograph

WIDE = """
A long address https://example.org/{long} and a word {long}.

| One column | Another column | A third | A fourth | A fifth | A sixth | A seventh | An eighth |
|---|---|---|---|---|---|---|---|
| some words | more words | {short} | x | y | z | and so on | the end |

```
{long}{long}
```

![wide](https://a.example/x.png)

<img src="https://a.example/y.png" width="900" height="20" alt="y">

<iframe width="560" height="315" src="https://www.youtube.com/embed/abcDEF123_-"></iframe>

> > > - nested
> > >   - deeper {short}

<a class="button" href="https://a.example">A button with quite a long text that has to wrap on a phone</a>
""".replace("{long}", "unbroken" * 20).replace("{short}", "w" * 40)

ARABIC = "بدأ الأمر بقارب لم يطفُ.\n\n- أول\n\n| أ | ب |\n|---|---|\n| ج | د |\n" + WIDE


@pytest.mark.chromium
@pytest.mark.parametrize("source", [WIDE, ARABIC], ids=["ltr", "rtl"])
def test_no_mail_scrolls_sideways_on_a_phone(source, mail, chromium):
    """375 CSS pixels hold it all: words break, tables stack, pictures shrink."""
    compiled = mail(source, subject="A subject with an unbroken " + "w" * 80)
    with browser(chromium) as page:
        assert [photograph(page, compiled.html, 375, scheme) for scheme in SCHEMES] == [375, 375]


@pytest.mark.chromium
def test_the_dark_mail_is_dark(mail, chromium):
    """Inline colours lose to the dark style sheet: ink is light, paper is dark."""
    with browser(chromium) as page:
        context = page.new_context(color_scheme="dark", offline=True)
        tab = context.new_page()
        tab.set_content(mail("Hello [there](https://a.example).").html)
        colours = tab.evaluate(
            "['.content p', '.content a', '.paper', 'h1'].map(s => getComputedStyle(document.querySelector(s)))"
            ".map((c, i) => i == 2 ? c.backgroundColor : c.color)"
        )
        context.close()
    assert colours == ["rgb(229, 227, 222)", "rgb(142, 187, 240)", "rgb(28, 30, 34)", "rgb(229, 227, 222)"]
