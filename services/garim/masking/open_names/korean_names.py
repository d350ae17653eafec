"""Names in Korean texts, by a linear model over the features of every stretch that could be one."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources

from garim.masking import korean
from garim.masking.normalise import Batch
from garim.masking.open_names import OpenName
from garim.masking.open_names.candidates import Candidate, candidates
from garim.masking.open_names.features import features, register_of
from garim.masking.open_names.morphemes import cut
from garim.masking.open_names.neighbours import agree, log_odds, look_around

_PART = 500
FIRST_LOOK = "first look"
"""Feature of the second look: the log-odds of the first."""


@cache
def weights() -> dict[str, dict[str, float]]:
    """Return the fitted numbers: weights of `first` and `second` look, `thresholds` by register."""
    text = resources.files("garim.masking.open_names").joinpath("weights.json").read_text("utf-8")
    return {str(part): dict(values) for part, values in json.loads(text).items()}


def probability(holding: Iterable[str], weighted: dict[str, float], start: float = 0.0) -> float:
    """Return the probability of a candidate whose features hold.

    Args:
        holding: Names of features; one without a weight counts nothing.
        weighted: Weight of each feature.
        start: What else counts, in log-odds.
    """
    return 1 / (
        1 + math.exp(-max(-30.0, min(30.0, start + sum(weighted.get(name, 0.0) for name in holding))))
    )


def judge(
    text: str, found: Sequence[Candidate], register: str, fitted: dict[str, dict[str, float]]
) -> list[float]:
    """Return the probability of each candidate of a text.

    Args:
        text: The folded text.
        found: Its candidates.
        register: From `register_of`.
        fitted: As `weights` returns them.
    """
    described = [features(text, one, register) for one in found]
    judged = [probability(holding, fitted["first"]) for holding in described]
    carry = fitted["second"][FIRST_LOOK]
    looked = look_around(text, found, described, judged)
    again = [
        probability(holding, fitted["second"], carry * log_odds(first))
        for holding, first in zip(looked, judged, strict=True)
    ]
    return agree(text, found, again)


def choose(found: Sequence[Candidate], judged: Sequence[float], threshold: float) -> Iterator[Candidate]:
    """Yield the best candidates without overlap whose probability reaches the threshold."""
    taken: set[int] = set()
    ranked = sorted(zip(judged, found, strict=True), key=lambda pair: (-pair[0], pair[1].start, pair[1].end))
    for _, one in itertools.takewhile(lambda pair: pair[0] >= threshold, ranked):
        stretch = range(one.start, one.end)
        if taken.isdisjoint(stretch):
            taken.update(stretch)
            yield one


class KoreanNames:
    """Detector of names in Korean texts; see `OpenNameDetector`."""

    def detect(self, batch: Batch) -> Iterator[OpenName]:
        """Yield the names in a batch; see `OpenNameDetector`."""
        parts = [
            (batch.bounds(index)[0] + at, part, register_of(text))
            for index, text in enumerate(batch.texts)
            for at, part in _parts(text)
            if any(map(korean.is_syllable, part))
        ]
        cuts = cut([part for _, part, _ in parts])
        for (base, part, register), morphemes in zip(parts, cuts, strict=True):
            found = list(candidates(part, morphemes))
            judged = judge(part, found, register, weights())
            for one in choose(found, judged, weights()["thresholds"][register]):
                low, high = base + one.start, base + one.end
                yield OpenName(low, high, batch.lowered[low:high])


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Cut a long text at spaces, so that the work grows with its length and no faster."""
    at = 0
    while len(text) - at > _PART:
        end = max(text.rfind(" ", at, at + _PART), text.rfind("\n", at, at + _PART)) + 1
        end = end if end > at else at + _PART
        yield at, text[at:end]
        at = end
    yield at, text[at:]
