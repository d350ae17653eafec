"""Names found by a spaCy pipeline, for those who install one (`garim[spacy]` and a model of their choice).

Nothing loads it by default: a pipeline takes hundreds of megabytes, is far slower than the rules, and is a
package of its own, which a registry may lack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from garim.masking.infotype import InfoType
from garim.masking.open_names import OpenName
from garim.statements.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garim.masking.normalise import Batch

_PERSON_LABELS = frozenset({InfoType.PERSON.value, "PER", "PS"})


class SpacyNames:
    """Detector that asks a spaCy pipeline for persons; see `OpenNameDetector`.

    Args:
        model: Name of an installed pipeline with an entity recogniser, such as `en_core_web_sm`.

    Raises:
        RefusedError: `OPEN_NAMES_MODEL`: spaCy or the pipeline is not installed.
    """

    def __init__(self, model: str) -> None:
        try:
            import spacy

            self._pipeline = spacy.load(model)
        except (ImportError, OSError):
            raise RefusedError(
                "OPEN_NAMES_MODEL",
                "spaCy or this pipeline is not installed: install garim[spacy] and the pipeline's package",
                field="spacy",
            ) from None

    def detect(self, batch: Batch) -> Iterator[OpenName]:
        """Yield the names in a batch; see `OpenNameDetector`."""
        for index, document in enumerate(self._pipeline.pipe(batch.texts)):
            base = batch.bounds(index)[0]
            for entity in document.ents:
                if entity.label_ in _PERSON_LABELS:
                    low, high = base + entity.start_char, base + entity.end_char
                    yield OpenName(low, high, batch.lowered[low:high])
