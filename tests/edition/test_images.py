"""Pictures fit every client: absolute, with a width, and small ones stay in their line."""

from __future__ import annotations

import struct
import zlib

import pytest

from mailer.edition.imagesize import measure


def png(width: int, height: int) -> bytes:
    """A whole PNG of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" * (width // 8 + 2)) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    """The head of a JPEG with an EXIF segment before its frame."""
    exif = b"\xff\xe1" + struct.pack(">H", 40_002) + b"E" * 40_000
    return b"\xff\xd8" + exif + b"\xff\xc2" + struct.pack(">HBHH", 17, 8, height, width) + b"\0" * 10


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0" * 20


def webp(width: int, height: int) -> bytes:
    return (
        b"RIFF\0\0\0\0WEBPVP8X"
        + b"\0" * 8
        + (width - 1).to_bytes(3, "little")
        + (height - 1).to_bytes(3, "little")
        + b"\0\0"
    )


@pytest.mark.parametrize("make", [png, jpeg, gif, webp])
def test_a_file_says_its_size(make, tmp_path):
    """The four formats that mails show are measured by their heads."""
    file = tmp_path / "x"
    file.write_bytes(make(321, 45))
    size = measure(file)
    assert size is not None
    assert (size.width, size.height) == (321, 45)


@pytest.mark.parametrize(
    "octets",
    [b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"\xff\xd8" + b"\xff\xe1\0\2" * 5000, b"GIF89a\0\0\0\0"],
)
def test_a_broken_file_says_nothing(octets, tmp_path):
    """Cut, endless and empty files are no error: the width is just not known."""
    file = tmp_path / "x"
    file.write_bytes(octets)
    assert measure(file) is None


@pytest.mark.parametrize(
    ("source", "width"),
    [
        ('<img src="https://a.example/x.png" width="200">', "200"),
        ('<img src="https://a.example/x.png" width="900">', "536"),
        ('<img src="https://a.example/x.png" style="width:50%">', "268"),
        ("![x](https://a.example/x.png)", "536"),
        ("![x](wide.png)", "536"),
        ("![x](/static/small.png)", "120"),
    ],
)
def test_a_width_is_declared_measured_or_capped(source, width, mail, tmp_path):
    """Outlook reads the attribute alone, and overflows without it."""
    (tmp_path / "wide.png").write_bytes(png(1600, 10))
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "small.png").write_bytes(png(120, 10))
    assert f'width="{width}"' in mail(source, folder=tmp_path).content


def test_files_outside_the_newsletter_are_not_looked_at(mail, tmp_path):
    """Neither `..` nor a link leads out of the folder."""
    folder = tmp_path / "letter"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(png(64, 64))
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    compiled = mail("![a](../secret.png)\n\n![b](link.png)", folder=folder)
    assert 'width="64"' not in compiled.content


def test_a_small_picture_stays_in_its_line(mail):
    """An emoji or a badge does not become a block as wide as the mail."""
    compiled = mail('Well <img src="https://a.example/e.png" width="20" alt="ok"> done')
    assert "<figure" not in compiled.content
    assert "width:20px" in compiled.content


def test_a_big_picture_stands_alone_and_its_title_is_the_caption(mail):
    """It leaves the paragraph that it was written in."""
    compiled = mail('Before.\n![A](https://a.example/a.png "What it shows")\nAfter.')
    assert (
        compiled.text.index("Before.") < compiled.text.index("What it shows") < compiled.text.index("After.")
    )
    assert "<figcaption" in compiled.content


def test_a_relative_picture_without_a_base_is_an_error_and_leaves_its_words(mail):
    """No reader gets a broken picture."""
    compiled = mail("![The quay](pic.png)", base_url=None)
    assert compiled.rules("error") == ["img-relative"]
    assert "pic.png" not in compiled.html
    assert "The quay" in compiled.html


@pytest.mark.parametrize(
    "source",
    [
        '<img src="https://a.example/t.gif" width="1" height="1">',
        '<img src="https://pixel.wp.com/b.gif?x=1" alt="">',
        '<img src="https://www.google-analytics.com/collect?v=1">',
        '<img src="https://x.list-manage.com/track/open.php?u=1">',
    ],
)
def test_other_peoples_counters_go(source, mail):
    """A reader of ours is nobody else's statistics."""
    compiled = mail(f"Text. {source}")
    assert "<img" not in compiled.content
    assert "foreign-pixel" in compiled.rules()
