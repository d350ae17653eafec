"""A worker's second pass: a page of masked lines is scanned, then compressed for the package."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from garim.dossier.archive import Part
from garim.dossier.book import Book
from garim.dossier.pages import make_page, read_page
from garim.leakscan.package import Scanned
from garim.masking.people import Person
from garim.redaction.attempt.batches import Finish, FinishedPage, KeptPart, Page
from garim.redaction.attempt.job import Hold
from garim.redaction.attempt.lines import Origin
from garim.redaction.attempt.scanning import line_scan
from garim.redaction.attempt.spool import Spool, Spools
from garim.statements.refusal import Kind, RefusedError


class PageWork:
    """Scans and packs pages.

    Args:
        finish: The whole dossier's outline and table.
        people: Everybody by account id.
        spools: The attempt's.
        own: The worker's own of them.
    """

    def __init__(self, finish: Finish, people: Mapping[str, Person], spools: Spools, own: Spool) -> None:
        self._book = Book(finish.outline, {}, finish.times)
        self._lifted = finish.lifted
        self._spools = spools
        self._own = own
        self._scan = line_scan(people, finish.table)

    def finish(self, page: Page) -> FinishedPage:
        """Scan what is about to leave, in the bytes in which it leaves, and compress it.

        Raises:
            RefusedError: `LEAK_FOUND`.
        """
        lines, origins = self._read(page)
        messages = read_page(lines)
        holds = self._scanned(messages, origins)
        made = make_page(page.room, page.page, lines, messages, self._book, secrets.token_bytes)
        return FinishedPage(
            room=page.room,
            page=page.page,
            messages=len(lines),
            lines=made.lines,
            leaves=made.leaves,
            salts=self._kept(made.salts),
            html=self._kept(made.html),
            holds=holds,
            scanned=Scanned(zip(lines, (one["text"] for one in messages), strict=True)),
        )

    def _scanned(self, messages: Sequence[Mapping[str, Any]], origins: Sequence[bytes]) -> list[Hold]:
        """Scan a page; a certain leak ends the attempt.

        Raises:
            RefusedError: `LEAK_FOUND`.
        """
        holds: list[Hold] = []
        for leak in self._scan.scan([one["text"] for one in messages]):
            masks = messages[leak.index]["masks"]
            place = Origin.decode(origins[leak.index]).place(masks, leak.start, leak.end)
            # A lift covers what was ambiguous when people judged it; what is certain now blocks.
            if leak.certain:
                raise RefusedError(
                    "LEAK_FOUND",
                    f"the final scan found a bystander's identifier ({leak.type}) that masking left: "
                    f"{messages[leak.index]['number']}, text, characters {leak.start} to {leak.end}; "
                    "nothing left",
                    kind=Kind.DATA_LOSS,
                )
            if place not in self._lifted:
                holds.append(Hold(place=place, reason=f"ambiguous-{leak.type.lower()}"))
        return holds

    def _read(self, page: Page) -> tuple[list[bytes], list[bytes]]:
        lines: list[bytes] = []
        origins: list[bytes] = []
        for kept, skip, take in page.pieces:
            parts = list(_parts(self._spools.get(kept)))
            lines += parts[2 * skip : 2 * (skip + take) : 2]
            origins += parts[2 * skip + 1 : 2 * (skip + take) : 2]
        return lines, origins

    def _kept(self, part: Part) -> KeptPart:
        return KeptPart(self._own.put(part.deflated), part.crc, part.size)


def _parts(chunk: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(chunk):
        length = int.from_bytes(chunk[at : at + 4], "big")
        yield chunk[at + 4 : at + 4 + length]
        at += 4 + length
