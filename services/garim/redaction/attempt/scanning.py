"""What the leak scan is told, what it decides about lines, and the watch over a package as it leaves."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import IO

from garim.dossier.book import Book
from garim.dossier.lines import AttachmentNote, Mask, MessageLine, Sender, number
from garim.dossier.outline import PAGE_MESSAGES, PAGE_NAMES, Outline
from garim.dossier.package import PackageWriter
from garim.dossier.pages import make_page, read_page
from garim.dossier.times import rfc3339
from garim.dossier.transcript import About
from garim.leakscan.package import PackageScan, Scanned, forms_of
from garim.leakscan.scan import LeakScan
from garim.masking.infotype import InfoType
from garim.masking.people import Person
from garim.redaction.attempt.lines import KINDS
from garim.statements.refusal import RefusedError

_DAY_MS = 86_400_000
_NO_DIGEST = "0" * 64


def line_scan(people: Mapping[str, Person], table: Iterable[tuple[str, str, str]]) -> LeakScan:
    """Return the scan of one attempt.

    Args:
        people: Everybody by account id.
        table: The attempt's pseudonyms with kind and canonical value.
    """
    subjects = [one for one in people.values() if one.subject]
    return LeakScan(
        [one for one in people.values() if not one.subject],
        [name for one in subjects for name in one.names],
        [own for one in subjects for own in (one.account, *one.phones, *one.emails)],
        table,
    )


def package_scan(scan: LeakScan, scanned: Scanned, people: Mapping[str, Person], about: About) -> PackageScan:
    """Return the scan of the finished package.

    Args:
        scan: From `line_scan`.
        scanned: Takes what workers have scanned, before the package says it.
        people: Everybody by account id: subjects are shown by account and name.
        about: What the package says of itself: it may say so.
    """
    shown = {own for one in people.values() if one.subject for own in (one.account, *one.names)}
    stated = {about.dossier, about.authority, about.case_number, about.number}
    return PackageScan(scan, scanned, forms_of(blank_package(about)), shown | stated)


class Watched:
    """A stream that is scanned while it is read.

    Args:
        source: The stream.
        scan: Takes its bytes.
    """

    def __init__(self, source: IO[bytes], scan: PackageScan) -> None:
        self._source = source
        self._scan = scan
        self.refusal: RefusedError | None = None

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; none after a finding, when whoever writes is read to the end and dropped."""
        data = self._source.read(size)
        try:
            if data:
                self._scan.feed(data)
            else:
                self._scan.close()
        except RefusedError as refusal:
            self.refusal = refusal
            while self._source.read(1 << 20):
                pass
            return b""
        return data


def blank_package(about: About) -> bytes:
    """Return a package of invented messages: all it says is what every package says.

    Args:
        about: Its mode and how it was masked are kept.
    """
    blank = replace(about, dossier="-", authority="-", case_number="-", number="-")
    lines = [_blank_line(place).to_bytes() for place in range(max(PAGE_MESSAGES, PAGE_NAMES) + 1)]
    target = io.BytesIO()
    outline = Outline()
    messages = [_blank_line(place) for place in range(max(PAGE_MESSAGES, PAGE_NAMES) + 1)]
    for message in messages:
        outline.take(message)
    writer = PackageWriter(target, blank, opaque=1)
    book = Book(outline, {}, about.times)
    made = []
    for page, at in enumerate(range(0, len(messages), PAGE_MESSAGES), 1):
        lines = [one.to_bytes() for one in messages[at : at + PAGE_MESSAGES]]
        made.append(make_page(1, page, lines, read_page(lines), book, bytes))
    writer.messages((page.lines, page.leaves) for page in made)
    writer.identities((f"{kind.prefix}-AAAAA-AAAAA", kind.value, bytes(1_024)) for kind in InfoType)
    writer.salts(page.salts for page in made)
    writer.transcript(book, ((1, place, page.html) for place, page in enumerate(made, 1)))
    return target.getvalue()


def _blank_line(place: int) -> MessageLine:
    """Return an invented line; so many of them hold every kind of message, value and day of the week."""
    kinds, types = list(KINDS.values()), list(InfoType)
    kind, type_ = kinds[place % len(kinds)], types[place % len(types)]
    own, often = f"P-{place:05d}-AAAAA", f"{type_.prefix}-{place % len(types):05d}-BBBBB"
    subject = place % 2 == 0
    at = place % 7 * _DAY_MS
    return MessageLine(
        number=number(1, place + 1),
        at=at,
        time=rfc3339(at),
        sender=Sender(pseudonym=None, account="-", name="-", commitment=None)
        if subject
        else Sender(pseudonym=own, account=None, name=None, commitment=_NO_DIGEST),
        kind=kind,
        text=f"{own} {often}",
        masks=(
            Mask(start=0, end=len(own), pseudonym=own, type=InfoType.PERSON.value, commitment=_NO_DIGEST),
            Mask(
                start=len(own) + 1,
                end=len(own) + 1 + len(often),
                pseudonym=often,
                type=type_.value,
                commitment=_NO_DIGEST,
            ),
        ),
        attachment=AttachmentNote(media_type="image/png", size=1, sha256=_NO_DIGEST) if place % 3 else None,
    )
