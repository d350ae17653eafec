"""Korean words cut into morphemes by kiwipiepy, with the offsets of the text."""

from __future__ import annotations

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
    # Loading takes about a second and several hundred megabytes: one for each process, when first needed.
    from kiwipiepy import Kiwi

    return Kiwi(num_workers=1)


def cut(texts: Sequence[str]) -> list[list[Morpheme]]:
    """Return the morphemes of each text, in order.

    Args:
        texts: Folded texts.
    """
    return [
        [Morpheme(token.start, token.start + token.len, token.tag.partition("-")[0]) for token in tokens]
        for tokens in _analyser().tokenize(texts)
    ]
