"""Korean words cut into morphemes by kiwipiepy, with the offsets of the text."""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kiwipiepy import Kiwi


class Morpheme(NamedTuple):
    """One morpheme.

    Args:
        start: First code point in the text.
        end: Code point behind the last; equal to `start` where it is fused into its neighbour.
        tag: Part of speech in the Sejong tag set, without kiwipiepy's marks of irregular verbs.
    """

    start: int
    end: int
    tag: str


@cache
def _analyser() -> Kiwi:
    # Loading takes seconds and several hundred megabytes: once, when first needed; what is forked shares it.
    from kiwipiepy import Kiwi

    with warnings.catch_warnings():
        # Without threads of its own it can be forked; that this was meant otherwise once is warned of.
        warnings.simplefilter("ignore", DeprecationWarning)
        return Kiwi(num_workers=0)


def load() -> None:
    """Load the analyser now, so that processes forked from this one share its memory."""
    # It makes itself ready at its first text.
    _analyser().tokenize("가")


def cut(texts: Sequence[str]) -> list[list[Morpheme]]:
    """Return the morphemes of each text, in order.

    Args:
        texts: Folded texts.
    """
    return [
        [Morpheme(token.start, token.start + token.len, token.tag.partition("-")[0]) for token in tokens]
        for tokens in map(_analyser().tokenize, texts)
    ]
