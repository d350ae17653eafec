"""Stretches of a text that could be a name, before anything is judged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from garim.masking import korean, words_en, words_ko
from garim.masking.open_names.lexicon import FOREIGN_GIVEN_NAMES, NEVER_NAMES
from garim.masking.open_names.morphemes import Morpheme

WORD = re.compile(r"[가-힣]+|[A-Za-z][A-Za-z.\-']*|[一-鿿]+")
_BETWEEN_SPACES = re.compile(r"\S+")
LONGEST = 9
_OF_PEOPLE = frozenset("애들분놈년쪽네")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch that could be a name.

    Args:
        start: First code point in the text.
        end: Code point behind the last.
        word_end: Where the word ends that it begins in.
        before: The word before it, if little stands between.
        tags: Tags of the morphemes that make it up; empty where it cuts through one.
        sizes: Lengths of these morphemes.
    """

    start: int
    end: int
    word_end: int
    before: str
    tags: tuple[str, ...]
    sizes: tuple[int, ...]


def candidates(text: str, morphemes: Sequence[Morpheme]) -> Iterator[Candidate]:
    """Yield the candidates of a text.

    Args:
        text: The folded text.
        morphemes: Its morphemes, in order.
    """
    morphemes = list(_of_one_word(text, morphemes))
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for index, one in enumerate(morphemes):
        first.setdefault(one.start, index)
        if one.end > one.start:
            last[one.end] = index
    proper = [(one.start, one.end) for one in morphemes if one.tag == "NNP" and one.end - one.start >= 2]
    before, before_end = "", -LONGEST
    for match in WORD.finditer(text):
        start, end = match.span()
        near = before if start - before_end <= 2 else ""
        spans = {(start, end)}
        if korean.is_syllable(text[start]):
            spans = {
                (start, at)
                for at in range(start + 1, min(end, start + LONGEST) + 1)
                if _may_end(text, start, at, last)
            } | {span for span in proper if start < span[0] < end}
            if end - start == 1 and match[0] in FOREIGN_GIVEN_NAMES:
                spans.add((start, end))
        for low, high in sorted(spans):
            if is_common(text[low:high]):
                continue
            inside: Sequence[Morpheme] = ()
            if low in first and high in last:
                inside = morphemes[first[low] : last[high] + 1]
            yield Candidate(
                low,
                high,
                end,
                near,
                tuple(one.tag for one in inside),
                tuple(one.end - one.start for one in inside),
            )
        before, before_end = match[0], end


def _of_one_word(text: str, morphemes: Sequence[Morpheme]) -> Iterator[Morpheme]:
    """Yield the morphemes, those over several words (`레이디 가가`) as one for each word."""
    for one in morphemes:
        if " " not in text[one.start : one.end]:
            yield one
            continue
        for word in _BETWEEN_SPACES.finditer(text, one.start, one.end):
            yield Morpheme(word.start(), word.end(), one.tag)


def is_common(word: str) -> bool:
    """Tell whether a word is out of the question; a surname's syllable is judged by what follows it.

    Args:
        word: A stretch of a folded text.
    """
    if len(word) == 1 and word in korean.SURNAMES:
        return False
    if word.isascii() and len(word) > 1:
        return word.lower() in words_en.COMMON_WORDS
    known = words_ko.COMMON_WORDS
    # 여자애, 친구들, 우리쪽: a word for people and what makes it one or several of them.
    return word in known or word in NEVER_NAMES or (word[:-1] in known and word[-1] in _OF_PEOPLE)


def _may_end(text: str, start: int, end: int, last: dict[int, int]) -> bool:
    """Tell whether a name that begins a word may end here: at a morpheme's end, or by its shape."""
    surname = text[start] in korean.SURNAMES
    if end - start == 1:
        return surname and end in last
    shaped = surname and end - start <= 3
    compound = end - start == 4 and text.startswith(korean.COMPOUND_SURNAMES, start)
    return end in last or shaped or compound
