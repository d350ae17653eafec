"""The demo's own leak scan: does any bystander stand in the opened dossier?

It reads what an investigator reads, the masked messages and the pages of the transcript without their marks,
and looks for every bystander's names and identifiers, in ways of its own. A name that is also a common word,
the subject's own, or too short to mean anybody by itself is counted apart: text alone cannot tell.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from garim.dossier.opening import OpenedDossier
from garim.importers import Member
from garim.masking import words_en, words_ko

_PSEUDONYM = re.compile(r"[A-Z][A-Z0-9_]{0,30}-[0-9A-Z]{5}-[0-9A-Z]{5}")
_DIGITS = re.compile(r"[0-9](?:[ \-.()/·~_]{0,3}[0-9]){7,}")
_HANGUL = re.compile(r"[가-힣]+\Z")


@dataclass(frozen=True, slots=True)
class Leaks:
    """What the scan found.

    Attributes:
        certain: Places where somebody stands; nothing of them is kept.
        doubtful: Occurrences of forms that may mean somebody, or only a word.
        forms: How many forms were looked for.
    """

    certain: tuple[str, ...]
    doubtful: int
    forms: int


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _texts(dossier: OpenedDossier) -> Iterator[tuple[str, str]]:
    for line in dossier.messages():
        yield line.number, line.text
        if line.sender.pseudonym is not None:
            yield line.number, f"{line.sender.account or ''} {line.sender.name or ''}"
    for page in sorted((dossier.folder / "transcript").glob("*.html")):
        yield page.name, _page_text(page)


def _page_text(page: Path) -> str:
    parser = _Text()
    parser.feed(page.read_text(encoding="utf-8"))
    return " ".join(parser.parts)


def _certain(form: str, subject_forms: set[str]) -> bool:
    if form in subject_forms or any(form in own for own in subject_forms):
        return False
    if form in words_ko.COMMON_WORDS or form in words_en.EVERYDAY_WORDS or form in words_en.COMMON_WORDS:
        return False
    return len(form) >= (2 if _HANGUL.match(form) else 3) and not form.isdigit()


def _pattern(form: str) -> re.Pattern[str]:
    if not _HANGUL.match(form):
        return re.compile(rf"(?<![0-9a-z_]){re.escape(form)}(?![0-9a-z_])")
    # A Korean particle follows a name directly; before a short one another word may end that way.
    return re.compile(re.escape(form) if len(form) > 2 else rf"(?<![가-힣]){re.escape(form)}")


def _names(member: Member) -> Iterator[str]:
    for text in (member.name, *member.other_names, member.account, member.email):
        folded = " ".join(_folded(text).split())
        if folded:
            yield folded
    _, colon, own = member.account.partition(":")
    if colon:
        yield _folded(own)


def _ends(phone: str) -> Iterator[str]:
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", phone))
    if len(digits) >= 8:
        # Its last eight digits are the subscriber's, with or without the country's and network's code.
        yield digits[-8:]


def scan(dossier: OpenedDossier, bystanders: Iterable[Member], subject: Member) -> Leaks:
    """Look for bystanders in an opened dossier.

    Args:
        dossier: The opened package.
        bystanders: Everybody but the subject.
        subject: The subject, whose own names may stand.
    """
    people = list(bystanders)
    subject_forms = {*_names(subject)}
    forms = {form for member in people for form in _names(member)}
    certain = {form: _pattern(form) for form in forms if _certain(form, subject_forms)}
    doubtful = {form: _pattern(form) for form in forms - certain.keys()}
    numbers = {end for member in people for end in _ends(member.phone)} - {*_ends(subject.phone)}
    places: list[str] = []
    unsure = 0
    for place, raw in _texts(dossier):
        text = _folded(_PSEUDONYM.sub(" ", raw))
        places += [place for form, pattern in certain.items() if form in text and pattern.search(text)]
        unsure += sum(1 for form, pattern in doubtful.items() if form in text and pattern.search(text))
        for run in _DIGITS.findall(text):
            digits = re.sub(r"\D", "", run)
            places += [place for end in numbers if end in digits]
    return Leaks(tuple(places), unsure, len(forms) + len(numbers))
