"""Names of known people in a batch: one Aho-Corasick pass, then each hit judged by what is around it."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ahocorasick_rs import BytesAhoCorasick, Implementation

from garim.masking import forms, korean
from garim.masking.forms import Strength
from garim.masking.positions import PersonPositions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garim.masking.forms import Form
    from garim.masking.normalise import Batch
    from garim.masking.people import Person

_TAIL = "_`^"
_LONGEST_PARTICLES = 8


@dataclass(frozen=True, slots=True)
class Mention:
    """A known name at a place.

    Args:
        start: First code point in `Batch.lowered`.
        end: Code point behind the last.
        owners: Keys of the people who may be meant; none where the surname is nobody's.
        name: The folded name.
    """

    start: int
    end: int
    owners: frozenset[str]
    name: str


class Roster:
    """The names of a room's people, ready to be looked for.

    Args:
        people: The members, subjects included.
    """

    def __init__(self, people: Sequence[Person]) -> None:
        every = forms.collect(people)
        self._strong = [form for form in every.values() if form.strength is not Strength.WEAK]
        weak = [form for form in every.values() if form.strength is Strength.WEAK]
        self._positions = PersonPositions(weak) if weak else None
        self._automaton = (
            BytesAhoCorasick(
                [form.text.encode("utf-8", "surrogatepass") for form in self._strong],
                implementation=Implementation.ContiguousNFA,
            )
            if self._strong
            else None
        )

    def mentions(self, batch: Batch) -> Iterator[Mention]:
        """Yield every mention, overlapping ones included.

        Args:
            batch: The texts.
        """
        if self._automaton is not None:
            hits = self._automaton.find_matches_as_indexes(batch.data, overlapping=True)
            points = batch.code_points(offset for hit in hits for offset in hit[1:])
            refused: list[tuple[Form, int, int]] = []
            begins: list[int] = []
            for which, start, end in hits:
                hit = (self._strong[which], points[start], points[end])
                mention = _judge(batch, *hit)
                if mention is None:
                    refused.append(hit)
                else:
                    begins.append(mention.start)
                    yield mention
            yield from _before_others(batch, refused, begins)
        if self._positions is not None:
            for form, start, end in self._positions.find(batch):
                yield Mention(start, end, frozenset(form.owners), form.text)


def _before_others(
    batch: Batch, refused: list[tuple[Form, int, int]], begins: list[int]
) -> Iterator[Mention]:
    """Yield names that end where another one begins without a space: 지민아김지민."""
    # From right to left, so that what is found begins at the end of the negated, sorted list.
    known = sorted({-begin for begin in begins})
    for form, start, end in sorted(refused, key=lambda hit: -hit[1]):
        place = bisect.bisect_right(known, -end) - 1
        if place < 0 or -known[place] - end > _LONGEST_PARTICLES:
            continue
        if _is_korean(form) and (mention := _judge_korean(batch, form, start, end, -known[place])):
            bisect.insort(known, -mention.start)
            yield mention


def _is_korean(form: Form) -> bool:
    return korean.is_syllable(form.text[0]) and korean.is_syllable(form.text[-1])


def _judge(batch: Batch, form: Form, start: int, end: int) -> Mention | None:
    if _is_korean(form):
        return _judge_korean(batch, form, start, end, len(batch.lowered))
    return _judge_nick(batch.lowered, form, start, end)


def _judge_nick(text: str, form: Form, start: int, end: int) -> Mention | None:
    before, after = text[start - 1], text[end]
    if _is_word(form.text[0]) and _is_word(before):
        start = _over_tail(text, start, -1)
        if start < 0:
            return None
    if _is_word(form.text[-1]) and _is_word(after):
        end = _over_tail(text, end, 1)
        if end < 0:
            return None
    elif after in _TAIL and not _is_word(text[end + 1]):
        end += 1
    return Mention(start, end, frozenset(form.owners), form.text)


def _is_word(character: str) -> bool:
    return (character.isalnum() or character == "_") and not korean.is_syllable(character)


def _over_tail(text: str, at: int, step: int) -> int:
    """Return where underscores around a nick end, or -1 where the nick is part of a longer word."""
    index = at - 1 if step < 0 else at
    while text[index] in _TAIL:
        index += step
    if _is_word(text[index]):
        return -1
    return index + 1 if step < 0 else index


def _judge_korean(batch: Batch, form: Form, start: int, end: int, at_most: int) -> Mention | None:
    """Judge a Korean name; nothing from `at_most` on counts as a part of its word."""
    text = batch.lowered
    floor, limit = batch.bounds(batch.text_at(start))
    limit = min(limit, at_most)
    full = form.strength is Strength.FULL
    if not full and not korean.name_may_end(text, end, limit):
        return None
    before = korean.word_before(text, start, floor)
    if korean.may_precede(before):
        return Mention(start, end, frozenset(form.owners), form.text)
    if before in korean.SURNAMES or before in korean.COMPOUND_SURNAMES:
        theirs = before in form.surnames.values()
        if not theirs and korean.reads_as_word(before + form.text):
            return None
        return _with_surname(form, before, start, end)
    return Mention(start, end, frozenset(form.owners), form.text) if full and len(before) > 1 else None


def _with_surname(form: Form, surname: str, start: int, end: int) -> Mention:
    """Judge a given name behind a surname: one of its owners', or of somebody in no roster."""
    fitting = {owner for owner in form.owners if form.surnames.get(owner, surname) == surname}
    return Mention(start - len(surname), end, frozenset(fitting), surname + form.text)
