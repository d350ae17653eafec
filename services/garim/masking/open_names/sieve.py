"""Which chat texts need no analysis: those of which no word, taken alone, comes near to a name.

Analysing the morphemes of a text is the expensive part, and chat says the same words again and again. So
each word is judged once, alone, and the answer is kept. A text is passed over if none of its words comes
near to a name and nothing stands around them that speaks for one: a title, a bracket, a list, a label. The
bar for a word alone lies under that for a name, since its morphemes may be others among its neighbours:
`test_sieve.py` counts what that costs. What is kept changes the time of an answer and nothing else, and it
is kept by the detector alone, which an attempt to make a dossier has for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from garim.masking.open_names import features, lexicon
from garim.masking.open_names.candidates import WORD

KEPT = 1 << 16
_SPECIAL = re.compile(r"[(·,:\[\"'‘“<《『「]|01\d|\d{6}-|\d\d세")
"""What stands around names: brackets, quotes, lists, labels, numbers of people, ages."""


class Sieve:
    """Tells which texts may hold a name.

    Args:
        likely: Tells of each word, alone, whether it comes near to a name.
        kept: How many words are remembered between calls.
    """

    def __init__(self, likely: Callable[[Sequence[str]], Iterable[bool]], kept: int = KEPT) -> None:
        self._likely = likely
        self._kept = kept
        self._known: dict[str, tuple[bool, bool]] = {}

    def sifted(self, texts: Sequence[str]) -> list[bool]:
        """Tell of each text whether it may hold a name.

        Args:
            texts: Folded texts.
        """
        words = [[] if _SPECIAL.search(text) else WORD.findall(text) for text in texts]
        known = self._known
        fresh = list({word: None for those in words for word in those if word not in known})
        for word, likely in zip(fresh, self._likely(fresh), strict=True):
            known[word] = likely, _is_title(word)
        answers = [
            not those
            or any(known[word][0] for word in those)
            or (len(those) > 1 and any(known[word][1] for word in those))
            for those in words
        ]
        if len(known) > self._kept:
            # The oldest half goes: what people say often is soon back.
            for word in list(islice(known, len(known) - self._kept // 2)):
                del known[word]
        return answers


def _is_title(word: str) -> bool:
    """Tell whether a word says of the one before or behind it that it is somebody's name."""
    titles = lexicon.OFFICES
    before = word in titles or any(word[at:] in titles for at in range(len(word) - 1))
    return before or features.title_at(word, 0) != "" or features.POLITE_BEHIND.match(word) is not None
