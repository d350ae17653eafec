"""The last look at outgoing text: does any bystander still stand in it?

Written apart from the engine on purpose: its own folding, its own forms, plain substring search and its
own idea of a boundary, so that a mistake of the engine is not made twice. Only the lists of common words
are shared. It is narrower than the engine where both are right: whatever it calls certain, the engine
means to mask, so a certain leak is a mistake and blocks; a doubtful one is held for two reviewers.
"""

from __future__ import annotations

import bisect
import itertools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from garim.masking import leakforms
from garim.masking.infotype import InfoType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from garim.masking.leakforms import Known
    from garim.masking.people import Person

_BLANK = "\x01"
_BREAK = "\x02"
_PSEUDONYM_SHAPE = re.compile(r"[A-Z]+-[0-9A-Z]{5}-[0-9A-Z]{5}")
_SEGMENT = re.compile(r".[\u0300-\u036f\u1160-\u11ff\u20e3\ufe00-\ufe0f]*", re.DOTALL)
_DIGIT_RUN = re.compile(r"\d(?:[ \-.()/·~_,]{0,3}\d){6,}")
_AFTER_CONSONANT = ("이", "은", "을", "과", "아", "이랑", "이가", "이는")
_AFTER_VOWEL = ("가", "는", "를", "와", "야", "랑")
_AFTER_ANY = ("의", "도", "만", "에게", "한테", "께서", "씨", "님", "씨가", "님이")
_HINTS = ("씨", "님", "이가 ", "한테 ", "에게 ", "아 ", "아,", "아!")
_OPENING = "\"'([<@ \t"


@dataclass(frozen=True, slots=True)
class Leak:
    """A place where somebody seems to stand in outgoing text. It names the place, never the value.

    Args:
        index: Which of the scanned texts.
        start: First code point there.
        end: Code point behind the last.
        certain: True blocks the attempt; False is a hold for reviewers.
        type: What sort of value it seems to be.
        person: Key of the bystander, None where the value is no member's.
    """

    index: int
    start: int
    end: int
    certain: bool
    type: InfoType
    person: str | None


class LeakScan:
    """Looks for bystanders in finished text.

    Args:
        bystanders: Everybody in the rosters who is no subject.
        subject_names: Names of the subjects, which may stand.
        table: The attempt's pseudonyms with kind and canonical value, as `PseudonymTable.items` gives.
    """

    def __init__(
        self,
        bystanders: Sequence[Person],
        subject_names: Sequence[str] = (),
        table: Iterable[tuple[str, InfoType, str]] = (),
    ) -> None:
        entries = list(table)
        self._pseudonyms = frozenset(pseudonym for pseudonym, _, _ in entries)
        self._subject = leakforms.subject_spellings(subject_names)
        self._known = leakforms.of_people(bystanders, subject_names) + leakforms.of_values(entries)
        self._numbers = leakforms.numbers_of(bystanders, entries)

    def scan(self, texts: Sequence[str]) -> list[Leak]:
        """Return every leak, in the order of the texts.

        Args:
            texts: Outgoing texts: masked messages, captions, titles, the transcript's text.
        """
        view = _View([self._without_pseudonyms(text) for text in texts])
        allowed = [place for spelling in self._subject for place in _places(view.text, spelling)]
        found = {
            (start, end): (known, certain)
            for known in self._known
            for start, end, certain in _judged(view.text, known)
            if not any(low <= start and end <= high and high - low > end - start for low, high in allowed)
        }
        leaks = [view.leak(start, end, known, certain) for (start, end), (known, certain) in found.items()]
        leaks += [
            view.leak(start, end, known, certain) for start, end, known, certain in self._numbers_in(view)
        ]
        return sorted(leaks, key=lambda leak: (leak.index, leak.start, leak.end))

    def _without_pseudonyms(self, text: str) -> str:
        """Blank the attempt's pseudonyms, keeping every offset."""

        def blank(match: re.Match[str]) -> str:
            return _BLANK * len(match[0]) if match[0] in self._pseudonyms else match[0]

        return _PSEUDONYM_SHAPE.sub(blank, text)

    def _numbers_in(self, view: _View) -> Iterator[tuple[int, int, Known, bool]]:
        if not self._numbers:
            return
        for run in _DIGIT_RUN.finditer(view.text):
            digits = "".join(filter(str.isdecimal, run[0]))
            whole = self._numbers.get(digits)
            if whole is not None:
                yield run.start(), run.end(), whole, whole.certain
                continue
            inside = next(
                (k for number, k in self._numbers.items() if len(number) >= 10 and number in digits), None
            )
            if inside is not None:
                yield run.start(), run.end(), inside, False


class _View:
    """Texts folded and joined, with the way back to their offsets."""

    def __init__(self, texts: Sequence[str]) -> None:
        folded = [_fold(text) for text in texts]
        self.text = _BREAK + _BREAK.join(view for view, _ in folded) + _BREAK
        self._origins = [origins for _, origins in folded]
        sizes = (len(view) + 1 for view, _ in folded)
        self._starts = list(itertools.accumulate(sizes, initial=1))

    def leak(self, start: int, end: int, known: Known, certain: bool) -> Leak:
        index = bisect.bisect_right(self._starts, start) - 1
        low, high = start - self._starts[index], end - self._starts[index]
        origins = self._origins[index]
        if origins is not None:
            low, high = origins[low][0], origins[high - 1][1]
        return Leak(index, low, high, certain, known.type, known.person)


def _fold(text: str) -> tuple[str, list[tuple[int, int]] | None]:
    """Return `text` in compatibility form and lower case, with origins where offsets moved."""
    if text.isascii():
        return text.lower(), None
    parts: list[str] = []
    origins: list[tuple[int, int]] = []
    for segment in _segments(text):
        composed = unicodedata.normalize("NFKC", segment[0]).lower()
        kept = "".join(c for c in composed if unicodedata.category(c) not in {"Cf", "Mn", "Me"})
        parts.append(kept)
        origins.extend([segment.span()] * len(kept))
    return "".join(parts), origins


def _segments(text: str) -> Iterator[re.Match[str]]:
    return _SEGMENT.finditer(text)


def _places(text: str, spelling: str) -> Iterator[tuple[int, int]]:
    at = text.find(spelling)
    while at >= 0:
        yield at, at + len(spelling)
        at = text.find(spelling, at + 1)


def _judged(text: str, known: Known) -> Iterator[tuple[int, int, bool]]:
    judge = _korean if _syllable(known.spelling[0]) and _syllable(known.spelling[-1]) else _other
    for start, end in _places(text, known.spelling):
        certain = judge(text, start, end, known)
        if certain is not None:
            # Before masking it was part of a longer run of letters: reviewers see what it is now.
            beside_mask = _BLANK in (text[start - 1], text[end])
            yield start, end, certain and not beside_mask


def _syllable(character: str) -> bool:
    return "가" <= character <= "힣"


def _glued(edge: str, beside: str) -> bool:
    """Tell whether two characters belong to one word of letters and digits."""
    return (edge.isalnum() or edge == "_") and (beside.isalnum() or beside == "_") and not _syllable(beside)


def _other(text: str, start: int, end: int, known: Known) -> bool | None:
    """Return whether a name in letters stands here for certain, None where it does not."""
    if _glued(text[start], text[start - 1]) or _glued(text[end - 1], text[end]):
        return None
    if not known.word:
        return known.certain
    return False if _addressed(text, start, end, known) else None


def _addressed(text: str, start: int, end: int, known: Known) -> bool:
    before = text[start - 1]
    if (before == "@" or (before == "<" and text[end] == ">")) and text[start].isalnum():
        return True
    opening = start - 1
    while text[opening] in _OPENING:
        opening -= 1
    if text[opening] not in "\n" + _BREAK:
        return False
    return text[end] in ":;>" or (text[end] == "," and not known.particle)


def _korean(text: str, start: int, end: int, known: Known) -> bool | None:
    if _syllable(text[start - 1]):
        return None
    alone = not _syllable(text[end])
    if known.word:
        person = text.startswith(_HINTS, end) or (alone and text[start - 1] == "@")
        return False if person else None
    if end - start >= 3 or alone or _particle(text, end):
        return known.certain
    return None


def _particle(text: str, end: int) -> bool:
    consonant = (ord(text[end - 1]) - ord("가")) % 28 > 0
    fitting = _AFTER_ANY + (_AFTER_CONSONANT if consonant else _AFTER_VOWEL)
    return any(
        text.startswith(particle, end) and not _syllable(text[end + len(particle)]) for particle in fitting
    )
