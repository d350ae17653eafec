"""What a recogniser is: a shape, its judge, and what must be there for the shape to be worth a look."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from garim.masking.infotype import InfoType

Judge = Callable[[re.Match[str], str, str], tuple[InfoType, str] | None]
"""Sees the match, the text before and behind it; returns the kind and the canonical value, or None."""


class Recogniser(NamedTuple):
    """A kind of value.

    Args:
        shape: Its shapes; group `v` holds the value.
        judge: Confirms a match.
        digits: How many digits a match has at least, before anything that ends a run of digits.
        words: In a neighbourhood of nothing but ASCII, one of these confirms it; None where none is needed.
    """

    shape: re.Pattern[str]
    judge: Judge
    digits: int = 0
    words: tuple[str, ...] | None = None
