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
_ODD_BYTES = re2.compile(_ODD_CLASS)
_ODD = re.compile(_ODD_CLASS)
_DROPPED = re.compile(f"[{_INVISIBLE}\ufe00-\ufe0f\u20e3]")
_DASH = re.compile(f"[{_DASHES}]")
_SPACE = re.compile(f"[{_SPACES}]")
_CLUSTER = re.compile(
    "[\u1100-\u115e][\u1161-\u11a7][\u11a8-\u11ff]?"
    "|[\uac00-\ud7a3][\u11a8-\u11ff]"
    f"|[^{_INVISIBLE}][{_MARKS}]+"
    "|.",
    re.DOTALL,
)


def _fold_cluster(cluster: str) -> str:
    kept = _DROPPED.sub("", cluster)
    if not kept or not _ODD.search(kept):
        return kept
    folded = unicodedata.normalize("NFKC", kept).translate(_LOOK_ALIKE)
    if len(kept) == 1 and kept.isdigit() and not folded.isascii():
        return str(unicodedata.digit(kept))
    return "i" if folded == "\u0130" else _SPACE.sub(" ", _DASH.sub("-", folded))


def fold(text: str) -> str:
    """Return `text` normalised and lower-case, as the engine compares it."""
    if text.isascii():
        return text.lower()
    return "".join(_fold_cluster(cluster) for cluster in _CLUSTER.findall(text)).lower()


def _fold_with_origins(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the folded text, and for each of its characters the stretch of `text` it stands for."""
    parts: list[str] = []
    origins: list[tuple[int, int]] = []
    for match in _CLUSTER.finditer(text):
        folded = _fold_cluster(match[0])
        parts.append(folded)
        origins.extend([match.span()] * len(folded))
    return "".join(parts), origins


class Batch:
    """Texts joined for one pass over all of them.

    Args:
        texts: The texts, as they were written.

    Attributes:
        plain: All texts, folded but in their case, each between separators.
        lowered: The same in lower case; equally long.
        data: `lowered` in UTF-8.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._origins: dict[int, list[tuple[int, int]]] = {}
        joined = SEPARATOR + SEPARATOR.join(texts) + SEPARATOR
        if not joined.isascii() and _ODD_BYTES.search(joined.encode("utf-8", "surrogatepass")):
            texts = [self._folded(index, text) for index, text in enumerate(texts)]
            joined = SEPARATOR + SEPARATOR.join(texts) + SEPARATOR
        self.plain = joined
        self.lowered = joined.lower()
        self.data = self.lowered.encode("utf-8", "surrogatepass")
        self._starts = list(itertools.accumulate(map(len, texts), lambda at, size: at + size + 1, initial=1))
        self.count = len(texts)

    def _folded(self, index: int, text: str) -> str:
        if text.isascii() or not _ODD.search(text):
            return text
        folded, self._origins[index] = _fold_with_origins(text)
        return folded

    def code_points(self, offsets: Iterable[int]) -> dict[int, int]:
        """Map byte offsets of `data` to code point offsets of `lowered`.

        Args:
            offsets: Byte offsets, each at the start of a character.
        """
        if len(self.data) == len(self.lowered):
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

    def texts(self) -> list[str]:
        """Return the folded texts, in their case."""
        return [self.plain[self._starts[i] : self._starts[i + 1] - 1] for i in range(self.count)]

    def original(self, index: int, start: int, end: int) -> tuple[int, int]:
        """Return the stretch of text `index` as it was given.

        Args:
            index: Which text.
            start: First code point of a stretch of `lowered`.
            end: Code point behind it; the stretch is not empty.
        """
        base = self._starts[index]
        origins = self._origins.get(index)
        if origins is None:
            return start - base, end - base
        return origins[start - base][0], origins[end - 1 - base][1]
