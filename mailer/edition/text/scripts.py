"""What the scripts of the world ask of a line's end: the short form of UAX 14 and of Japanese kinsoku.

Between ideographs a line may end anywhere, but no closing mark begins a line and no opening mark ends one.
Hangul has spaces, so it breaks at them alone; scripts that need a dictionary to break (Thai, Lao, Khmer,
Burmese) break at spaces and at U+200B, which their authors set for that.
"""

# ruff: noqa: RUF001 - the characters that look like ASCII are the ones that are meant

from __future__ import annotations

import re

IDEOGRAPHIC = (
    "\u2e80-\u312f\u31a0-\u4dbf\u4e00-\ua4cf\uf900-\ufaff\uff01-\uff60\uffe0-\uffe6\U00020000-\U0003ffff"
)
NEVER_FIRST = frozenset(
    "、。，．・：；？！）］｝〕〉》」』】〙〗〟’”｠»›‐‑–—…‥ー〜～々〻ヽヾゝゞ％‰℃°¢,.!?:;)]}%"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ",
)
NEVER_LAST = frozenset("（［｛〔〈《「『【〘〖〝‘“｟«‹￥＄￡＃$£¥#([{")
STICKY = frozenset("\"'*_~`/\\|@&+=-")

_RUNNING = re.compile(f"[{IDEOGRAPHIC}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


def runs_together(character: str) -> bool:
    """Say whether words of this character's script are written without spaces between them."""
    return _RUNNING.match(character) is not None
