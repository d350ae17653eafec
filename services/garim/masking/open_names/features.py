"""What speaks for and against a candidate, as names of features that hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from garim.masking import korean, words_ko
from garim.masking.open_names import lexicon
from garim.masking.open_names.candidates import Candidate

_KNOWN_TAGS = frozenset({"NNP", "NNG", "SL", "SH", "NR", "NP", "MAG", "IC", "NNB"})
_AGE_BEHIND = re.compile(r" ?\((?:\d{1,3}|[남여만][,\d ]|[^)\n]{1,10}(?:대표|감독|분|역))")
_NUMBER_BEHIND = re.compile(r" {0,4}(?:01\d|\d{6}-|\(?\d{2}세)")
POLITE_BEHIND = re.compile(r"모? ?(?:\([^)\n]{1,12}\))? ?[씨군양모]")
_AT_BEHIND = re.compile("에서|에는|에선|에도|에 ")
_BEHIND = (
    ("age-behind", _AGE_BEHIND),
    ("bracket-behind", re.compile(r"\(")),
    ("list", re.compile("[·,]")),
    ("number-behind", _NUMBER_BEHIND),
    ("at-behind", _AT_BEHIND),
    ("administrative-behind", lexicon.NEXT_ADMINISTRATIVE),
    ("place-behind", lexicon.NEXT_PLACE),
)
_STATED = re.compile(r"[다음됨함][.\n\"”]|니다[.?]|다$")
_WRITTEN = re.compile(r"다[.][\"”’']?\s*\Z")
_PLAIN_LENGTH = 40
_SHORT_LENGTH = 32

_JOINED = {
    "titled": ("tag=NNP", "tag=NNG", "cut", "nouns", "foreign", "place", "organisation", "full", "length=2"),
    "tag=NNP": (
        "particle=subject",
        "particle=topic",
        "particle=at",
        "particle=towards",
        "particle=of",
        "particle=object",
        "particle=with",
        "particle=to",
        "word-end",
        "rest",
        "foreign",
        "organisation",
        "short",
        "quoted",
        "list",
        "length=1",
        "length=2",
        "length=3",
        "length=4",
        "length=5",
        "length=6",
    ),
    "full": (
        "particle=subject",
        "particle=topic",
        "particle=at",
        "particle=towards",
        "particle=of",
        "particle=object",
        "particle=with",
        "word-end",
        "rest",
        "organisation",
        "wrong-particle",
        "pieces=all",
        "pieces=some",
        "pieces=none",
        "administrative",
        "verb",
    ),
    "foreign": (
        "cut",
        "nouns",
        "pieces=all",
        "pieces=some",
        "pieces=none",
        "tag=NNP",
        "tag=NNG",
        "title-behind",
        "word-end",
        "length=2",
        "length=3",
        "length=4",
        "length=5",
        "length=6",
    ),
    "common-surname": (
        "certain-somebody",
        "surname-polite",
        "title-behind",
        "polite",
        "office",
        "title-joined",
        "title-long",
        "age-behind",
        "first",
        "word-end",
        "rest",
        "particle",
    ),
    "register": (
        "tag=NNP",
        "tag=NNG",
        "tag=SL",
        "tag=SH",
        "cut",
        "nouns",
        "foreign",
        "pieces=all",
        "word-end",
        "particle=topic",
        "particle=subject",
        "surname",
        "short",
        "given=2",
        "typical=2",
        "length=2",
        "length=3",
        "length=4",
        "letter",
        "honorific",
        "title-behind",
        "title-before",
        "list",
        "quoted",
        "bracket",
        "first",
        "organisation",
    ),
}


_HEADS = {
    "titled": ("title-behind", "title-joined", "title-before"),
    "register": ("register=form", "register=prose", "register=chat"),
}
_PAIRS = {
    each: {tail: f"{each}&{tail}" for tail in tails}
    for head, tails in _JOINED.items()
    for each in _HEADS.get(head, (head,))
}
"""Names of pairs of features, by the first and the second."""


def register_of(text: str) -> str:
    """Return how a text is written: `form` (fields in lines), `prose` (stated sentences) or `chat`."""
    if text.count("\n") >= 2:
        return "form"
    written = len(text) > _SHORT_LENGTH and _WRITTEN.search(text)
    return "prose" if written or (len(text) > _PLAIN_LENGTH and _STATED.search(text)) else "chat"


def features(text: str, one: Candidate, register: str) -> set[str]:
    """Return the names of the features that hold for a candidate.

    Args:
        text: The folded text.
        one: The candidate.
        register: From `register_of`.
    """
    word = text[one.start : one.end]
    found = {"any", f"length={min(len(word), 6)}"}
    found.update(_of_morphemes(one))
    found.update(_of_shape(word))
    found.update(_of_lexicon(word, found))
    found.update(_behind(text, one))
    found.update(_before(text, one))
    if len(word) > 1 and text.count(word) > 1:
        found.add("repeated")
    written = f"register={register}"
    pairs: list[str] = []
    for head in (*_PAIRS.keys() & found, written):
        tails = _PAIRS[head]
        pairs.extend([tails[tail] for tail in tails.keys() & found])
    found.update(pairs)
    found.add(written)
    return found


def _of_morphemes(one: Candidate) -> Iterator[str]:
    if not one.tags:
        yield "cut"
        return
    if len(one.tags) == 1:
        yield f"tag={one.tags[0] if one.tags[0] in _KNOWN_TAGS else 'other'}"
    else:
        yield f"first={'NNP' if one.tags[0] == 'NNP' else 'noun' if one.tags[0].startswith('N') else 'other'}"
        if all(tag == "NNP" for tag in one.tags):
            yield "proper-nouns"
        if any(tag[0] in "VEJ" for tag in one.tags):
            yield "verb"
        if one.tags[-1] == "XSN":
            yield "suffix"
        if all(tag.startswith("N") or tag in {"XR", "UN"} for tag in one.tags):
            yield "nouns"
    if one.end - one.start >= 2:
        # A name that the dictionary lacks falls into pieces of one syllable.
        single = sum(size == 1 for size in one.sizes)
        if single == len(one.sizes):
            yield "pieces=all"
            yield f"pieces=all-{min(one.end - one.start, 4)}"
        else:
            yield "pieces=some" if single else "pieces=none"


def _of_shape(word: str) -> Iterator[str]:
    if len(word) == 1:
        yield "syllable" if korean.is_hangul(word) else "letter" if word.isascii() else "hanja"
        if word in korean.SURNAMES:
            yield "common-surname" if word in words_ko.COMMON_WORDS else "surname"
        elif word in lexicon.FOREIGN_GIVEN_NAMES:
            yield "foreign-short"
    elif korean.is_hangul(word):
        if korean.split_name(word) is not None:
            yield "full"
        yield from _of_syllables(word)
        transcribing = sum(syllable in lexicon.TRANSCRIBING_SYLLABLES for syllable in word)
        if transcribing == len(word):
            yield "foreign"
        elif transcribing * 2 < len(word):
            yield "domestic"


def _of_syllables(word: str) -> Iterator[str]:
    frequent = word[0] in lexicon.FREQUENT_SURNAMES
    if word[0] not in korean.SURNAMES:
        if len(word) == 2:
            yield f"given-name={_count(word, lexicon.TYPICAL_GIVEN_SYLLABLES)}"
        return
    typical = _count(word[1:], lexicon.TYPICAL_GIVEN_SYLLABLES)
    if len(word) == 3:
        yield f"given={_count(word[1:], lexicon.GIVEN_SYLLABLES)}"
        yield f"typical={typical}"
        if frequent:
            yield "frequent-surname"
    elif len(word) == 2:
        yield "short"
        if frequent and typical:
            yield "short-typical"


def _count(word: str, syllables: frozenset[str]) -> int:
    return sum(syllable in syllables for syllable in word)


def _of_lexicon(word: str, found: set[str]) -> Iterator[str]:
    if word in lexicon.PLACES_AND_NAMES:
        yield "place"
    if len(word) >= 2 and "letter" not in found and korean.is_hangul(word):
        if not (found & {"full"} and "cut" not in found) and lexicon.ORGANISATION.search(word):
            yield "organisation"
        if len(word) >= 3 and lexicon.ADMINISTRATIVE.search(word):
            yield "administrative"


def _behind(text: str, one: Candidate) -> Iterator[str]:
    end = one.end
    yield from _attached(text, one)
    if text[end : end + 1] in {"씨", "님", "양", "군", "옹"}:
        yield "honorific"
    if one.end - one.start == 1:
        if _certain_somebody(text, end):
            yield "certain-somebody"
        if POLITE_BEHIND.match(text, end):
            yield "surname-polite"
    yield from (name for name, pattern in _BEHIND if pattern.match(text, end))


def _attached(text: str, one: Candidate) -> Iterator[str]:
    """Yield what the rest of the word says, or the next one where the candidate ends its word."""
    if one.end == one.word_end:
        yield "word-end"
        further = title_at(text, one.end + 1) if text.startswith(" ", one.end) else ""
        if further:
            yield "title-behind"
            yield "polite" if further in {"씨", "군", "양"} else "office"
    elif title := title_at(text, one.end):
        yield "title-joined"
        yield "title-short" if len(title) == 1 else "title-long"
    elif particle := lexicon.PARTICLE.match(text, one.end):
        yield "particle"
        yield f"particle={lexicon.PARTICLE_KINDS.get(particle['p'], 'other')}"
        if _wrong(text[one.end - 1], particle["p"]):
            yield "wrong-particle"
    else:
        yield "rest"


def _certain_somebody(text: str, end: int) -> bool:
    """Tell whether 모 follows, which stands for a given name left out: 김모."""
    if not text.startswith("모", end):
        return False
    whole = end + 1 == len(text) or not korean.is_syllable(text[end + 1])
    return whole or lexicon.PARTICLE.match(text, end + 1) is not None


def _before(text: str, one: Candidate) -> Iterator[str]:
    start = one.start
    previous = text[start - 1] if start else ""
    if previous == "(":
        yield "bracket"
    if previous and previous in "'\"‘“<《『「[":
        yield "quoted"
    if previous == "·":
        yield "list"
    if one.before:
        if one.before in lexicon.OFFICES or any(
            one.before[at:] in lexicon.OFFICES for at in range(len(one.before) - 1)
        ):
            yield "title-before"
        if one.before[-1] in "의은는이가을를":
            yield "particle-before"
        if lexicon.ADMINISTRATIVE.search(one.before):
            yield "administrative-before"
    if not previous or previous in '.!?"\n':
        yield "first"
    field = lexicon.FIELD.search(text, max(0, start - 20), start)
    if field:
        yield "field"
        yield "field=name" if field["label"] in lexicon.NAME_LABELS else "field=role"


def title_at(text: str, at: int) -> str:
    """Return the title or office that begins at `at`, "" if none does.

    Args:
        text: The folded text.
        at: Where to look.
    """
    match = lexicon.OFFICE_BEHIND.match(text, at)
    if match is None:
        return ""
    behind = text[match.end() : match.end() + 1]
    ends = (
        not korean.is_syllable(behind or " ") or behind == "들" or lexicon.PARTICLE.match(text, match.end())
    )
    return match[0] if ends else ""


def _wrong(syllable: str, particle: str) -> bool:
    """Tell whether a particle does not agree with the last syllable."""
    if not korean.is_syllable(syllable):
        return False
    if korean.ends_with_consonant(syllable):
        return particle in {"가", "는", "를", "와"}
    return particle in {"이", "은", "을", "과"}
