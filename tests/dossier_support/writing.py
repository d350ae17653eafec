"""A whole package in one call, made of the steps that a redaction attempt takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import IO

from garim.dossier.book import Book
from garim.dossier.outline import survey
from garim.dossier.package import PackageWriter, Roots
from garim.dossier.pages import make_page, pages_of, read_page
from garim.dossier.transcript import About


def write_package(
    target: IO[bytes],
    *,
    about: About,
    lines: Sequence[bytes],
    identities: Iterable[tuple[str, str, bytes]],
    opaque: int,
    random_bytes: Callable[[int], bytes],
) -> Roots:
    """Write a package from its ordered lines and sorted identities."""
    book = Book(survey(lines), {})
    made, at = [], 0
    for room, page, messages in pages_of(lines):
        own = lines[at : at + len(messages)]
        made.append((room, page, make_page(room, page, own, read_page(own), book, random_bytes)))
        at += len(own)
    writer = PackageWriter(target, about, opaque)
    writer.messages((one.lines, one.leaves) for _, _, one in made)
    writer.identities(identities)
    writer.salts(one.salts for _, _, one in made)
    writer.transcript(book, ((room, page, one.html) for room, page, one in made))
    return writer.roots()
