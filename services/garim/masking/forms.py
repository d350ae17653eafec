"""How a member's names may be spelled in a text, and how much a spelling says on its own."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from garim.masking import korean, words_en, words_ko
from garim.masking.normalise import fold
from garim.masking.open_names.lexicon import FREQUENT_SURNAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garim.masking.people import Person


class Strength(enum.IntEnum):
    """How much a spelling says on its own."""

    WEAK = 0
    """A common word, too: a person only where its position says so."""
    SHORT = 1
    """A name that needs a fitting end behind it (`지민` in `지민이가`)."""
    FULL = 2
    """Nobody writes it for anything else."""


@dataclass(slots=True)
class Form:
    """One spelling.

    Args:
        text: The folded spelling.
        strength: The most that any of its owners' names gives it.
        owners: Keys of the people who may be meant.
        surnames: Surnames of those owners of whom it is the given name.
    """

    text: str
    strength: Strength
    owners: set[str] = field(default_factory=set)
    surnames: dict[str, str] = field(default_factory=dict)


_BRACKETED = re.compile(r"[(\[{<（【][^)\]}>）】]*[)\]}>）】]")
_TOKENS = re.compile(r"[가-힣]+|[^\W\d_ㄱ-ㅣ가-힣][^\s()\[\]{}<>【】·/,|&+ㄱ-ㅣ가-힣]*|\d+")
_TITLE = re.compile(rf"(?:{korean.TITLES})+")
_NICK_TAIL = re.compile(
    r"[_`^\-]+\Z|[|_\-`](?:away|afk|work|home|brb|gone|sleep|zzz+|busy|lunch|laptop|lap|phone|mobile|out|off|bnc|school|dinner)\Z"
)
_MIN_LATIN_PART = 3
_LONG_GIVEN = 3
_MIN_PHONE = 8


def _strength(spelling: str, *, part: bool = False) -> Strength:
    if not any(character.isalnum() for character in spelling):
        return Strength.WEAK
    if korean.is_hangul(spelling):
        common = spelling in words_ko.COMMON_WORDS or spelling in words_ko.PRONOUNS
        return (
            Strength.WEAK
            if common or (len(spelling) == 1 and spelling in words_ko.COMMON_SYLLABLES)
            else Strength.SHORT
        )
    words = words_en.COMMON_WORDS if part else words_en.EVERYDAY_WORDS
    if len(spelling) == 1 or spelling in words or (spelling.isdigit() and len(spelling) < _MIN_PHONE):
        return Strength.WEAK
    return Strength.FULL


def _core(nick: str) -> str:
    """Strip what people append to a nick while they are away or their name is taken."""
    core = nick.strip("|")
    while (shorter := _NICK_TAIL.sub("", core)) != core and shorter:
        core = shorter
    return core.strip("_|`^") or nick


def _long_given(name: str) -> tuple[str, str] | None:
    """Split a frequent surname and three syllables (박여울빛), unless these are a word or a title."""
    surname, given = name[0], name[1:]
    if len(given) != _LONG_GIVEN or surname not in FREQUENT_SURNAMES:
        return None
    plain = given in words_ko.COMMON_WORDS or _TITLE.search(given) is not None
    return None if plain else (surname, given)


def _korean_forms(name: str) -> Iterator[tuple[str, Strength, str]]:
    parts = korean.split_name(name) or _long_given(name)
    if parts is None:
        yield name, _strength(name), ""
        return
    surname, given = parts
    full = Strength.WEAK if name in words_ko.COMMON_WORDS else Strength.FULL
    yield name, full, ""
    yield f"{surname} {given}", full, ""
    if len(given) > 1:
        yield given, _strength(given), surname


def _is_korean_person(token: str, whole: str) -> bool:
    return korean.is_hangul(token) and (token == whole or korean.split_name(token) is not None)


def spellings(name: str) -> Iterator[tuple[str, Strength, str]]:
    """Yield how `name` may be spelled: the folded form, its strength, the surname it leaves out.

    Args:
        name: A display name or nick as the back end stores it.
    """
    whole = " ".join(fold(name).split())
    if not whole:
        return
    if not korean.is_hangul(whole):
        yield whole, _strength(whole), ""
    bare = _BRACKETED.sub(" ", whole).strip() or whole
    tokens = [token for token in _TOKENS.findall(bare) if not _TITLE.fullmatch(token)]
    for token in tokens:
        if _is_korean_person(token, whole) or (korean.is_hangul(token) and len(tokens) == 1):
            yield from _korean_forms(token)
    joined = "".join(tokens)
    if len(tokens) == 2 and korean.split_name(joined) is not None and len(tokens[0]) < len(tokens[1]):
        yield from _korean_forms(joined)
    yield from _latin_parts(whole, tokens)


def _latin_parts(whole: str, tokens: list[str]) -> Iterator[tuple[str, Strength, str]]:
    if len(tokens) == 1 and " " not in whole:
        core = _core(whole)
        if core != whole and len(core) >= _MIN_LATIN_PART:
            yield core, _strength(core, part=True), ""
        return
    for token in tokens:
        part = token.strip(".-_'\"")
        if part.isascii() and part.isalpha() and len(part) >= _MIN_LATIN_PART:
            yield part, _strength(part, part=True), ""


def identifier_spellings(person: Person) -> Iterator[str]:
    """Yield the spellings of a member's account and mail addresses.

    Args:
        person: The member.
    """
    yield from (fold(email) for email in person.emails)
    account = fold(person.account)
    if _strength(account) is Strength.FULL and len(account) > _MIN_LATIN_PART:
        yield account


def collect(people: Sequence[Person]) -> dict[str, Form]:
    """Return every spelling of everybody's names, by its text.

    Args:
        people: The members.
    """
    forms: dict[str, Form] = {}

    def add(text: str, strength: Strength, owner: str, surname: str = "") -> None:
        form = forms.setdefault(text, Form(text, strength))
        form.strength = max(form.strength, strength)
        form.owners.add(owner)
        if surname:
            form.surnames[owner] = surname

    whole: dict[str, set[str]] = {}
    for person in people:
        for name in person.names:
            whole.setdefault(" ".join(fold(name).split()), set()).add(person.key)
    for person in people:
        for name in person.names:
            exact = " ".join(fold(name).split())
            for text, strength, surname in spellings(name):
                # A spelling that somebody else carries as the whole name is that person's alone.
                if text == exact or not whole.get(text, set()) - {person.key}:
                    add(text, strength, person.key, surname)
        for text in identifier_spellings(person):
            add(text, Strength.FULL, person.key)
    return forms
