"""Names in English texts, by rules: capitals with a frequent name among them, or where a person is meant.

Texts with Korean in them are left to `korean_names`, which judges their Latin words, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from garim.masking import korean, words_en
from garim.masking.normalise import Batch
from garim.masking.open_names import OpenName
from garim.masking.open_names.lexicon_en import (
    ALSO_PLACES,
    GIVEN_NAMES,
    LABEL,
    NO_PERSON,
    PARTICLES,
    RELATION,
    SAYING,
    SIGN_OFF,
    SURNAMES,
    TITLE,
    TOLD,
)

_LETTER = "A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ"
_WORD = re.compile(rf"[{_LETTER}]+(?:['’\-][{_LETTER}]+)*")
_CAPITAL = re.compile(r"[A-ZÀ-ÖØ-Þ]|[Ā-ɏḀ-ỿ]")
_LOOK = 48
"""How far before and behind a name is looked: more than any cue is long."""
_MOST_WORDS = 4
_POSSESSIVE = re.compile("['’]s$")
_INNER = re.compile(r"(?:Mc|Mac|De|Di|Du|La|Le|Van|Fitz|O['’]|D['’])?.[^A-Z]*")
_BREAKING = words_en.FUNCTION_WORDS - {"will", "may", "sue", "art"} - PARTICLES
_PLACE_BEFORE = frozenset(
    ["san", "santa", "saint", "st", "los", "las", "el", "fort", "port", "mount", "lake", "new", "cape"]
)
_STUCK_BEFORE = frozenset("@#/\\._-~:=&$*<|`^+") | frozenset("0123456789")
_STUCK_BEHIND = re.compile(r"[@/\\_=|`^~<*+]|[.:][^\W_]|-|\d")

_BEFORE = re.compile(
    rf"(?:\b{TITLE}\.? "
    rf"|\b(?i:my|his|her|their|our|your|a) (?i:{RELATION}),? "
    r"|\b(?i:my (?:\w{1,20} )?name(?: is|'s|’s)|i am called|i'?m called|call me|named|nicknamed) "
    rf"|(?:\A|\n|[|;,]) {{0,3}}(?i:{LABEL}) {{0,2}}[:：=] {{0,3}}"
    rf"|\b(?i:{TOLD}) )\Z"
)
_GREETING = re.compile(
    r"(?:\A|[\n.!?] ?)(?i:dear|hi|hey|hello|thanks|thank you|thx|sorry|congrats|congratulations"
    r"|good (?:morning|evening|night)|happy birthday|goodbye|bye|welcome(?: back)?|yes|no|ok|okay),? \Z"
)
_AFTER_GREETING = re.compile(r" ?[,!.:;]| ?\Z|\n")
_SIGNED = re.compile(rf"(?:\A|\n)[ >]{{0,3}}(?i:{SIGN_OFF}) ?[,.!-]{{0,2}}\n{{1,3}} {{0,3}}\Z")
_BEHIND = re.compile(
    rf"(?: {SAYING}\b|['’]s (?:{RELATION}|birthday|phone|number|house|place|email)\b"
    r"| \(\d{2}\)|, \d{2},|,? \d{2} years? old)"
)
_ADDRESSED = re.compile(
    r" ?, (?i:can|could|would|will|please|you|do|did|don['’]?t|are|have|what|how|why|thanks|thank|let|i|we"
    r"|it['’]?s)\b| ?, {0,3}\Z"
)
_LINE_START = re.compile(r"(?:\A|\n) *\Z")
_LISTED = re.compile(r",? (?:and|or|&) |, ")
_INTRODUCED = re.compile(
    rf"(?i:\bmy name is (?:called )?|\bmy name['’]s )([{_LETTER}]{{3,20}})(?: ([{_LETTER}]{{3,20}}))?"
)


@dataclass(frozen=True, slots=True)
class _Word:
    """A word with a capital, or a particle between two."""

    start: int
    end: int
    text: str

    @property
    def low(self) -> str:
        return self.text.lower()

    @property
    def initial(self) -> bool:
        return len(self.text) == 1


class EnglishNames:
    """Detector of names in texts in Latin letters; see `OpenNameDetector`."""

    def detect(self, batch: Batch) -> Iterator[OpenName]:
        """Yield the names in a batch; see `OpenNameDetector`."""
        for index, text in enumerate(batch.texts):
            if any(map(korean.is_syllable, text)):
                continue
            base = batch.bounds(index)[0]
            for start, end in _names(text):
                low, high = base + start, base + end
                yield OpenName(low, high, batch.lowered[low:high])


def _names(text: str) -> Iterator[tuple[int, int]]:
    for match in _INTRODUCED.finditer(text):
        if not _says_nothing(match[1]):
            more = match[2] and not _says_nothing(match[2])
            yield match.start(1), match.end(2) if more else match.end(1)
    if not _CAPITAL.search(text):
        return
    runs = [words for run in _runs(text) if (words := _without_common(run))]
    sure = [_is_name(text, words) for words in runs]
    _agree(text, runs, sure)
    yield from ((words[0].start, words[-1].end) for words, known in zip(runs, sure, strict=True) if known)


def _says_nothing(word: str) -> bool:
    return word.lower() in words_en.COMMON_WORDS or word.lower() in NO_PERSON


def _agree(text: str, runs: Sequence[list[_Word]], sure: list[bool]) -> None:
    """Take for names what names make likely: others of a list, the surname of somebody named in full."""
    parts = {
        word.low
        for words, known in zip(runs, sure, strict=True)
        if known and len(words) > 1
        for word in words
    }
    for at, words in enumerate(runs):
        if not sure[at] and len(words) == 1 and words[0].low in parts:
            sure[at] = True
    for order in (range(1, len(runs)), range(len(runs) - 2, -1, -1)):
        step = -1 if order.step == 1 else 1
        for at in order:
            low, high = sorted((at, at + step))
            between = text[runs[low][-1].end : runs[high][0].start]
            if sure[at + step] and not sure[at] and _LISTED.fullmatch(between) and not _is_odd(runs[at]):
                sure[at] = True


def _is_odd(words: Sequence[_Word]) -> bool:
    """Tell whether words with capitals are a place's or an organisation's, or end in a letter alone."""
    return words[0].initial or words[-1].initial or any(_says_nothing(word.text) for word in words)


def _runs(text: str) -> Iterator[list[_Word]]:
    """Yield stretches of words with a capital, one space apart, with particles inside."""
    run: list[_Word] = []
    waiting: list[_Word] = []
    for match in _WORD.finditer(text):
        bare = _POSSESSIVE.sub("", match[0])
        word = _Word(match.start(), match.start() + len(bare), bare)
        last = (waiting or run or [word])[-1]
        between = text[last.end : word.start]
        joined = between == " " or (between == ". " and last.initial)
        if run and not (joined and len(run) < _MOST_WORDS):
            yield run
            run, waiting = [], []
        if _is_capital(text, word) and word.low not in _BREAKING:
            run += [*waiting, word]
            waiting = []
        elif run and word.low in PARTICLES and not waiting:
            waiting = [word]
        elif run:
            yield run
            run, waiting = [], []
    if run:
        yield run


def _is_capital(text: str, word: _Word) -> bool:
    if not _CAPITAL.match(word.text) or not (word.initial or any(map(str.islower, word.text))):
        return False
    if word.start and text[word.start - 1] in _STUCK_BEFORE:
        return False
    # A capital inside a word is a brand's or a nick's, but for McDonald and the like.
    return all(map(_INNER.fullmatch, word.text.split("-"))) and _STUCK_BEHIND.match(text, word.end) is None


def _is_name(text: str, words: Sequence[_Word]) -> bool:
    """Tell whether words with capitals are somebody's name."""
    if words[0].initial:
        return False
    if _is_somebody(text, words):
        return True
    if any(word.low in NO_PERSON for word in words) or words[-1].initial:
        return False
    start = words[0].start
    before = text[max(0, start - _LOOK) : start].rstrip().rpartition(" ")[2].lower()
    if words[0].low in GIVEN_NAMES and before not in _PLACE_BEFORE:
        return len(words) > 1 or words[0].low not in ALSO_PLACES
    known = len(words) > 1 and words[-1].low in SURNAMES and before not in _PLACE_BEFORE
    # Vitamin C Serum has a letter inside, and only a name's has a full stop.
    return known or any(word.initial and text[word.end] == "." for word in words[1:-1])


def _without_common(run: list[_Word]) -> list[_Word]:
    """Return a run without the everyday words that it begins and ends with."""
    low, high = 0, len(run)
    while low < high and _is_common(run[low]):
        low += 1
    while high > low and _ends_nothing(run[high - 1]):
        high -= 1
    return run[low:high]


def _ends_nothing(word: _Word) -> bool:
    # A word that makes a place of a name (Peter Street) stays, so that it is seen.
    return word.low in PARTICLES or (word.low in words_en.COMMON_WORDS and word.low not in NO_PERSON)


def _is_common(word: _Word) -> bool:
    if word.low in GIVEN_NAMES:
        return False
    low = re.split("['’]", word.low)[0]
    title = re.fullmatch(TITLE, word.text) is not None
    return title or low in words_en.COMMON_WORDS or low in NO_PERSON


def _is_somebody(text: str, words: Sequence[_Word]) -> bool:
    """Tell whether what stands around says that a person is meant."""
    start, end = words[0].start, words[-1].end
    reach = max(0, start - _LOOK), start
    if _BEFORE.search(text, *reach) or _BEHIND.match(text, end):
        return True
    called = len(words) == 1 and not words[0].low.endswith("ly")
    if called and _LINE_START.search(text, *reach) and _ADDRESSED.match(text, end):
        return True
    if _GREETING.search(text, *reach) and _AFTER_GREETING.match(text, end):
        return True
    return _SIGNED.search(text, *reach) is not None and (end == len(text) or text[end] == "\n")
