"""What the leak scan looks for: spellings and numbers of bystanders and of masked values."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from garim.masking import words_en, words_ko
from garim.masking.infotype import InfoType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from garim.masking.people import Person

_DECORATION = "_|`^"
_NAME = re.compile(r"[가-힣]+")
_HANGUL_SURNAMES = frozenset(
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민나진지엄채원천방공현함변염여추도소석선설마길연위표명기반라왕금옥육인맹제모"
)
_SEALED_TEXT = frozenset({InfoType.EMAIL, InfoType.USER_HOST})
_HELD_TEXT = frozenset({InfoType.IP, InfoType.MAC})
_DIGITS = frozenset(
    {
        *(InfoType.PHONE, InfoType.RRN, InfoType.FRN, InfoType.CARD, InfoType.BANK_ACCOUNT),
        *(InfoType.DRIVER_LICENSE, InfoType.BUSINESS_REG, InfoType.SSN),
    }
)
_FEWEST_DIGITS = 8
_TAIL = 8


@dataclass(frozen=True, slots=True)
class Known:
    """Something to look for.

    Args:
        spelling: Folded spelling; "" for a number.
        type: What it is.
        person: Key of the bystander, None for a value of nobody known.
        certain: Whether finding it at its own boundaries is certain.
        word: It is a common word, too, so only its position can say that a person is meant.
        particle: It is a word of grammar, which often stands before a comma.
    """

    spelling: str
    type: InfoType
    person: str | None
    certain: bool
    word: bool = False
    particle: bool = False


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).lower().split())


def _is_word(spelling: str) -> bool:
    if len(spelling) == 1 or not any(map(str.isalnum, spelling)):
        return True
    if spelling.isdigit():
        return len(spelling) < _FEWEST_DIGITS
    return spelling in words_en.EVERYDAY_WORDS or spelling in words_ko.COMMON_WORDS


def _derived(plain: str) -> Iterator[str]:
    """Yield shorter spellings of a name: the Korean given name, the nick without decoration."""
    if _NAME.fullmatch(plain):
        if len(plain) == 3 and plain[0] in _HANGUL_SURNAMES:
            yield plain[1:]
        return
    bare = plain.strip(_DECORATION)
    if bare != plain and len(bare) >= 3 and bare not in words_en.COMMON_WORDS:
        yield bare


def subject_spellings(names: Sequence[str]) -> frozenset[str]:
    """Return every spelling of the subjects' names, which may stand.

    Args:
        names: The subjects' names.
    """
    plain = [_plain(name) for name in names]
    return frozenset(spelling for name in plain for spelling in (name, *_derived(name)) if spelling)


def of_people(people: Sequence[Person], subject_names: Sequence[str]) -> list[Known]:
    """Return the spellings of bystanders' names, accounts and mail addresses.

    Args:
        people: The bystanders.
        subject_names: The subjects' names: a bystander's equal one is a namesake, never certain.
    """
    subject = subject_spellings(subject_names)
    subject_whole = {_plain(name) for name in subject_names}
    known: dict[str, Known] = {}

    def add(spelling: str, type_: InfoType, person: Person) -> None:
        if spelling and spelling not in known:
            known[spelling] = Known(
                spelling,
                type_,
                person.key,
                certain=spelling not in subject,
                word=_is_word(spelling),
                particle=spelling in words_en.FUNCTION_WORDS | words_en.NOT_BEFORE_COMMA,
            )

    for person in people:
        for name in map(_plain, person.names):
            add(name, InfoType.PERSON, person)
            for spelling in _derived(name):
                if spelling not in subject_whole:
                    add(spelling, InfoType.PERSON, person)
        if len(person.account) > 3:
            add(_plain(person.account), InfoType.PERSON, person)
        for email in person.emails:
            add(_plain(email), InfoType.EMAIL, person)
    return list(known.values())


def of_values(table: Iterable[tuple[str, InfoType, str]]) -> list[Known]:
    """Return the masked values that have a spelling of their own, such as mail addresses.

    Args:
        table: Pseudonym, kind and canonical value.
    """
    return [
        Known(value, type_, None, certain=type_ in _SEALED_TEXT)
        for _, type_, value in table
        if value and type_ in _SEALED_TEXT | _HELD_TEXT
    ]


def numbers_of(people: Sequence[Person], table: Iterable[tuple[str, InfoType, str]]) -> dict[str, Known]:
    """Return the numbers to look for, by their digits.

    Args:
        people: The bystanders; a phone of theirs counts with and without country code, and by its end.
        table: Pseudonym, kind and canonical value.
    """
    numbers: dict[str, Known] = {}
    for _, type_, value in table:
        for digits in _ways(value) if type_ in _DIGITS else ():
            numbers[digits] = Known("", type_, None, certain=value.startswith("+8210"))
    for person in people:
        for phone in person.phones:
            for digits in _ways(phone):
                numbers[digits] = Known("", InfoType.PHONE, person.key, certain=True)
                if digits.startswith("010"):
                    numbers[digits[-_TAIL:]] = Known("", InfoType.PHONE, person.key, certain=True)
    return numbers


def _ways(number: str) -> Iterator[str]:
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", number))
    if len(digits) < _FEWEST_DIGITS:
        return
    yield digits
    if digits.startswith("82"):
        yield "0" + digits[2:].lstrip("0")
    elif digits.startswith("0"):
        yield "82" + digits[1:]
