"""What stands in a zone: shapes, then check digits, context words and libraries that confirm them.

A recogniser is a shape and a judge. The judge sees the match in its text and returns the kind and the
canonical value, or None. Recognisers are tried in order; a later one takes no character of an earlier.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from garim.masking import addresses, identifiers, numbers
from garim.masking.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garim.masking.infotype import InfoType
    from garim.masking.normalise import Batch

    Judge = Callable[[re.Match[str], str, str], tuple[InfoType, str] | None]
    Recogniser = tuple[re.Pattern[str], Judge]

CONTEXT_BEFORE = 40
CONTEXT_AFTER = 16
_BEFORE_ZONE = 4
_BEYOND_ZONE = 80
"""A value may begin in a zone and end behind it: of an address, a zone holds the beginning."""

_LETTER = re.compile("[a-z가-힣]")
_SYLLABLE = re.compile("[가-힣]")


def classify(batch: Batch, start: int, end: int) -> list[Finding]:
    """Return the findings of one zone, sorted, with offsets of `batch.lowered`.

    Args:
        batch: The texts.
        start: First code point of the zone in `batch.lowered`.
        end: Code point behind it.
    """
    text_start, text_end = batch.bounds(batch.text_at(start))
    lowered = batch.lowered
    limit = min(end + _BEYOND_ZONE, text_end)
    found: list[Finding] = []
    for shape, judge in _fitting(lowered[start:end]):
        for match in shape.finditer(lowered, max(text_start, start - _BEFORE_ZONE), limit):
            low, high = _trimmed(lowered, *match.span("v"))
            if (
                match.start() >= end
                or high <= start
                or any(low < other.end and other.start < high for other in found)
            ):
                continue
            before = lowered[max(text_start, low - CONTEXT_BEFORE) : low]
            after = lowered[high : min(high + CONTEXT_AFTER, text_end)]
            judged = judge(match, before, after)
            if judged is not None:
                found.append(Finding(low, high, judged[0], judged[1], None))
    return sorted(found, key=lambda finding: finding.start)


def _fitting(zone: str) -> Iterator[Recogniser]:
    """Yield the recognisers that a zone's characters allow, in the order of their claims."""
    if "@" in zone:
        yield from identifiers.AT
    if "/" in zone:
        yield from identifiers.LINK
    if ":" in zone or zone.count("-") >= 5:
        yield from identifiers.COLONS
    if _LETTER.search(zone):
        yield from identifiers.LETTERS
    if any(map(str.isdecimal, zone)):
        yield from identifiers.DIGITS
        yield from numbers.DIGITS
        yield from addresses.POSTCODES
    if _SYLLABLE.search(zone):
        yield from addresses.KOREAN


def _trimmed(text: str, low: int, high: int) -> tuple[int, int]:
    """Leave out an opening bracket that no bracket closes within the match."""
    while text[low] == "(" and ")" not in text[low:high]:
        low += 1
    return low, high
