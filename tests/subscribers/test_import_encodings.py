"""A file of UTF-8 in which a few octets are damaged is no file of another encoding."""

from __future__ import annotations

import sys

import pytest

import subscribers

surveying = sys.modules["subscribers.exchange.survey"]  # the package's own `survey` is the function

LETTERS = {
    "cp1252": "Jürgen Müller, Übergröße, café, naïve, Ærø, São",
    "cp1251": "Юлия Петрова, Привет, ежедневная рассылка",
    "koi8-r": "Юлия Петрова, Привет, ежедневная рассылка",
    "iso8859-5": "Юлия Петрова, Привет, ежедневная рассылка",
    "iso8859-7": "Αθηνά Παπαδοπούλου, Θεσσαλονίκη",
    "cp1253": "Αθηνά Παπαδοπούλου, Θεσσαλονίκη",
    "cp1250": "Łukasz Żółć, Dvořák, Kovács Győző",
    "euc_kr": "안녕하세요, 김철수, 한국어로 쓴 이름과 도시",
    "gbk": "你好、中文姓名、北京市、新闻通讯",
    "big5": "你好、中文姓名、臺北市、新聞通訊",
    "shift_jis": "こんにちは、山田太郎、東京都、ｱｲｳｴｵ",
    "euc_jp": "こんにちは、山田太郎、東京都",
}


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_bad_octet_among_good_ones(load, person, bom):
    """One bad octet costs its own letter; all other names are read as they were written."""
    rows = [f"p{n}@example.org,Jürgen {n}\n".encode() for n in range(20)]
    result = load(bom + b"email,name\n" + b"".join(rows) + b"bad@example.org,M\xfcller\n")
    assert (result.added, result.rejected) == (21, 0)
    assert person("p7@example.org").name == "Jürgen 7"
    assert person("bad@example.org").name == "M\ufffdller"


def test_a_mark_that_says_what_a_file_is(load):
    """A BOM is believed, however few letters beyond ASCII follow it."""
    assert load(b"\xef\xbb\xbfemail,name\nbad@example.org,M\xfcller\nann@example.org,Ann\n").added == 2


@pytest.mark.parametrize("encoding", LETTERS)
def test_another_encoding_is_not_taken_for_utf_8(tmp_path, encoding):
    """What other encodings make of letters meets the pattern of UTF-8 by chance alone, and seldom."""
    path = tmp_path / "people.csv"
    path.write_bytes(f"email,name\nann@example.org,{LETTERS[encoding]}\n".encode(encoding))
    assert not subscribers.survey(path).parts[0].encoding.startswith("utf")


def test_a_letter_across_two_blocks(tmp_path, monkeypatch):
    """Where the file is read in pieces, a letter that lies on a seam is whole; one that the end cuts off is bad."""
    monkeypatch.setattr(surveying, "BLOCK", 7)
    path = tmp_path / "people.csv"
    whole = "email,name\nann@example.org,Jürgen Größe äöüß\n".encode()
    for octets, encoding in ((whole, "utf-8-sig"), (b"email,x\na\xc3", "cp1252")):
        path.write_bytes(octets)
        assert subscribers.survey(path).parts[0].encoding == encoding
