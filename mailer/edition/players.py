"""Which service an embed is from, and the page that a reader should open instead. A table, and nothing is fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Player:
    """What a card shows: `kind` is youtube, vimeo, audio, tweet or iframe; `verb` a key of words.py."""

    kind: str
    site: str
    url: str
    verb: str
    thumbnail: str | None = None


_ID = r"([A-Za-z0-9_-]{6,20})"
_YOUTUBE = re.compile(
    rf"https?://(?:www\.|m\.)?(?:youtube(?:-nocookie)?\.com/(?:embed/|v/|shorts/|live/|watch\?(?:[^#]*&)?v=)|youtu\.be/){_ID}"
)
_PLAYLIST = re.compile(
    r"https?://(?:www\.)?youtube(?:-nocookie)?\.com/embed/(?:videoseries)?\?(?:[^#]*&)?list=([\w-]{6,60})"
)
_VIMEO = re.compile(r"https?://player\.vimeo\.com/video/(\d+)(?:\?(?:[^#]*&)?h=([0-9a-f]+))?")
_SPOTIFY = re.compile(r"https?://open\.spotify\.com/embed(?:-podcast)?/([a-z]+/[A-Za-z0-9]+)")
_APPLE = re.compile(r"https?://embed\.(podcasts|music)\.apple\.com/([^?#]+)(?:\?([^#]*))?")
_CODEPEN = re.compile(r"https?://codepen\.io/([\w-]+)/embed/(?:preview/)?([A-Za-z0-9]+)")
_TWEET = re.compile(r"https?://platform\.(?:twitter|x)\.com/embed/[^?#]*\?(?:[^#]*&)?id=(\d+)")
_STATUS = re.compile(r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/\w+/status/\d+")
_SOUNDCLOUD = re.compile(r"https?://w\.soundcloud\.com/player/?\?")
_DAILYMOTION = re.compile(
    r"https?://(?:www\.|geo\.)?dailymotion\.com/(?:embed/video/|player[^?]*\?video=)([A-Za-z0-9]+)"
)
_LOOM = re.compile(r"https?://(?:www\.)?loom\.com/embed/([0-9a-f]+)")
_LISTEN = {
    "player.simplecast.com": "Simplecast",
    "html5-player.libsyn.com": "Libsyn",
    "play.libsyn.com": "Libsyn",
    "podbean.com": "Podbean",
    "w.soundcloud.com": "SoundCloud",
    "open.spotify.com": "Spotify",
    "podcasters.spotify.com": "Spotify",
    "anchor.fm": "Spotify",
    "buzzsprout.com": "Buzzsprout",
    "player.captivate.fm": "Captivate",
    "share.transistor.fm": "Transistor",
    "player.fireside.fm": "Fireside",
    "fireside.fm": "Fireside",
    "bandcamp.com": "Bandcamp",
    "embed.acast.com": "Acast",
    "player.megaphone.fm": "Megaphone",
    "playlist.megaphone.fm": "Megaphone",
    "omny.fm": "Omny",
    "art19.com": "ART19",
    "widget.spreaker.com": "Spreaker",
    "mixcloud.com": "Mixcloud",
    "overcast.fm": "Overcast",
    "iheart.com": "iHeart",
    "embed.tidal.com": "TIDAL",
    "widget.deezer.com": "Deezer",
}
_WATCH = {
    "tiktok.com": "TikTok",
    "twitch.tv": "Twitch",
    "fast.wistia.net": "Wistia",
    "ted.com": "TED",
    "facebook.com": "Facebook",
    "odysee.com": "Odysee",
    "archive.org": "Internet Archive",
}
_OPEN = {
    "gist.github.com": "GitHub Gist",
    "codepen.io": "CodePen",
    "codesandbox.io": "CodeSandbox",
    "docs.google.com": "Google Docs",
    "google.com": "Google",
    "instagram.com": "Instagram",
    "figma.com": "Figma",
    "datawrapper.dwcdn.net": "Datawrapper",
    "flo.uri.sh": "Flourish",
    "speakerdeck.com": "Speaker Deck",
    "slideshare.net": "SlideShare",
    "observablehq.com": "Observable",
}


def recognise(url: str, element: str) -> Player:
    """Give the player behind an absolute http(s) `url`; `element` is iframe, video or audio."""
    for service in _SERVICES:
        if player := service(url):
            return player
    site = _site(url)
    for table, kind, verb in (
        (_LISTEN, "audio", "listen"),
        (_WATCH, "iframe", "watch"),
        (_OPEN, "iframe", "open"),
    ):
        if name := _named(site, table):
            return Player(kind, name, url, verb)
    verb = {"video": "watch", "audio": "listen"}.get(element, "open")
    return Player("audio" if element == "audio" else "iframe", site, url, verb)


def _site(url: str) -> str:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return host.removeprefix("www.")


def _named(site: str, table: dict[str, str]) -> str | None:
    return next(
        (name for domain, name in table.items() if site == domain or site.endswith("." + domain)), None
    )


def _youtube(url: str) -> Player | None:
    if found := _PLAYLIST.match(url):
        return Player("youtube", "YouTube", f"https://www.youtube.com/playlist?list={found[1]}", "watch")
    if not (found := _YOUTUBE.match(url)):
        return None
    start = parse_qs(urlsplit(url).query).get("start", [""])[0]
    page = f"https://www.youtube.com/watch?v={found[1]}" + (f"&t={start}s" if start.isdecimal() else "")
    return Player("youtube", "YouTube", page, "watch", f"https://i.ytimg.com/vi/{found[1]}/hqdefault.jpg")


def _vimeo(url: str) -> Player | None:
    found = _VIMEO.match(url)
    if not found:
        return None
    return Player(
        "vimeo", "Vimeo", f"https://vimeo.com/{found[1]}" + (f"/{found[2]}" if found[2] else ""), "watch"
    )


def _apple(url: str) -> Player | None:
    found = _APPLE.match(url)
    if not found:
        return None
    site = "Apple Podcasts" if found[1] == "podcasts" else "Apple Music"
    episode = parse_qs(found[3] or "").get("i", [""])[0]
    page = f"https://{found[1]}.apple.com/{found[2]}" + (f"?i={episode}" if episode.isdecimal() else "")
    return Player("audio", site, page, "listen")


def _soundcloud(url: str) -> Player | None:
    if not _SOUNDCLOUD.match(url):
        return None
    track = parse_qs(urlsplit(url).query).get("url", [""])[0]
    public = track.startswith("https://soundcloud.com/")
    return Player("audio", "SoundCloud", quote(track, safe=":/?&=%") if public else url, "listen")


def _pattern(
    pattern: re.Pattern[str], kind: str, site: str, page: str, verb: str
) -> Callable[[str], Player | None]:
    def service(url: str) -> Player | None:
        found = pattern.match(url)
        return Player(kind, site, page.format(*found.groups()), verb) if found else None

    return service


_SERVICES: tuple[Callable[[str], Player | None], ...] = (
    _youtube,
    _vimeo,
    _pattern(_SPOTIFY, "audio", "Spotify", "https://open.spotify.com/{0}", "listen"),
    _apple,
    _soundcloud,
    _pattern(_CODEPEN, "iframe", "CodePen", "https://codepen.io/{0}/pen/{1}", "open"),
    _pattern(_TWEET, "tweet", "X", "https://x.com/i/status/{0}", "post"),
    lambda url: Player("tweet", "X", url, "post") if _STATUS.match(url) else None,
    _pattern(_DAILYMOTION, "iframe", "Dailymotion", "https://www.dailymotion.com/video/{0}", "watch"),
    _pattern(_LOOM, "iframe", "Loom", "https://www.loom.com/share/{0}", "watch"),
)
