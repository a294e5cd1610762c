"""Nothing plays in a mail: every embed becomes a card that opens a page."""

from __future__ import annotations

import pytest

from mailer.edition.players import recognise

YOUTUBE = "https://www.youtube.com/watch?v=abcDEF123_-"


@pytest.mark.parametrize(
    ("source", "kind", "page"),
    [
        ("https://www.youtube.com/embed/abcDEF123_-?rel=0", "youtube", YOUTUBE),
        ("https://www.youtube-nocookie.com/embed/abcDEF123_-", "youtube", YOUTUBE),
        ("https://www.youtube.com/embed/abcDEF123_-?start=90", "youtube", YOUTUBE + "&t=90s"),
        (
            "https://www.youtube.com/embed/videoseries?list=PLabcdef",
            "youtube",
            "https://www.youtube.com/playlist?list=PLabcdef",
        ),
        ("https://player.vimeo.com/video/1234?h=abcd", "vimeo", "https://vimeo.com/1234/abcd"),
        ("https://open.spotify.com/embed/episode/4rOo", "audio", "https://open.spotify.com/episode/4rOo"),
        (
            "https://embed.podcasts.apple.com/us/podcast/x/id1?i=2",
            "audio",
            "https://podcasts.apple.com/us/podcast/x/id1?i=2",
        ),
        (
            "https://w.soundcloud.com/player/?url=https%3A//soundcloud.com/a/b",
            "audio",
            "https://soundcloud.com/a/b",
        ),
        ("https://player.simplecast.com/1-2", "audio", "https://player.simplecast.com/1-2"),
        (
            "https://html5-player.libsyn.com/embed/episode/id/1/",
            "audio",
            "https://html5-player.libsyn.com/embed/episode/id/1/",
        ),
        ("https://codepen.io/a/embed/preview/xYz?height=300", "iframe", "https://codepen.io/a/pen/xYz"),
        ("https://platform.twitter.com/embed/Tweet.html?id=99", "tweet", "https://x.com/i/status/99"),
        ("https://maps.example/embed?x=1", "iframe", "https://maps.example/embed?x=1"),
    ],
)
def test_a_player_leads_to_the_page_that_people_know(source, kind, page):
    """The address of a player becomes the address of its page where we know the service."""
    player = recognise(source, "iframe")
    assert (player.kind, player.url) == (kind, page)


def test_a_video_becomes_a_picture_and_a_caption(mail):
    """A card has a thumbnail and words, both linked, in HTML and text."""
    compiled = mail('<iframe src="//www.youtube.com/embed/abcDEF123_-" title="How tides work"></iframe>')
    assert "https://i.ytimg.com/vi/abcDEF123_-/hqdefault.jpg" in compiled.html
    assert "▶ How tides work (YouTube)" in compiled.html
    assert f"▶ How tides work (YouTube) <{YOUTUBE}>" in compiled.text
    assert [link.url for link in compiled.edition.links] == [YOUTUBE, YOUTUBE]


def test_an_embed_inside_a_paragraph_splits_it(mail):
    """The words before and behind it stay paragraphs of their own, in order."""
    compiled = mail('Before **bold\n<iframe src="https://a.example/x"></iframe>\nbehind** it.')
    assert (
        compiled.text.index("Before")
        < compiled.text.index("https://a.example/x")
        < compiled.text.index("behind")
    )


@pytest.mark.parametrize(
    "source",
    [
        '<video controls><source src="https://a.example/f.mp4"></video>',
        '<video src="/f.mp4"></video>',
        '<audio src="https://a.example/f.mp3">',
        '<object data="https://a.example/f.swf"><param name="movie" value="https://a.example/f.swf"></object>',
        '<embed src="https://a.example/f.swf">',
        '<script src="https://gist.github.com/someone/0a1b2c.js"></script>',
    ],
)
def test_every_kind_of_embed_becomes_a_card(source, mail):
    """Also old ones, unclosed ones, and scripts that would have written one."""
    compiled = mail(f"{source}\n\nThe rest.")
    assert 'class="card' in compiled.content
    assert "The rest." in compiled.text
    assert len(compiled.edition.links) == 1


def test_a_quoted_post_keeps_its_words(mail):
    """A tweet is text: it stays, with the link that says where it is."""
    compiled = mail(
        '<blockquote class="twitter-tweet"><p>High water.</p>&mdash; P (@p) '
        '<a href="https://twitter.com/p/status/1">July 3</a></blockquote>'
        '<script src="https://platform.twitter.com/widgets.js"></script>'
    )
    assert "> High water." in compiled.text
    assert [link.url for link in compiled.edition.links] == ["https://twitter.com/p/status/1"]


@pytest.mark.parametrize(
    "source",
    [
        "https://youtu.be/abcDEF123_-",
        "<div class=x>\nhttps://www.youtube.com/watch?v=abcDEF123_-\n</div>",
        "<figure><div>\nhttps://youtu.be/abcDEF123_-\n</div><figcaption>Tides</figcaption></figure>",
    ],
)
def test_a_bare_address_of_a_video_becomes_a_card(source, mail):
    """Blogs turn a video's address on a line of its own into a player."""
    compiled = mail(f"Before.\n\n{source}\n\nAfter, see https://youtu.be/abcDEF123_- again.")
    assert compiled.content.count("hqdefault.jpg") == 1
    assert [link.url for link in compiled.edition.links][:2] == [YOUTUBE, YOUTUBE]
