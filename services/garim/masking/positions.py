"""Common words that are somebody's nick: found only where their position says that a person is meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import re2

from garim.masking import korean, words_en

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garim.masking.forms import Form
    from garim.masking.normalise import Batch

_GREETING = "thanks|thank you|thx|ty|hi|hello|hey|ping|cheers|sorry|bye|welcome|poke"
_LINE_START = r"[\x00\n][ \t\"'(\[@]{0,3}"
_AT_LINE_START, _GREETED, _ANYWHERE = 1, 5, 6
"""Numbers of the groups in the alternation: at a line's start, behind a greeting, anywhere (Korean)."""
_NICK_CHARACTER = re.compile(r"[a-z0-9_\-]")


def _contexts(words: str, group: str) -> str:
    """Return the alternation of positions; `group` opens the group that holds the word."""
    word = f"{group}{words})"
    return "|".join(
        (
            rf"{_LINE_START}{word}[>)\]]?(?: ?[:;»→>]|,)",
            rf"@{word}",
            rf"<[@+ ]?{word}>",
            rf"[!?][a-z0-9\-]+ ?[|>] ?{word}",
            rf"\b(?:{_GREETING}),? {word}",
        )
    )


class PersonPositions:
    """Looks for weak forms where a person is addressed.

    Args:
        weak: The forms that are common words, too; at least one.
    """

    def __init__(self, weak: Sequence[Form]) -> None:
        self._forms = {form.text: form for form in weak}
        ordered = sorted(self._forms, key=len, reverse=True)
        escaped = "|".join(map(re.escape, ordered))
        patterns = [_contexts(f"(?:{escaped})", "(?:")]
        twins = _contexts(f"(?:{escaped})", "(")
        self._hangul = "|".join(re.escape(text) for text in ordered if korean.is_hangul(text))
        if self._hangul:
            patterns.append(self._hangul)
            twins += f"|({self._hangul})"
        self._search = re2.compile("|".join(patterns))
        self._twin = re.compile(twins)

    def find(self, batch: Batch) -> Iterator[tuple[Form, int, int]]:
        """Yield each weak form that stands for a person, with its stretch of `Batch.lowered`.

        Args:
            batch: The texts.
        """
        hits = [match.start() for match in self._search.finditer(batch.data)]
        points = batch.code_points(hits)
        for hit in hits:
            twin = self._twin.match(batch.lowered, points[hit])
            if twin is None or twin.lastindex is None:
                continue
            start, end = twin.span(twin.lastindex)
            form = self._forms[twin[twin.lastindex]]
            judge = _korean_word if korean.is_hangul(form.text) else _latin_word
            if judge(batch, start, end, twin.lastindex):
                yield form, start, end


def _korean_word(batch: Batch, start: int, end: int, position: int) -> bool:
    text = batch.lowered
    floor, limit = batch.bounds(batch.text_at(start))
    if korean.word_before(text, start, floor):
        return False
    alone = end >= limit or not korean.is_syllable(text[end])
    return korean.only_a_person(text, start, end, limit) or (position != _ANYWHERE and alone)


def _latin_word(batch: Batch, start: int, end: int, position: int) -> bool:
    text = batch.lowered
    _, limit = batch.bounds(batch.text_at(start))
    word, after = text[start:end], text[end]
    if end < limit and _NICK_CHARACTER.match(text, end):
        return False
    if position == _AT_LINE_START and after == ",":
        return word not in words_en.NOT_BEFORE_COMMA
    if position == _GREETED:
        spoken = len(word) > 1 and word not in words_en.FUNCTION_WORDS
        return spoken and (end >= limit or after in ",.!?:;)\n")
    return True
