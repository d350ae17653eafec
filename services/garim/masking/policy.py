"""What an operator lets the engine mask."""

from __future__ import annotations

from dataclasses import dataclass

from garim.masking.infotype import InfoType


@dataclass(frozen=True, slots=True)
class MaskingPolicy:
    """What is masked.

    Args:
        types: The kinds of values that are masked.
        open_names: True masks people in no roster too, with the engine's detector of open names.
    """

    types: frozenset[InfoType] = frozenset(InfoType)
    open_names: bool = True


DEFAULT_POLICY = MaskingPolicy()
