"""Many texts as one normalised, lower-case string of bytes, and the way back to their offsets.

Chat writes one thing in many ways: decomposed jamo, full-width and circled digits, invisible
characters, dashes of every kind. They are folded here, and only where they occur; a text without any
of them is taken as it is, with the same offsets.
"""

from __future__ import annotations

import bisect
import itertools
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

import re2

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SEPARATOR = "\x00"
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u2064\u206a-\u206f\u3164\ufeff"
)
_MARKS = "\u0300-\u034e\u0350-\u036f\ufe00-\ufe0f\u20e3"
_JAMO = "\u1100-\u115e\u1161-\u11ff"
_DASHES = "\u2010-\u2015\u2043\u2212"
_SPACES = "\u00a0\u2000-\u200a\u202f\u205f\u3000"
_COMPATIBLE = (
    "\uff00-\uffef\u2460-\u249b\u24b6-\u24ff\u2776-\u2793\u00b2\u00b3\u00b9\u2070-\u2089"
    "\u0660-\u0669\u06f0-\u06f9\U0001d400-\U0001d7ff"
)
_LOOK_ALIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТУХасеіјорѕухԁһԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧον", "ABESIJKMHOPCTYXaceijopsyxdhqwABEZHIKMNOPTYXov"
)
"""Cyrillic and Greek letters that look like Latin ones."""
_LOOKING_ALIKE = "".join(map(chr, _LOOK_ALIKE))
_ODD_CLASS = f"[{_LOOKING_ALIKE}{_INVISIBLE}{_MARKS}{_JAMO}{_DASHES}{_SPACES}{_COMPATIBLE}\u0130]"
_CAPITAL = r"\p{Lu}\p{Lt}\x{2160}-\x{216f}\x{24b6}-\x{24cf}"
"""What `str.lower` changes; in lower-case bytes, what `bytes.lower` left."""
_DRAWN_DASHES = "ㅡー一"
"""Letters that people type for a dash: one only between digits."""
_SPECIAL_BYTES = re2.compile(f"(?:[{_ODD_CLASS[1:-1]}{_CAPITAL}]|[0-9][{_DRAWN_DASHES}][0-9])" + r"[^\x00]*")
"""In lower-case bytes, from a text's first odd or capital character to its end: one match a text."""
_ODD = re.compile(_ODD_CLASS)
_DRAWN_DASH = rf"(?<=\d)[{_DRAWN_DASHES}](?=\d)"
_FOLDED = re.compile(f"{_ODD_CLASS}|{_DRAWN_DASH}")
_DROPPED = re.compile(f"[{_INVISIBLE}\ufe00-\ufe0f\u20e3]")
_DASH = re.compile(f"[{_DASHES}]")
_SPACE = re.compile(f"[{_SPACES}]")
_CLUSTER = re.compile(
    "[\u1100-\u115e][\u1161-\u11a7][\u11a8-\u11ff]?"
    "|[\uac00-\ud7a3][\u11a8-\u11ff]"
    f"|[^{_INVISIBLE}][{_MARKS}]+"
    f"|{_ODD_CLASS}|{_DRAWN_DASH}"
)
"""What is folded as one; every other character stays as it is."""


@lru_cache(maxsize=4096)
def _fold_cluster(cluster: str) -> str:
    if cluster in _DRAWN_DASHES:
        return "-"
    kept = _DROPPED.sub("", cluster)
    if not kept or not _ODD.search(kept):
        return kept
    folded = unicodedata.normalize("NFKC", kept).translate(_LOOK_ALIKE)
    if len(kept) == 1 and kept.isdigit() and not folded.isascii():
        return str(unicodedata.digit(kept))
    return "i" if folded == "\u0130" else _SPACE.sub(" ", _DASH.sub("-", folded))


def _in_case(text: str) -> str:
    return _CLUSTER.sub(lambda match: _fold_cluster(match[0]), text)


def fold(text: str) -> str:
    """Return `text` normalised and lower-case, as the engine compares it."""
    return text.lower() if text.isascii() else _in_case(text).lower()


def _origins(text: str) -> list[tuple[int, int]]:
    """Return for each character of the folded text the stretch of `text` it stands for."""
    origins: list[tuple[int, int]] = []
    at = 0
    for match in _CLUSTER.finditer(text):
        low, high = match.span()
        origins.extend((place, place + 1) for place in range(at, low))
        origins.extend([(low, high)] * len(_fold_cluster(match[0])))
        at = high
    origins.extend((place, place + 1) for place in range(at, len(text)))
    return origins


class Batch:
    """Texts joined for one pass over all of them.

    Args:
        texts: The texts, as they were written.

    Attributes:
        texts: The texts, folded but in their case.
        lowered: All of them in lower case, each between separators.
        data: `lowered` in UTF-8.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self._odd: dict[int, str] = {}
        self._origins: dict[int, list[tuple[int, int]]] = {}
        self._join(texts)
        if len(self.data) != self._size and (special := self._special_texts()):
            folded, lowered = list(texts), list(texts)
            for index in special:
                if _FOLDED.search(texts[index]):
                    self._odd[index] = texts[index]
                    folded[index] = _in_case(texts[index])
                lowered[index] = folded[index].lower()
            self.texts = folded
            self._join(lowered)
        self.lowered = self.data.decode("utf-8", "surrogatepass")

    def _join(self, texts: Sequence[str]) -> None:
        joined = SEPARATOR + SEPARATOR.join(texts) + SEPARATOR
        self._size = len(joined)
        # This is all of lower case that ASCII knows; other capital letters make a text special.
        self.data = joined.encode("utf-8", "surrogatepass").lower()
        self._starts = list(itertools.accumulate(map((1).__add__, map(len, texts)), initial=1))

    def _special_texts(self) -> set[int]:
        """Return which texts hold a character that is folded, or a capital letter outside ASCII."""
        hits = [match.start() for match in _SPECIAL_BYTES.finditer(self.data)]
        return {self.text_at(point) for point in self.code_points(hits).values()}

    def code_points(self, offsets: Iterable[int]) -> dict[int, int]:
        """Map byte offsets of `data` to code point offsets of `lowered`.

        Args:
            offsets: Byte offsets, each at the start of a character.
        """
        if len(self.data) == self._size:
            return {offset: offset for offset in offsets}
        found: dict[int, int] = {}
        at_byte = at_point = 0
        for offset in sorted(set(offsets)):
            at_point += len(self.data[at_byte:offset].decode("utf-8", "surrogatepass"))
            at_byte = offset
            found[offset] = at_point
        return found

    def text_at(self, point: int) -> int:
        """Return the index of the text that holds the code point `point` of `lowered`."""
        return bisect.bisect_right(self._starts, point) - 1

    def bounds(self, index: int) -> tuple[int, int]:
        """Return where text `index` begins and ends in `lowered`."""
        return self._starts[index], self._starts[index + 1] - 1

    def original(self, index: int, start: int, end: int) -> tuple[int, int]:
        """Return the stretch of text `index` as it was given.

        Args:
            index: Which text.
            start: First code point of a stretch of `lowered`.
            end: Code point behind it; the stretch is not empty.
        """
        base = self._starts[index]
        if index not in self._odd:
            return start - base, end - base
        origins = self._origins.get(index)
        if origins is None:
            origins = self._origins[index] = _origins(self._odd[index])
        return origins[start - base][0], origins[end - 1 - base][1]
