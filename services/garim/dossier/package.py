"""Write a package: a zip archive, streamed, in the order an investigator meets its parts.

Contents: `README.txt`, `about.json`, `messages.jsonl`, `identities.jsonl` (sorted by pseudonym),
`commitments/salts.txt`, `commitments/roots.json`, `transcript/*.html`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from typing import IO

from garim.dossier import transcript
from garim.dossier.archive import Archive, Part, deflate
from garim.dossier.book import Book
from garim.dossier.commitments import identity_leaf
from garim.dossier.opened_identity import OpenedIdentity
from garim.dossier.outline import names_page, page_name, survey
from garim.dossier.pages import pages_of
from garim.statements import strict_json
from garim.translog.encoding import HASH_BYTES
from garim.translog.tree import Frontier, hash_leaf

README = "README.txt"
ABOUT = "about.json"
MESSAGES = "messages.jsonl"
IDENTITIES = "identities.jsonl"
SALTS = "commitments/salts.txt"
ROOTS = "commitments/roots.json"
TRANSCRIPT = "transcript/"


@dataclass(frozen=True, slots=True)
class Roots:
    """What the receipt commits to.

    Args:
        identities_root: Merkle root of the identities, 32 bytes.
        identities: How many.
        messages_root: Merkle root of the messages, 32 bytes.
        messages: How many.
    """

    identities_root: bytes
    identities: int
    messages_root: bytes
    messages: int


class PackageWriter:
    """Writes a package front to back; its methods are called once each, in the order of this file.

    It holds the edge of each Merkle tree and nothing that grows with messages.

    Args:
        target: Takes the zip archive's bytes, usually the plaintext side of the encryption to the recipient;
            need not be seekable.
        about: What the index and `about.json` say.
        opaque: How many secret-chat messages exist.
    """

    def __init__(self, target: IO[bytes], about: transcript.About, opaque: int) -> None:
        self._archive = Archive(target)
        self._about, self._opaque = about, opaque
        self._messages = self._identities = Frontier()
        readme = resources.files("garim.dossier").joinpath("package_readme.txt").read_bytes()
        self._archive.write(README, readme)
        facts = {"format": "garim-dossier/1", **asdict(about), "opaque": opaque}
        self._archive.write(ABOUT, strict_json.dump(facts))

    def messages(self, pages: Iterable[tuple[Part, bytes]]) -> None:
        """Write the messages.

        Args:
            pages: Lines and joined leaf hashes of each page, by conversation and page; each is let go of
                before the next is taken.
        """
        self._archive.stream(MESSAGES, self._counted(pages))

    def identities(self, identities: Iterable[tuple[str, str, bytes]]) -> None:
        """Write the sealed identities.

        Args:
            identities: Pseudonym, type and sealed identity, sorted by pseudonym; empty in erased mode.
        """
        self._archive.stream(IDENTITIES, self._sealed(identities))

    def salts(self, parts: Iterable[Part]) -> None:
        """Write the messages' salts, in the messages' order; behind them the roots."""
        self._archive.stream(SALTS, parts)
        roots = self.roots()
        self._archive.write(
            ROOTS,
            strict_json.dump(
                {
                    "identities": roots.identities,
                    "identities_root": roots.identities_root.hex(),
                    "messages": roots.messages,
                    "messages_root": roots.messages_root.hex(),
                }
            ),
        )

    def transcript(self, book: Book, pages: Iterable[tuple[int, int, Part]]) -> None:
        """Write the transcript and end the archive.

        Args:
            book: What the pages draw on.
            pages: Conversation, page and HTML of each, in order.
        """
        rooms, has_names = book.outline.rooms, bool(book.outline.names)
        index = transcript.index_page(self._about, rooms, self._opaque, has_names)
        self._archive.write(TRANSCRIPT + "index.html", index)
        for room, page, part in pages:
            self._archive.stream(TRANSCRIPT + page_name(room, page), [part])
        for number in range(1, len(book.listed) + 1):
            listed = transcript.names_page_of(number, book)
            self._archive.write(TRANSCRIPT + names_page(number), listed)
        self._archive.close()

    def roots(self) -> Roots:
        """Return the roots that custody is to sign."""
        identities, messages = self._identities, self._messages
        return Roots(identities.root(), identities.size, messages.root(), messages.size)

    def _counted(self, pages: Iterable[tuple[Part, bytes]]) -> Iterator[Part]:
        for lines, leaves in pages:
            hashes = [leaves[at : at + HASH_BYTES] for at in range(0, len(leaves), HASH_BYTES)]
            self._messages, _ = self._messages.extend(hashes)
            yield lines

    def _sealed(self, identities: Iterable[tuple[str, str, bytes]]) -> Iterator[Part]:
        for pseudonym, kind, sealed in identities:
            leaf = hash_leaf(identity_leaf(pseudonym, sealed))
            self._identities, _ = self._identities.extend([leaf])
            row = {"pseudonym": pseudonym, "type": kind, "sealed": base64.b64encode(sealed).decode()}
            yield deflate(strict_json.dump(row) + b"\n")


def render_transcript(
    about: transcript.About,
    lines: Callable[[], Iterable[bytes]],
    opaque: int,
    write: Callable[[str, bytes], None],
    opened: Mapping[str, OpenedIdentity] | None = None,
) -> None:
    """Write all transcript pages.

    Args:
        about: The dossier.
        lines: Returns the message lines in order, each time anew.
        opaque: How many secret-chat messages exist.
        write: Takes a file name and its bytes.
        opened: Released identities by pseudonym.
    """
    outline = survey(lines())
    write("index.html", transcript.index_page(about, outline.rooms, opaque, bool(outline.names)))
    book = Book(outline, opened or {}, about.times)
    for room, number, messages in pages_of(lines()):
        rows = [one.to_json() for one in messages]
        write(page_name(room, number), transcript.room_page(room, number, rows, book))
    for number in range(1, len(outline.listed()) + 1):
        write(names_page(number), transcript.names_page_of(number, book))
