"""What stands in a zone: shapes, then check digits, context words and libraries that confirm them.

A recogniser is a shape and a judge. The judge sees the match in its text and returns the kind and the
canonical value, or None. Recognisers are tried in order; a later one takes no character of an earlier.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from garim.masking import addresses, identifiers, numbers
from garim.masking.finding import Finding

if TYPE_CHECKING:
    from garim.masking.normalise import Batch
    from garim.masking.recogniser import Recogniser

CONTEXT_BEFORE = 40
CONTEXT_AFTER = 16
_BEFORE_ZONE = 4
_BEYOND_ADDRESS = 80
_BEYOND_ZONE = 32
"""A value may begin in a zone and end behind it: of an address, a zone holds the beginning."""
_DIGIT = re.compile(r"\d")
_LETTER = re.compile("[a-z가-힣]")
_RUN = re.compile(r"[\d \t().\-/·_~,+]*")
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
    zone = lowered[start:end]
    beyond = _BEYOND_ADDRESS if _SYLLABLE.search(zone) else _BEYOND_ZONE
    first, limit = max(text_start, start - _BEFORE_ZONE), min(end + beyond, text_end)
    run = _RUN.match(lowered, end, limit)
    digits = len(_DIGIT.findall(lowered, first, run.end() if run else end))
    near = lowered[max(text_start, first - CONTEXT_BEFORE) : limit + CONTEXT_AFTER]
    plain = near.isascii()
    found: list[Finding] = []
    for shape, judge, _, words in _fitting(_characters(zone), min(digits, _MANY_DIGITS), plain):
        if plain and words is not None and not _holds(near, words):
            continue
        for match in shape.finditer(lowered, first, limit):
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


def _holds(text: str, words: tuple[str, ...]) -> bool:
    # A loop: this runs for every zone, and a generator costs as much as the search.
    for word in words:  # noqa: SIM110 - see above
        if word in text:
            return True
    return False


def _characters(zone: str) -> int:
    """Return which characters a zone holds: a bit for each of @, slash, colon, letter, digit, syllable."""
    return (
        ("@" in zone)
        | ("/" in zone) << 1
        | (":" in zone or zone.count("-") >= 3) << 2
        | (_LETTER.search(zone) is not None) << 3
        | (_DIGIT.search(zone) is not None) << 4
        | (_SYLLABLE.search(zone) is not None) << 5
    )


@cache
def _fitting(characters: int, digits: int, plain: bool) -> tuple[Recogniser, ...]:
    """Return the recognisers that a zone's characters allow, in the order of their claims."""
    allowed: list[Recogniser] = []
    for place, recognisers in enumerate(_BY_CHARACTER):
        if characters >> place & 1:
            allowed.extend(recognisers)
    return tuple(one for one in allowed if digits >= one.digits and not (plain and one.words == ()))


_BY_CHARACTER: tuple[tuple[Recogniser, ...], ...] = (
    identifiers.AT,
    identifiers.LINK,
    identifiers.COLONS,
    identifiers.LETTERS,
    (*identifiers.DIGITS, *numbers.DIGITS, *addresses.POSTCODES),
    addresses.KOREAN,
)
_MANY_DIGITS = 20
"""More than any recogniser asks for."""


def _trimmed(text: str, low: int, high: int) -> tuple[int, int]:
    """Leave out an opening bracket that no bracket closes within the match."""
    while text[low] == "(" and ")" not in text[low:high]:
        low += 1
    return low, high
