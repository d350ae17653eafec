"""Where a spelling stands as a name of its own, and how surely it means the person."""

from __future__ import annotations

from garim.leakscan import words
from garim.leakscan.folding import BLANK, BREAK
from garim.leakscan.known import Known

_AFTER_CONSONANT = ("이", "은", "을", "과", "이랑", "이는", "이도", "이의", "이를")
_AFTER_VOWEL = ("가", "는", "를", "와", "랑")
_AFTER_ANY = ("의", "도", "만", "로")
_CALLED_AFTER_CONSONANT = ("아", "이가", "이야", "이네", "이한테", "이에게")
_CALLED_AFTER_VOWEL = ("야", "네")
_CALLED = (
    "에게",
    "한테",
    "께서",
    "께",
    "씨",
    "님",
    "씨가",
    "님이",
    "씨는",
    "님은",
    "님께",
    "씨한테",
    "님한테",
)
_HINTS = ("씨", "님", "이가 ", "한테 ", "에게 ", "아 ", "아,", "아!", "야 ", "야,", "야!")
_OPENING = "\"'([<@ \t"
_WHOLE_NAME = 3


def certainty(text: str, start: int, end: int, known: Known) -> bool | None:
    """Return whether a spelling stands here for certain, doubtfully (False), or not at all (None).

    Args:
        text: Folded text with a break before and behind.
        start: Where the spelling begins.
        end: Behind its last character.
        known: What it is.
    """
    korean = _syllable(text[start]) and _syllable(text[end - 1])
    certain = (_korean if korean else _other)(text, start, end, known)
    # Before masking it was part of a longer run of letters: reviewers see what it is now.
    beside_mask = BLANK in (text[start - 1], text[end])
    return certain and not beside_mask if certain is not None else None


def _syllable(character: str) -> bool:
    return "가" <= character <= "힣"


def _glued(edge: str, beside: str) -> bool:
    """Tell whether two characters belong to one word of letters and digits."""
    return (edge.isalnum() or edge == "_") and (beside.isalnum() or beside == "_") and not _syllable(beside)


def _other(text: str, start: int, end: int, known: Known) -> bool | None:
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
    if text[opening] not in "\n" + BREAK:
        return False
    return text[end] in ":;>" or (text[end] == "," and not known.particle)


def _korean(text: str, start: int, end: int, known: Known) -> bool | None:
    if _syllable(text[start - 1]):
        return None
    alone = not _syllable(text[end])
    if known.word:
        named = text.startswith(_HINTS, end) and known.spelling not in words.KOREAN_PEOPLE
        return False if named or (alone and text[start - 1] == "@") else None
    if end - start >= _WHOLE_NAME:
        return known.certain
    consonant = (ord(text[end - 1]) - ord("가")) % 28 > 0
    called = _CALLED + (_CALLED_AFTER_CONSONANT if consonant else _CALLED_AFTER_VOWEL)
    if _followed(text, end, called):
        return known.certain
    fitting = _AFTER_ANY + (_AFTER_CONSONANT if consonant else _AFTER_VOWEL)
    if alone or _followed(text, end, fitting):
        # Two syllables may be a word that no list knows; what only a person is called is above.
        return False
    return None


def _followed(text: str, end: int, endings: tuple[str, ...]) -> bool:
    return any(text.startswith(one, end) and not _syllable(text[end + len(one)]) for one in endings)
