"""What authors rely on in a dialect and would miss: buttons, widths, labels, and every star of their prose."""

from __future__ import annotations

import pytest
from reading import read, rules

BUTTONS = {
    "Hugo, around its words": '{{< button href="https://a.example/" >}}Join *now*{{< /button >}}',
    "Hugo, with a text": '{{< btn url="https://a.example/" text="Join *now*" >}}',
    "kramdown": "[Join *now*](https://a.example/){: .button}",
    "kramdown, on the next line": '[Join *now*](https://a.example/ "Title")\n{: #id .btn .btn-primary}',
    "Pandoc": "[Join *now*](https://a.example/){.btn-primary}",
    "MDX": '<Button href="https://a.example/">Join *now*</Button>',
}


@pytest.mark.parametrize("source", BUTTONS.values(), ids=BUTTONS)
def test_a_button_of_any_dialect_is_a_link_of_class_button(source):
    """It stands in a paragraph of its own, so that the edition makes a button of it."""
    body = read(f"Above.\n\n{source}\n\nBelow.").body
    assert '\n\n<a class="button" href="https://a.example/">Join *now*</a>\n' in body


def test_a_shortcode_amid_a_paragraph_begins_a_new_one():
    """Below text, in a quote and before text, a button is apart."""
    code = '{{< button href="https://a.example/" >}}Join{{< /button >}}'
    button = '<a class="button" href="https://a.example/">Join</a>'
    assert f"\n\n{button}\n\n" in read(f"Above\n{code}\nbelow").body.replace("\n\n\n", "\n\n")
    assert f"> {button}\n>" in read(f"> {code}").body


def test_a_link_of_another_class_is_a_plain_link():
    """Only a class that names a button makes one."""
    assert read("[a](https://a.example/){: .buttonless .external}").body == "[a](https://a.example/)"
    assert read('{{< link href="https://a.example/" >}}a{{< /link >}}').body == "[a](https://a.example/)"


@pytest.mark.parametrize("attributes", ['{: width="480" .rounded}', "{: .x width=480}", '{width="480"}'])
def test_the_declared_width_of_a_picture_is_kept(attributes):
    """Whether kramdown or Pandoc wrote it; its class goes."""
    body = read(f'![Canes "high"](https://a.example/c.jpg "In May"){attributes}').body
    assert (
        body == '<img src="https://a.example/c.jpg" alt="Canes &quot;high&quot;" title="In May" width="480">'
    )


def test_markdown_inside_a_component_is_markdown():
    """Indented as JSX is, it would be code or have literal stars; nested components keep their inner lists."""
    body = read(
        'Above\n\n<Grid gap={4}>\n    <Cell icon={<Drop size="2" />}>\n        **bold**\n\n        - one\n'
        "          - two\n    </Cell>\n</Grid>\n\nBelow"
    ).body
    assert "\n**bold**\n\n- one\n  - two\n" in body
    assert "<" not in body


@pytest.mark.parametrize(
    "line",
    [
        "export function of the program, which was broken, works again",
        "export function (see below) is new",
        "export default settings are kept",
        "export let us say so",
        "export {name} of goods is kept",
        'import taxes on goods from "abroad"',
        "import controls",
    ],
)
def test_prose_that_begins_with_a_word_of_javascript_stays(line):
    """A line of a paragraph may begin with import or export."""
    assert read(f"The\n{line}\n  in May.").body == f"The\n{line}\n  in May."


@pytest.mark.parametrize(
    "code",
    [
        'import A, { B } from "./a"',
        'import {\n  A,\n  B,\n} from "a";',
        'export const meta = {\n  title: "x",\n\n  tags: []\n}',
        "export async function load(id) {\n  return id\n}",
        "export default ({ children }) => <Layout>{children}</Layout>",
        "export default withLayout(Post);",
        'export { a } from "b"',
        'export * from "b"',
    ],
)
def test_the_modules_code_of_mdx_goes_and_is_told(code):
    """Down to the bracket that ends it."""
    issue = read(f"{code}\n\nHello.")
    assert issue.body.strip() == "Hello."
    assert "residue" in rules(issue)


@pytest.mark.parametrize(
    "line",
    [
        "It is 2 ^1024",
        "Take x[[1]] of it",
        "Take f(x)[[1]] of it",
        "From 50%% up to 60%% of it",
        "Up by 5 ^-300",
    ],
)
def test_what_only_looks_like_obsidian_stays(line):
    """Powers, code, and a percent sign that a template doubled."""
    assert read(f"{line}\nand so on.").body == f"{line}\nand so on."


def test_a_block_id_goes_and_is_told():
    """It names its block inside Obsidian, and nothing to a reader."""
    issue = read("A line of it ^37066d\n\n%% a note %% and ^more ^quote-of-the-day")
    assert issue.body == "A line of it\n\n and ^more"
    assert rules(issue).count("residue") == 2


def test_an_inline_note_is_not_in_the_preheader():
    """The note stands at the foot of the mail, not in the inbox."""
    issue = read("Rain^[It was [measured](https://a.example/).] fell upon the harbour all day long.")
    assert issue.preheader == "Rain fell upon the harbour all day long."


def test_a_bare_address_is_not_in_the_preheader():
    """Nobody reads an address in an inbox; a paragraph of nothing else is passed over."""
    source = "https://a.example/x\n\nRain fell, see https://a.example/y and so on, upon the harbour."
    assert read(source).preheader == "Rain fell, see and so on, upon the harbour."


def test_a_label_after_an_unbroken_line_begins_a_paragraph():
    """Feeds lose the empty lines; hard spaces at a line's end are the rest of one."""
    long = "The town has put up forty lamps that count their moths, and a group wants them to stop. " * 3
    body = read(f"{long}\nWhy this matters: it counts.&nbsp;\nand so on.").body
    assert body == f"{long}\n\n<strong>Why this matters:</strong> it counts.\n\nand so on."


def test_a_label_in_hand_broken_prose_stays_where_it_is():
    """A line of 70 characters was broken by hand, and what looks like a label may be a clause."""
    source = "We went out in the rain and came back late in the evening.\nLater that week: more rain."
    assert read(source).body == source


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("From A*STAR comes the “A*3D” data.", "From A\\*STAR comes the “A\\*3D” data."),
        ("A*STAR and *then* A*3D", "A\\*STAR and *then* A\\*3D"),
        ("5*3*2 is 30, 2*3 and 4*2 are not", "5\\*3\\*2 is 30, 2\\*3 and 4\\*2 are not"),
        ("un*frigging*believable", "un*frigging*believable"),
        ("中文*重点 重点*中文", "中文*重点 重点*中文"),
        ("A*STAR is *great*", "A*STAR is *great*"),
    ],
)
def test_no_star_inside_a_word_is_taken_for_emphasis_by_accident(source, body):
    """A pair that opens and closes inside words with a space between was never meant as one."""
    assert read(source).body == body


def test_share_lists_of_wordpress_go_in_markdown_too():
    """The lines that a web page's widget left are none of the author's."""
    source = "Text.\n\n### Share this:\n\n- [Click to share on X (Opens in new window)](https://a.example/?share=x)\n"
    issue = read(source)
    assert issue.body.strip() == "Text."
    assert "cruft" in rules(issue)


def test_admonitions_nest_and_stand_in_lists():
    """Each is a quote of its own depth; its text comes back to the one around it."""
    body = read('!!! note "Outer"\n    one\n\n    !!! tip\n        two\n\n    three\n\nfour').body
    lines = [line for line in body.split("\n") if line.strip("> ")]
    assert lines == ["> **Outer**", "> one", "> > **Tip**", "> > two", "> three", "four"]
    body = read("- item\n\n    !!! note\n\n        in it\n\n- next").body
    assert [line for line in body.split("\n") if line.strip("> ")] == [
        "- item",
        "    > **Note**",
        "    > in it",
        "- next",
    ]


def test_code_in_an_admonition_is_code():
    """Without the admonition's indentation, and nothing looks into it."""
    body = read("!!! note\n    See\n\n    ```\n    [[a]]  ==b==\n      c\n\n    d\n    ```\n\nEnd").body
    assert "> ```\n> [[a]]  ==b==\n>   c\n>\n> d\n> ```\n" in body
    assert body.endswith("\n\nEnd")


@pytest.mark.parametrize("text", ["??? really\n\nNo way.", "!!! WOW\n\nA day."])
def test_marks_of_wonder_are_no_admonition(text):
    """Without a title and without text of its own there is none."""
    assert read(text).body == text
