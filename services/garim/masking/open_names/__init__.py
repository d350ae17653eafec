"""People who are in no roster: the seam for detectors, and those for Korean and English.

`KoreanNames` cuts words with kiwipiepy, takes every stretch that could be a name as a candidate, describes
each by plain features (its shape, what stands before and behind it) and judges it by a linear model whose
weights and thresholds were fitted on the development gold sets alone (`tests/bench/fit_open_names.py`).
Read in this order: `morphemes`, `lexicon`, `candidates`, `features`, `neighbours`, `sieve`, `korean_names`.

`EnglishNames` goes by rules over words with capitals (`lexicon_en`, `english_names`); `SpacyNames` asks a
pipeline that somebody installed; `EveryName` joins them.

Invariants: what is found in a text depends on that text alone; the same text gives the same names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garim.masking.normalise import Batch


@dataclass(frozen=True, slots=True)
class OpenName:
    """A name that stands in no roster.

    Args:
        start: First code point in `Batch.lowered`.
        end: Code point behind the last.
        name: The canonical, folded name.
    """

    start: int
    end: int
    name: str


class OpenNameDetector(Protocol):
    """Finds names of people who are in no roster."""

    def detect(self, batch: Batch) -> Iterator[OpenName]:
        """Yield the names in a batch; they may overlap each other and known names.

        Args:
            batch: The texts.
        """
        ...
