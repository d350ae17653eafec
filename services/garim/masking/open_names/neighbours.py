"""The second look: a candidate in the light of what the first look thought of those around it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from garim.masking.open_names.candidates import Candidate

STEPS = 5
_WHOLE = 3
_TINY = 1e-4


def log_odds(probability: float) -> float:
    """Return the logarithm of the odds of a probability, bounded."""
    return math.log((probability + _TINY) / (1 - probability + _TINY))


def look_around(
    text: str, found: Sequence[Candidate], described: Sequence[set[str]], judged: Sequence[float]
) -> list[set[str]]:
    """Return each candidate's features with those that its neighbours add.

    Args:
        text: The folded text.
        found: Its candidates.
        described: Their features.
        judged: The probabilities of the first look.
    """
    begins: dict[int, float] = {}
    ends: dict[int, float] = {}
    for one, probability in zip(found, judged, strict=True):
        begins[one.start] = max(begins.get(one.start, 0.0), probability)
        ends[one.end] = max(ends.get(one.end, 0.0), probability)
    looked = []
    for at, (one, holding) in enumerate(zip(found, described, strict=True)):
        behind = begins.get(one.end + 1, 0.0) if text[one.end : one.end + 1] in {" ", "·"} else 0.0
        before = ends.get(one.start - 1, 0.0) if one.start and text[one.start - 1] in " ·" else 0.0
        steps = {"behind": behind, "before": before, **_overlapping(at, found, judged)}
        added = {f"{place}~{step(value)}" for place, value in steps.items()}
        if "foreign" in holding:
            added |= {f"foreign&{place}~{step(steps[place])}" for place in ("behind", "before")}
        looked.append(holding | added)
    return looked


def agree(text: str, found: Sequence[Candidate], judged: Sequence[float]) -> list[float]:
    """Return probabilities under which a name that is sure in one place is a name wherever it stands.

    Args:
        text: The folded text.
        found: Its candidates.
        judged: The probabilities of the second look.
    """
    best: dict[str, float] = {}
    words = [text[one.start : one.end] for one in found]
    for word, likely in zip(words, judged, strict=True):
        best[word] = max(best.get(word, 0.0), likely)
    return [best[word] if len(word) >= _WHOLE else likely for word, likely in zip(words, judged, strict=True)]


def step(probability: float) -> int:
    """Return which of `STEPS` a probability under 1 lies on."""
    return int(probability * STEPS)


def _overlapping(at: int, found: Sequence[Candidate], judged: Sequence[float]) -> dict[str, float]:
    """Return how likely the best candidates inside and around this one are: all of them in its word."""
    one = found[at]
    inner = outer = 0.0
    for place in itertools.chain(
        itertools.takewhile(lambda place: found[place].word_end == one.word_end, range(at - 1, -1, -1)),
        itertools.takewhile(lambda place: found[place].word_end == one.word_end, range(at + 1, len(found))),
    ):
        other = found[place]
        if one.start <= other.start and other.end <= one.end:
            inner = max(inner, judged[place])
        elif other.start <= one.start and one.end <= other.end:
            outer = max(outer, judged[place])
    return {"inner": inner, "outer": outer}
