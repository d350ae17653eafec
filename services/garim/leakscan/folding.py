"""Texts as they read, whatever characters spell them: the scan's own folding, with the way back."""

from __future__ import annotations

import bisect
import itertools
import re
import unicodedata
from collections.abc import Sequence

BLANK = "\x01"
"""Stands for every character of a pseudonym."""
BREAK = "\x02"
"""Stands between texts."""
_USUAL = re.compile(r"[\x00-\x7f가-힣ㄱ-ㅎㅏ-ㅣ…·~“”‘’]*")
_CLUSTER = re.compile(r".[\u0300-\u036f\u1160-\u11ff\u20d0-\u20ff\ufe00-\ufe0f]*", re.DOTALL)
_GONE = frozenset({"Cf", "Mn", "Me"})
_FILLERS = "\u115f\u1160\u3164\uffa0"
_DASH = "Pd"
_LATIN_TWINS = {
    **dict(zip("аеорсухіјѕһԁԛԝкмтвн", "aeopcyxijshdqwkmtbh", strict=True)),
    **dict(zip("αεικνορτυχ", "aeiknoptux", strict=True)),
}
"""Small Cyrillic and Greek letters that are drawn like Latin ones."""


def fold(text: str) -> tuple[str, list[tuple[int, int]] | None]:
    """Return `text` in lower case and one spelling, with the origin of each character where offsets moved.

    Args:
        text: As it was written.
    """
    if _USUAL.fullmatch(text):
        return text.lower(), None
    parts: list[str] = []
    origins: list[tuple[int, int]] = []
    latin = any("a" <= one <= "z" or one.isdecimal() for one in text.lower())
    for cluster in _CLUSTER.finditer(text):
        kept = _folded(cluster[0], latin)
        parts.append(kept)
        origins.extend([cluster.span()] * len(kept))
    return "".join(parts), origins


def _folded(cluster: str, latin: bool) -> str:
    if cluster.isascii():
        return cluster.lower()
    composed = unicodedata.normalize("NFKC", cluster).lower()
    kept = [one for one in composed if unicodedata.category(one) not in _GONE and one not in _FILLERS]
    return "".join(_plain(one, latin) for one in kept)


def _plain(one: str, latin: bool) -> str:
    """Return the ASCII character that a digit, a dash or, among Latin letters, a look-alike reads as."""
    if one.isascii() or "가" <= one <= "힣":
        return one
    digit = unicodedata.digit(one, None)
    if digit is not None:
        return str(digit)
    if unicodedata.category(one) == _DASH:
        return "-"
    return _LATIN_TWINS.get(one, one) if latin else one


class View:
    """Texts folded and joined for one pass, with the way back to their offsets.

    Args:
        texts: The texts.

    Attributes:
        text: All of them, each between breaks.
        folded: Each by itself.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        both = [fold(text) for text in texts]
        self.folded = [folded for folded, _ in both]
        self.text = BREAK + BREAK.join(self.folded) + BREAK
        self._origins = [origins for _, origins in both]
        self.starts = list(itertools.accumulate((len(one) + 1 for one in self.folded), initial=1))

    def index(self, at: int) -> int:
        """Return which text holds a character of `text`."""
        return bisect.bisect_right(self.starts, at) - 1

    def place(self, index: int, start: int, end: int) -> tuple[int, int]:
        """Return a stretch of one folded text as offsets of that text as it was given.

        Args:
            index: Which text.
            start: First character in its folded form.
            end: Character behind the last.
        """
        origins = self._origins[index]
        if origins is None:
            return start, end
        return origins[start][0], origins[end - 1][1]
