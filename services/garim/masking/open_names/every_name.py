"""Several detectors as one: those for Korean and for English, and others that an operator adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garim.masking.open_names.english_names import EnglishNames
from garim.masking.open_names.korean_names import KoreanNames

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garim.masking.normalise import Batch
    from garim.masking.open_names import OpenName, OpenNameDetector


class EveryName:
    """Detector of all that its parts find; see `OpenNameDetector`.

    Args:
        more: Detectors beside those for Korean and for English.
    """

    def __init__(self, *more: OpenNameDetector) -> None:
        self._parts: tuple[OpenNameDetector, ...] = (KoreanNames(), EnglishNames(), *more)

    def detect(self, batch: Batch) -> Iterator[OpenName]:
        """Yield the names in a batch; see `OpenNameDetector`."""
        for part in self._parts:
            yield from part.detect(batch)
