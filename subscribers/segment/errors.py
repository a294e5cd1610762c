"""What is wrong with a segment's text: the words, the place, a caret under it, and what to write instead."""

from __future__ import annotations

from subscribers.errors import SubscribersError

_AROUND = 60  # characters shown before and after the place


class SegmentError(SubscribersError):
    """A segment's text cannot be understood, or asks for what there is not.

    `text` is the whole text, `start` and `end` the place in it, `advice` what to do; `line` counts from 1 within
    the text. str() is the message, the line with a caret below, and the advice: safe to print.
    """

    def __init__(self, message: str, text: str, start: int, end: int, advice: str = "") -> None:
        # One line each: a message may quote a text that has a line end within quotes.
        self.message, self.text, self.advice = _shown(message), text, _shown(advice)
        self.start = max(0, min(start, len(text)))
        self.end = max(self.start, min(end, len(text)))
        self.line = text.count("\n", 0, self.start) + 1
        said = (self.message, *self.pointed(), self.advice and f"    {self.advice}")
        super().__init__("\n".join(filter(None, said)))

    def pointed(self) -> tuple[str, str]:
        """Give the line of the text that the place is on, and a line with carets below the place."""
        begin = self.text.rfind("\n", 0, self.start) + 1
        stop = self.text.find("\n", self.start)
        stop = len(self.text) if stop < 0 else stop
        left, right = max(begin, self.start - _AROUND), min(stop, self.start + _AROUND)
        before = ("…" if left > begin else "") + _shown(self.text[left : self.start])
        word = _shown(self.text[self.start : min(self.end, right)])
        after = _shown(self.text[min(max(self.end, self.start), right) : right])
        rest = "…" if right < stop else ""
        return f"    {before}{word}{after}{rest}", f"    {' ' * _width(before)}{'^' * max(1, _width(word))}"


def _shown(text: str) -> str:
    """Give text that a terminal shows as it is, and that obeys no escape sequence in it."""
    return "".join(char if char.isprintable() else " " if char.isspace() else "�" for char in text)


def _width(text: str) -> int:
    from wcwidth import wcswidth  # noqa: PLC0415 - only a mistake needs it

    width = wcswidth(text)
    return width if width >= 0 else len(text)
