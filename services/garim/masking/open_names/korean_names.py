"""Names in Korean texts, by a linear model over the features of every stretch that could be one."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources

from garim.masking import korean
from garim.masking.normalise import Batch
from garim.masking.open_names import OpenName
from garim.masking.open_names.candidates import Candidate, candidates
from garim.masking.open_names.features import features, register_of
from garim.masking.open_names.morphemes import Morpheme, cut
from garim.masking.open_names.neighbours import STEPS, agree, log_odds, look_around
from garim.masking.open_names.sieve import Sieve

_PART = 500
FIRST_LOOK = "first look"
"""Feature of the second look: the log-odds of the first."""


_SYLLABLE = re.compile("[가-힣]")
_SIEVED = "chat"
"""Elsewhere the threshold is so low that most texts could hold a name."""
_NEAR = 0.1
_NEAR_IF_PROPER = 0.6
_NEAR_AT_FIRST = 1 / STEPS
_FAR_AT_FIRST = 0.01
"""How likely a word alone must be for its text to be analysed; shaped like a full name, if it were a proper
noun, which it may be only among its neighbours; at first look, from where it counts for its neighbours, and
up to where a second look is not worth it."""


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
    score = start + sum([weighted.get(name, 0.0) for name in holding])
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


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
    first = [probability(holding, fitted["first"]) for holding in described]
    return agree(text, found, _again(text, found, described, first, fitted["second"]))


def _again(
    text: str,
    found: Sequence[Candidate],
    described: Sequence[set[str]],
    first: Sequence[float],
    weighted: dict[str, float],
) -> list[float]:
    """Return the probabilities of the second look."""
    carry = weighted[FIRST_LOOK]
    return [
        probability(holding, weighted, carry * log_odds(one))
        for holding, one in zip(look_around(text, found, described, first), first, strict=True)
    ]


def near_names(words: Sequence[str]) -> Iterator[bool]:
    """Tell of each word, alone in a chat text, whether it comes near to a name.

    Args:
        words: Folded words.
    """
    head = "- "
    for word, morphemes in zip(words, cut(words), strict=True):
        text = f"{head}{word} -"
        shifted = [Morpheme(one.start + len(head), one.end + len(head), one.tag) for one in morphemes]
        found = [one for one in candidates(text, shifted) if _could_be(text, one)]
        yield _near(text, found) or _near_if_proper(text, found)


def _could_be(text: str, one: Candidate) -> bool:
    """Tell whether a word's candidate is worth a description: a proper noun, or begun by a surname."""
    return "NNP" in one.tags or text[one.start] in korean.SURNAMES


def _near(text: str, found: Sequence[Candidate]) -> bool:
    described = [features(text, one, _SIEVED) for one in found]
    first = [probability(holding, weights()["first"]) for holding in described]
    likeliest = max(first, default=0.0)
    if likeliest < _FAR_AT_FIRST or likeliest >= _NEAR_AT_FIRST:
        return likeliest >= _NEAR_AT_FIRST
    return max(_again(text, found, described, first, weights()["second"])) >= _NEAR


def _near_if_proper(text: str, found: Iterable[Candidate]) -> bool:
    named = [
        Candidate(one.start, one.end, one.word_end, one.before, ("NNP",), (one.end - one.start,))
        for one in found
        if korean.split_name(text[one.start : one.end]) is not None
    ]
    return max(judge(text, named, _SIEVED, weights()), default=0.0) >= _NEAR_IF_PROPER


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
    """Detector of names in Korean texts; see `OpenNameDetector`.

    Args:
        sieve: Tells which chat texts are analysed.
    """

    def __init__(self, sieve: Sieve | None = None) -> None:
        self._sieve = sieve or Sieve(near_names)

    def detect(self, batch: Batch) -> Iterator[OpenName]:
        """Yield the names in a batch; see `OpenNameDetector`."""
        parts = [
            (batch.bounds(index)[0] + at, part, register)
            for index, text in enumerate(batch.texts)
            if _SYLLABLE.search(text)
            for register in (register_of(text),)
            for at, part in _parts(text)
            if _SYLLABLE.search(part)
        ]
        chat = [part for _, part, register in parts if register == _SIEVED]
        sifted = iter(self._sieve.sifted(chat))
        parts = [one for one in parts if one[2] != _SIEVED or next(sifted)]
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
