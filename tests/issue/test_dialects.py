"""Every dialect becomes CommonMark: what goes in, what must be there, what must be gone."""

# ruff: noqa: RUF001 - the samples are written in the languages that readers use, and a line of them is a line

from __future__ import annotations

import pytest
from reading import read, rules

DIALECTS = {
    "kramdown attribute lists go": (
        "# Eins {#eins .gross}\n\nText{: .klein}\n{: .note}\n",
        ["# Eins\n", "Text"],
        ["{"],
    ),
    "kramdown's table of contents goes with its item": (
        "* TOC\n{:toc}\n\nगर्मी के दिन\n",
        ["गर्मी के दिन"],
        ["TOC", "toc"],
    ),
    "kramdown's comments and options go": (
        '{::options parse_block_html="true" /}\nA{::comment}no{:/comment}B',
        ["AB"],
        ["::"],
    ),
    "[TOC] goes": ("[TOC]\n\nText", ["Text"], ["TOC"]),
    "a YouTube include is a player": (
        '{% include youtube.html id="abc123def45" title="Talk" %}',
        ['<iframe src="https://www.youtube.com/embed/abc123def45" title="Talk"></iframe>'],
        ["{%"],
    ),
    "raw shows its braces as text": ("{% raw %}{{ x }}{% endraw %}", ["&#123;{ x }}"], ["raw"]),
    "highlight is a fence": (
        "{% highlight ruby %}\nputs '{{ x }}'\n{% endhighlight %}",
        ["```ruby\nputs '{{ x }}'\n```"],
        ["{%"],
    ),
    "post_url is Jekyll's default permalink": (
        "[x]({% post_url 2020-07-06-hello %})",
        ["[x](/2020/07/06/hello.html)"],
        ["{%"],
    ),
    "control flow goes and its content stays": ("{% if page.a %}Ja{% endif %}", ["Ja"], ["{%"]),
    "a loop that only a site can fill goes": (
        "A{% for p in site.posts %}{{ p.title }}{% endfor %}B",
        ["AB"],
        ["title"],
    ),
    "page fields are answered from the front matter": (
        "{{ page.title }} und {{ site.url }}/x",
        ["A letter und /x"],
        ["{{"],
    ),
    "a filtered text stays": ("[x]({{ '/a.png' | relative_url }})", ["[x](/a.png)"], ["{{"]),
    "a Hugo figure is a figure": (
        'Text {{< figure src="a.png" width="700px" caption="Ein Bild" alt="B" >}} &nbsp;\nMehr',
        [
            '\n<figure><img src="a.png" alt="B" width="700"><figcaption>Ein Bild</figcaption></figure>\n\n',
            "Text",
        ],
        ["{{", "nbsp"],
    ),
    "Hugo's vimeo and tweet": (
        '{{< vimeo 146022717 >}}\n\n{{< x user="ann" id="42" >}}',
        [
            '<iframe src="https://player.vimeo.com/video/146022717">',
            '<a href="https://twitter.com/ann/status/42">',
        ],
        ["{{"],
    ),
    "a Hugo notice is a quote with a label": (
        "{{% notice tip %}}\nمرحبا\n{{% /notice %}}",
        ["> **Tip**\n>\n> مرحبا"],
        ["{{"],
    ),
    "a shown shortcode is text": ("{{</* figure */>}}", ["&#123;{< figure >}}"], ["*"]),
    "relref is Hugo's default address": (
        '[x]({{< relref "posts/one.md#two" >}})',
        ["[x](/posts/one/#two)"],
        ["{{"],
    ),
    "an unknown shortcode goes, its content stays": ("{{< glow >}}字{{< /glow >}}", ["字"], ["{{", "glow"]),
    "a wikilink keeps its words": (
        "Siehe [[Notiz|die Notiz]] und [[Ordner/Andere#Teil]].",
        ["die Notiz und Andere: Teil."],
        ["[["],
    ),
    "Markdown links in brackets stay": ("See [[1]](https://a.example/)", ["[[1]](https://a.example/)"], []),
    "an Obsidian picture has its width": (
        "![[Mein Bild.png|300]]",
        ['<img src="Mein%20Bild.png" alt="" width="300">'],
        ["[["],
    ),
    "a callout is a quote with a label": ("> [!warning] نکته\n> متن", ["> **نکته**\n>\n> متن"], ["[!"]),
    "comments between percent signs go": ("A %%geheim%% B", ["A  B"], ["geheim"]),
    "highlights are marked": ("一==二==三", ["一<mark>二</mark>三"], ["=="]),
    "block ids go": ("Ein Satz. ^abc123", ["Ein Satz."], ["^"]),
    "MDX imports and exports go": (
        "import X from './x'\nexport const meta = {\n  a: 1,\n}\n\nText",
        ["Text"],
        ["import", "meta"],
    ),
    "prose that begins with import stays": (
        "import duties from May rose",
        ["import duties from May rose"],
        [],
    ),
    "JSX players are players": (
        '<YouTube id="abc123def45" />',
        ["youtube.com/embed/abc123def45"],
        ["<YouTube"],
    ),
    "JSX callouts are quotes": (
        '<Callout type="info">\nHi\n</Callout>',
        ["> **Info**\n>\n> Hi"],
        ["Callout"],
    ),
    "unknown components keep their content": ("<Grid cols={2}>Text</Grid>", ["Text"], ["Grid"]),
    "a type in prose is no component": ("Use a List<String> here", ["List<String>"], []),
    "WordPress block comments go": (
        '<!-- wp:paragraph {"a":1} -->\nText\n<!-- /wp:paragraph -->',
        ["Text"],
        ["wp:"],
    ),
    "a WordPress caption is a figure": (
        '[caption id="x" width="300"]<img src="a.png"> Haus[/caption]',
        ['<figure><img src="a.png"><figcaption>Haus</figcaption></figure>'],
        ["[caption"],
    ),
    "a WordPress embed is a player": (
        "[embed]https://youtu.be/abc123def45[/embed]",
        ["youtube.com/embed/abc123def45"],
        ["[embed"],
    ),
    "a gallery goes": ('A\n\n[gallery ids="1,2"]\n\nB', ["A", "B"], ["gallery"]),
    "a link whose text is a shortcode's name stays": (
        "[video](https://a.example/v)",
        ["[video](https://a.example/v)"],
        [],
    ),
    "share widgets go": (
        "Text\nLike this:Like Loading...\n\n### Share this:\n\n- [Click to share on X (Opens in new window)](https://x.example/?share=x)\n\n*Related*",
        ["Text"],
        ["Like", "hare", "Related"],
    ),
    "Related stays above text": ("## Related\n\nOur other letter.", ["## Related"], []),
    "counting pixels go": ("![](https://pixel.wp.com/b.gif?v=1)x", ["x"], ["pixel"]),
    "drawn lines are rules": (
        "A\n\n##########\n\nB\n\n$$$$$$$$\n\nC\n\n=======\n\nD\n\n_-_-_-_-_\n\nE",
        ["A\n", "***", "E"],
        ["##", "$$", "==", "_-"],
    ),
    "a rule that runs into text is parted from it": (
        "$$$$$$$$**Job:** wir suchen",
        ["***\n\n**Job:**"],
        ["$"],
    ),
    "underlined headings stay": ("Titel\n=====\n\nText\n", ["Titel\n====="], ["***"]),
    "directives are quotes": (
        "::: tip Merke\nEin *Wort*\n:::\n\nText",
        ["> **Merke**\n>\n> Ein *Wort*", "\nText"],
        [":::"],
    ),
    "MkDocs admonitions are quotes": (
        '!!! note "Achtung"\n    Ein Satz\n\nText',
        ["> **Achtung**\n>\n> Ein Satz", "\n\nText"],
        ["!!!"],
    ),
    "emoji codes are emoji": ("Fertig :tada: um 10:30:45", ["Fertig 🎉 um 10:30:45"], [":tada:"]),
    "bold before a CJK letter is bold": ("这是**重点：**说明", ["<strong>重点：</strong>说明"], ["**"]),
    "bold with a lost space is bold": ("Das ist **sehr **wichtig", ["<strong>sehr</strong> wichtig"], ["**"]),
    "good bold is not touched": (
        "Das ist **sehr** wichtig, 2 ** 3",
        ["Das ist **sehr** wichtig, 2 ** 3"],
        ["<strong>"],
    ),
    "Markdown begins again below a player": (
        '<iframe src="x"></iframe>\n**Text**',
        ["</iframe>\n\n**Text**"],
        [],
    ),
    "a comment that never closes does not swallow the rest": ("A <!-- B\n\nC", ["A  B", "C"], ["<!--"]),
    "a byline is no heading": ("#### by Ann Author\n\nText", ["*by Ann Author*"], ["#"]),
    "the address of a video alone is a player": (
        "A\n\nhttps://youtu.be/abc123def45\n\nB",
        ["youtube.com/embed/abc123def45"],
        [],
    ),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_dialects(name: str):
    """Each row: what is written, what the body has, and what it has no more."""
    source, present, absent = DIALECTS[name]
    body = read(source).body
    assert [text for text in present if text not in body] == [], body
    assert [text for text in absent if text in body] == [], body


CODE = (
    "```\n{{ subscriber.x }} {% if %} {{< figure >}} [[a]] ==b== :tada: **c **d\n```",
    "`{{ subscriber.x }} {% if %} [[a]] ==b== :tada:`",
    "Text:\n\n    {{ subscriber.x }} {% if %} [[a]] ==b== :tada:",
    "<pre><code>{{ subscriber.x }} [[a]] :tada:</code></pre>",
    "> ```\n> {{ x }} [[a]]\n> ```\n\nText",
)


@pytest.mark.parametrize("code", CODE)
def test_code_is_never_touched(code: str):
    """What stands in code is shown as it is written, and no finding speaks of it."""
    issue = read(code)
    assert issue.body.strip("\n") == code
    assert issue.findings == ()
    assert issue.merge_fields == ()


def test_repairs_are_reported_with_their_line():
    """A finding names the line of the file, and says how often when it stands many times."""
    issue = read("Eins\n\n{{< glow >}}\n\n{{< glow >}}\n")
    (finding,) = issue.findings
    assert (finding.rule, finding.line, finding.file) == ("residue", 6, "issues/letter.md")
    assert "2 times" in finding.message


def test_more_ends_the_summary():
    """What stands before <!--more--> is the summary and the preheader, and the mark goes."""
    issue = read("Kurz **gesagt**.\n\n<!--more-->\n\nLang.")
    assert issue.summary == issue.preheader == "Kurz gesagt."
    assert "more" not in issue.body


def test_a_lone_url_in_a_sentence_stays():
    """Only an address alone on its line becomes an embed."""
    assert "<iframe" not in read("Look at https://youtu.be/abc123def45 now").body
    assert rules(read("Look at https://youtu.be/abc123def45 now")) == []
