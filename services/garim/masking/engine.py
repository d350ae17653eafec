"""The engine: what in each text of a batch identifies somebody, as findings without overlap."""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING, NamedTuple

from garim.masking import patterns, phones
from garim.masking.classify import classify
from garim.masking.finding import Finding
from garim.masking.infotype import InfoType
from garim.masking.normalise import Batch, fold
from garim.masking.policy import DEFAULT_POLICY
from garim.masking.roster import Roster

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garim.masking.open_names import OpenNameDetector
    from garim.masking.people import Person
    from garim.masking.policy import MaskingPolicy

_ROSTER, _SHAPE, _OPEN = 0, 1, 2
_SPACED = re.compile(r"\d(?:[ \t().\-/·_~,]{0,3}\d)+")
_LONGEST_NUMBER = 24


class _Candidate(NamedTuple):
    """A detection before overlaps are settled; `stays` marks what is the subject's own."""

    start: int
    end: int
    layer: int
    type: InfoType
    value: str
    person: str | None
    stays: bool


class Engine:
    """Finds identifying values; built once for a set of people, used for many batches.

    Args:
        people: Everybody in the rosters, subjects included.
        open_names: Detector of people in no roster; without one only known people are found.
        policy: What is masked.
    """

    def __init__(
        self,
        people: Sequence[Person],
        *,
        open_names: OpenNameDetector | None = None,
        policy: MaskingPolicy = DEFAULT_POLICY,
    ) -> None:
        self._roster = Roster(people)
        self._subjects = frozenset(person.key for person in people if person.subject)
        self._open_names = open_names if policy.open_names else None
        self._types = policy.types
        self._owners: dict[tuple[InfoType, str], str] = {}
        self._numbers: dict[str, str] = {}
        for person in people:
            for phone in person.phones:
                number = phones.canonical(phone)
                self._owners.setdefault((InfoType.PHONE, number), person.key)
                for spelled in phones.digit_spellings(number):
                    self._numbers.setdefault(spelled, person.key)
            for email in person.emails:
                self._owners.setdefault((InfoType.EMAIL, fold(email).strip()), person.key)

        self._sizes = sorted({len(number) for number in self._numbers}, reverse=True)

    def find(self, texts: Sequence[str]) -> list[Sequence[Finding]]:
        """Return the findings of each text, sorted and without overlap.

        Args:
            texts: Up to some thousand texts; 256 to 1,000 are a good batch.
        """
        if not texts:
            return []
        batch = Batch(texts)
        known = list(self._known(batch))
        candidates = [*known, *self._shaped(batch), *self._open(batch, known)]
        found: dict[int, list[Finding]] = {}
        for start, end, chosen in _settle(candidates):
            if chosen.type in self._types:
                index = batch.text_at(start)
                low, high = batch.original(index, start, end)
                one = Finding(low, high, chosen.type, chosen.value, chosen.person)
                found.setdefault(index, []).append(one)
        # Most texts hold nothing: they share one empty tuple, and no list is made for them.
        findings: list[Sequence[Finding]] = [()] * len(texts)
        for index, those in found.items():
            findings[index] = those
        return findings

    def _known(self, batch: Batch) -> Iterator[_Candidate]:
        for mention in self._roster.mentions(batch):
            person = next(iter(mention.owners)) if len(mention.owners) == 1 else None
            yield _Candidate(
                mention.start,
                mention.end,
                _ROSTER,
                InfoType.PERSON,
                person or mention.name,
                person,
                not self._subjects.isdisjoint(mention.owners),
            )

    def _shaped(self, batch: Batch) -> Iterator[_Candidate]:
        zones = list(patterns.zones(batch.data))
        points = batch.code_points(offset for zone in zones for offset in zone)
        for low, high in zones:
            start, end = points[low], points[high]
            findings = [*classify(batch, start, end), *self._known_numbers(batch, start, end)]
            for finding in findings:
                owner = finding.person or self._owners.get((finding.type, finding.value))
                stays = owner in self._subjects
                yield _Candidate(
                    finding.start, finding.end, _SHAPE, finding.type, finding.value, owner, stays
                )

    def _known_numbers(self, batch: Batch, start: int, end: int) -> Iterator[Finding]:
        """Yield members' numbers that begin in a zone, however they are spaced, or the end of one."""
        if not self._numbers:
            return
        text = batch.lowered
        _, limit = batch.bounds(batch.text_at(start))
        places = [at for at in range(start, min(end + _LONGEST_NUMBER, limit)) if text[at].isdecimal()]
        digits = "".join(text[at] for at in places)
        for size in self._sizes:
            for first in range(len(places) - size + 1):
                owner = self._numbers.get(digits[first : first + size])
                if owner is None:
                    continue
                low, high = places[first], places[first + size - 1] + 1
                alone = not text[low - 1].isdecimal() and not text[high].isdecimal()
                if alone and _SPACED.fullmatch(text, low, high):
                    canonical = phones.canonical(digits[first : first + size])
                    yield Finding(low, high, InfoType.PHONE, canonical, owner)

    def _open(self, batch: Batch, known: list[_Candidate]) -> Iterator[_Candidate]:
        """Yield names of nobody known; where somebody known is named, the roster knows better."""
        if self._open_names is None:
            return
        starts = sorted((one.start, one.end) for one in known)
        for name in self._open_names.detect(batch):
            place = bisect.bisect_left(starts, (name.end, 0))
            if not place or starts[place - 1][1] <= name.start:
                yield _Candidate(name.start, name.end, _OPEN, InfoType.PERSON, name.name, None, stays=False)


def _settle(candidates: list[_Candidate]) -> list[tuple[int, int, _Candidate]]:
    """Return what is masked, in order and without overlap.

    The longest detection wins, then the surer layer. What sticks out of a winner is masked on its own,
    under its own value, so that no part of a detection stays readable; a subject's own stays.
    """
    settled: list[tuple[int, int, _Candidate]] = []
    cluster: list[_Candidate] = []
    reach = -1
    for candidate in sorted(candidates, key=lambda c: c.start):
        if candidate.start >= reach:
            settled.extend(_settle_cluster(cluster))
            cluster = []
        cluster.append(candidate)
        reach = max(reach, candidate.end)
    settled.extend(_settle_cluster(cluster))
    return settled


def _settle_cluster(cluster: list[_Candidate]) -> list[tuple[int, int, _Candidate]]:
    if len(cluster) == 1:
        only = cluster[0]
        return [] if only.stays else [(only.start, only.end, only)]
    starts: list[int] = []
    taken: list[tuple[int, int, _Candidate]] = []
    for candidate in sorted(cluster, key=lambda c: (c.start - c.end, c.layer, c.start, c.value)):
        for low, high in _free(candidate, starts, taken):
            place = bisect.bisect_left(starts, low)
            starts.insert(place, low)
            taken.insert(place, (low, high, candidate))
    return [entry for entry in taken if not entry[2].stays]


def _free(
    candidate: _Candidate, starts: list[int], taken: list[tuple[int, int, _Candidate]]
) -> list[tuple[int, int]]:
    """Return the parts of a candidate that nothing has taken; `taken` is sorted and without overlap."""
    at = candidate.start
    index = bisect.bisect_right(starts, at)
    if index and taken[index - 1][1] > at:
        at = taken[index - 1][1]
    parts: list[tuple[int, int]] = []
    while at < candidate.end:
        until = min(starts[index], candidate.end) if index < len(starts) else candidate.end
        if at < until:
            parts.append((at, until))
        at = taken[index][1] if index < len(starts) else until
        index += 1
    return parts
