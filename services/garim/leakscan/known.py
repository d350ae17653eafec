"""What the scan looks for: spellings and numbers of bystanders and of masked values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from garim.leakscan import found, words
from garim.leakscan.folding import fold

_DECORATION = "_|`^-~*.!"
_KOREAN_NAME = re.compile(r"[가-힣]+")
_SURNAMES = frozenset(
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민나진지엄채원천방공현함변염여추도소석"
    "선설마길연위표명기반라왕금옥육인맹제모"
)
_SPELLED = frozenset({found.EMAIL, found.USER_HOST})
_HELD = frozenset({found.IP, found.MAC, found.IBAN})
_NUMBERS = frozenset(
    {
        *(found.PHONE, found.RRN, found.FRN, found.CARD, found.BANK_ACCOUNT),
        *(found.DRIVER_LICENSE, found.BUSINESS_REG, found.SSN),
    }
)
_FEWEST_DIGITS = 8
_TAIL = 8
_SHORTEST_ACCOUNT = 4


class Bystander(Protocol):
    """A member of a roster who is no subject."""

    @property
    def key(self) -> str:
        """Stable id within the attempt."""

    @property
    def account(self) -> str:
        """Account id, "" if none."""

    @property
    def names(self) -> tuple[str, ...]:
        """Display names and nicks."""

    @property
    def phones(self) -> tuple[str, ...]:
        """Phone numbers, in any spelling."""

    @property
    def emails(self) -> tuple[str, ...]:
        """E-mail addresses."""


@dataclass(frozen=True, slots=True)
class Known:
    """Something to look for.

    Args:
        spelling: Folded spelling; "" for a number.
        type: What it is.
        person: Key of the bystander, None for a value of nobody known.
        certain: Whether finding it at its own boundaries is certain.
        word: It is a common word, too, so only its position can say that a person is meant.
        particle: It is a word that often stands before a comma.
    """

    spelling: str
    type: str
    person: str | None
    certain: bool
    word: bool = False
    particle: bool = False


def _plain(name: str) -> str:
    return " ".join(fold(name)[0].split())


def _is_word(spelling: str) -> bool:
    if len(spelling) == 1 or not any(map(str.isalnum, spelling)):
        return True
    if spelling.isdigit():
        return len(spelling) < _FEWEST_DIGITS
    return spelling in words.ENGLISH or spelling in words.KOREAN


def _shorter(plain: str) -> Iterator[tuple[str, bool]]:
    """Yield shorter spellings and whether they are sure: a given name is, a bare nick of letters is not."""
    if _KOREAN_NAME.fullmatch(plain):
        if len(plain) == 3 and plain[0] in _SURNAMES:
            yield plain[1:], True
        return
    bare = plain.strip(_DECORATION)
    if bare != plain and len(bare) >= 3:
        yield bare, not bare.isalpha()


def subject_spellings(names: Sequence[str]) -> frozenset[str]:
    """Return every spelling of the subjects' names, which may stand.

    Args:
        names: The subjects' names.
    """
    plain = [_plain(name) for name in names]
    shorter = {spelling for name in plain for spelling, _ in _shorter(name)}
    return frozenset({*plain, *shorter} - {""})


def of_people(people: Sequence[Bystander], subject_names: Sequence[str]) -> dict[str, Known]:
    """Return the spellings of bystanders' names, accounts and mail addresses.

    Args:
        people: The bystanders.
        subject_names: The subjects' names: a bystander's equal one is a namesake, never certain.
    """
    subject = subject_spellings(subject_names)
    subject_whole = {_plain(name) for name in subject_names}
    known: dict[str, Known] = {}

    def add(spelling: str, type_: str, person: Bystander, *, sure: bool = True) -> None:
        if spelling and spelling not in known:
            known[spelling] = Known(
                spelling,
                type_,
                person.key,
                certain=sure and spelling not in subject,
                word=_is_word(spelling),
                particle=spelling in words.GRAMMAR | words.HEADS_A_SENTENCE,
            )

    for person in people:
        for name in map(_plain, person.names):
            add(name, found.PERSON, person)
        if len(person.account) >= _SHORTEST_ACCOUNT:
            add(_plain(person.account), found.PERSON, person)
        for email in person.emails:
            add(_plain(email), found.EMAIL, person)
    for person in people:
        for spelling, sure in (one for name in map(_plain, person.names) for one in _shorter(name)):
            if spelling not in subject_whole:
                add(spelling, found.PERSON, person, sure=sure)
    return known


def of_values(table: Iterable[tuple[str, str, str]]) -> dict[str, Known]:
    """Return the masked values that have a spelling of their own, such as mail addresses.

    Args:
        table: Pseudonym, kind and canonical value.
    """
    spelled = ((_plain(value), type_) for _, type_, value in table if type_ in _SPELLED | _HELD)
    return {value: Known(value, type_, None, certain=type_ in _SPELLED) for value, type_ in spelled if value}


def numbers_of(people: Sequence[Bystander], table: Iterable[tuple[str, str, str]]) -> dict[str, Known]:
    """Return the numbers to look for, by their digits.

    Args:
        people: The bystanders; a phone of theirs counts with and without country code, and by its end.
        table: Pseudonym, kind and canonical value.
    """
    numbers: dict[str, Known] = {}
    for _, type_, value in table:
        for digits in _ways(value) if type_ in _NUMBERS else ():
            numbers[digits] = Known("", type_, None, certain=value.startswith("+8210"))
    for person in people:
        for phone in person.phones:
            for digits in _ways(phone):
                numbers[digits] = Known("", found.PHONE, person.key, certain=True)
                if digits.startswith("010"):
                    numbers[digits[-_TAIL:]] = Known("", found.PHONE, person.key, certain=True)
    return numbers


def _ways(number: str) -> Iterator[str]:
    digits = "".join(filter(str.isdecimal, fold(number)[0]))
    if len(digits) < _FEWEST_DIGITS:
        return
    yield digits
    if digits.startswith("82"):
        yield "0" + digits[2:].lstrip("0")
    elif digits.startswith("0"):
        yield "82" + digits[1:]
