"""The scan of texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import ahocorasick_rs

from garim.leakscan import encoded, known, shapes
from garim.leakscan.boundaries import certainty
from garim.leakscan.engine import Engine
from garim.leakscan.folding import BLANK, View, fold
from garim.leakscan.found import Leak, Spot
from garim.leakscan.known import Bystander
from garim.leakscan.numbers import Numbers

_PSEUDONYM_SHAPE = re.compile(r"[A-Z]+-[0-9A-Z]{5}-[0-9A-Z]{5}")


class LeakScan:
    """Looks for bystanders in finished text.

    Args:
        bystanders: Everybody in the rosters who is no subject.
        subject_names: Names of the subjects, which may stand.
        subject_identifiers: Phones and mail addresses of the subjects, which may stand.
        table: The attempt's pseudonyms with kind and canonical value.
    """

    def __init__(
        self,
        bystanders: Sequence[Bystander],
        subject_names: Sequence[str] = (),
        subject_identifiers: Sequence[str] = (),
        table: Iterable[tuple[str, str, str]] = (),
    ) -> None:
        entries = list(table)
        self._pseudonyms = frozenset(pseudonym for pseudonym, _, _ in entries)
        subject = known.subject_spellings(subject_names)
        self._known = known.of_values(entries) | known.of_people(bystanders, subject_names)
        self._spellings = list(dict.fromkeys((*self._known, *subject)))
        self._subject = subject
        self._automaton = ahocorasick_rs.AhoCorasick(self._spellings, store_patterns=False)
        self._numbers = Numbers(known.numbers_of(bystanders, entries))
        self._longest_subject = max(map(len, subject), default=0)
        self._may_stand = frozenset(_bare(one) for one in subject_identifiers) - {""}
        self._engine = Engine()

    def scan(self, texts: Sequence[str]) -> list[Leak]:
        """Return every leak, in the order of the texts.

        Args:
            texts: Outgoing texts: masked messages, captions, titles, the transcript's text.
        """
        alike: dict[str, list[int]] = {}
        for index, text in enumerate(texts):
            alike.setdefault(self._without_pseudonyms(text), []).append(index)
        indexes = list(alike.values())
        found = (
            replace(leak, index=index) for leak in self._scan(list(alike)) for index in indexes[leak.index]
        )
        return sorted(found, key=lambda leak: (leak.index, leak.start, leak.end))

    def is_pseudonym(self, text: str) -> bool:
        """Tell whether a text is one of the attempt's pseudonyms."""
        return text in self._pseudonyms

    def _scan(self, blanked: Sequence[str]) -> set[Leak]:
        """Return what texts without pseudonyms hold."""
        view = View(blanked)
        leaks = {*self._named(view), *self._numbered(view)}
        known_places = {(leak.index, leak.start, leak.end) for leak in leaks}
        for index, text in enumerate(blanked):
            folded = view.folded[index]
            for spot in (*self._engine.find(folded), *shapes.find(folded)):
                if _bare(folded[spot.start : spot.end]) in self._may_stand:
                    continue
                beside_mask = BLANK in folded[max(spot.start - 1, 0) : spot.end + 1]
                leak = _leak(view, index, replace(spot, certain=spot.certain and not beside_mask))
                if (leak.index, leak.start, leak.end) not in known_places:
                    leaks.add(leak)
            leaks.update(self._encoded(index, text))
        return leaks

    def _without_pseudonyms(self, text: str) -> str:
        """Blank the attempt's pseudonyms, keeping every offset."""

        def blank(match: re.Match[str]) -> str:
            return BLANK * len(match[0]) if match[0] in self._pseudonyms else match[0]

        return _PSEUDONYM_SHAPE.sub(blank, text)

    def _named(self, view: View) -> Iterator[Leak]:
        places = [
            (start, end, self._spellings[which])
            for which, start, end in self._automaton.find_matches_as_indexes(view.text, overlapping=True)
        ]
        allowed: dict[int, int] = {}
        for start, end, spelling in places:
            if spelling in self._subject:
                allowed[start] = max(end, allowed.get(start, 0))
        for start, end, spelling in places:
            what = self._known.get(spelling)
            certain = None if what is None else certainty(view.text, start, end, what)
            if what is not None and certain is not None and not self._of_subject(allowed, start, end):
                yield _joined(view, Spot(start, end, certain, what.type, what.person))

    def _of_subject(self, allowed: Mapping[int, int], start: int, end: int) -> bool:
        """Tell whether a stretch is part of a longer spelling of a subject's name."""
        first = max(0, end - self._longest_subject)
        ends = ((low, allowed.get(low, 0)) for low in range(first, start + 1))
        return any(end <= high and high - low > end - start for low, high in ends)

    def _numbered(self, view: View) -> Iterator[Leak]:
        return (_joined(view, spot) for spot in self._numbers.find(view.text))

    def _encoded(self, index: int, text: str) -> Iterator[Leak]:
        """Yield what an encoded stretch says: masking does not read it, so people judge it."""
        for start, end, plain in encoded.decoded(text):
            view = View([plain])
            folded = view.folded[0]
            known_ones = [(one.type, one.person) for one in (*self._named(view), *self._numbered(view))]
            shaped = [(one.type, None) for one in (*self._engine.find(folded), *shapes.find(folded))]
            for kind, person in (*known_ones, *shaped):
                yield Leak(index, start, end, certain=False, type=kind, person=person)


def _bare(identifier: str) -> str:
    """Return an identifier as it is compared: a number by its last digits, anything else folded."""
    folded = fold(identifier)[0].strip()
    digits = "".join(filter(str.isdecimal, folded))
    return folded if "@" in folded else digits[-8:]


def _joined(view: View, spot: Spot) -> Leak:
    index = view.index(spot.start)
    base = view.starts[index]
    return _leak(view, index, replace(spot, start=spot.start - base, end=spot.end - base))


def _leak(view: View, index: int, spot: Spot) -> Leak:
    start, end = view.place(index, spot.start, spot.end)
    return Leak(index, start, end, spot.certain, spot.type, spot.person)
