# ruff: noqa: INP001 - a script beside demo.py, no package
"""Invents 200 readers, the same ones every time: names in many scripts, and addresses that reach nobody.

Every address lies under example.org, example.com or example.net, which RFC 2606 keeps for this purpose.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Given names and family names as their owners write them, each with a spelling for the address.
GIVEN = (
    ("Ada", "ada"), ("Tomasz", "tomasz"), ("Merryn", "merryn"), ("José", "jose"), ("Zoë", "zoe"),
    ("Þóra", "thora"), ("Łucja", "lucja"), ("Jörg", "joerg"), ("Siobhán", "siobhan"), ("Nguyệt", "nguyet"),
    ("Ольга", "olga"), ("Богдан", "bohdan"), ("Ελένη", "eleni"), ("ليلى", "layla"), ("يوسف", "yusuf"),
    ("شیرین", "shirin"), ("נועה", "noa"), ("प्रिया", "priya"), ("অনীক", "anik"), ("தமிழ்", "tamil"),
    ("สมชาย", "somchai"), ("静香", "shizuka"), ("小龙", "xiaolong"), ("민준", "minjun"), ("გიორგი", "giorgi"),
)  # fmt: skip
FAMILY = (
    ("Pask", "pask"), ("O'Hara", "ohara"), ("García Lorente", "garcia"), ("Ødegård", "odegard"),
    ("Müller-Lüdenscheidt", "mueller"), ("Çelik", "celik"), ("Søndergaard", "sondergaard"),
    ("d’Aubigné", "daubigne"),  # noqa: RUF001 - as its owner writes it
)  # fmt: skip
HARBOURS = ("Penmarrow", "Varna", "Husum", "البصرة", "尾道", "Gull Sands", "Reykjavík")
BOATS = ("", "Second Thought", "the “Ebb”", "", "Möwe", "Nine & a Half <knots>", "")
DOMAINS = ("harbour.example.org", "post.example.net", "mail.example.com", "quay.example.org")


class Reader(NamedTuple):
    """One row of subscribers.csv: beside address and name, two attributes."""

    email: str
    name: str
    harbour: str
    boat: str


def readers() -> Iterator[Reader]:
    """Give 200 readers, each given name with each family name; one in nine keeps the name secret."""
    for number, (given, family) in enumerate((g, f) for f in FAMILY for g in GIVEN):
        address = f"{given[1]}.{family[1]}@{DOMAINS[number % len(DOMAINS)]}"
        name = "" if number % 9 == 4 else f"{given[0]} {family[0]}"
        harbour, boat = HARBOURS[number % len(HARBOURS)], BOATS[number % len(BOATS)]
        yield Reader(address, name, harbour, boat)


def write(path: Path) -> None:
    """Write them as CSV in UTF-8, as a spreadsheet would."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(Reader._fields)
        rows.writerows(readers())
