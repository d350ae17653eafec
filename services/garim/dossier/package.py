"""Write a package: a zip archive, streamed, in the order an investigator meets its parts.

Contents: `README.txt`, `about.json`, `messages.jsonl`, `identities.jsonl` (sorted by pseudonym),
`commitments/salts.txt`, `commitments/roots.json`, `transcript/*.html`.
"""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from typing import IO

from garim.dossier import transcript
from garim.dossier.commitments import SALT_BYTES, content_digest, identity_leaf, message_leaf
from garim.dossier.lines import MessageLine, conversation_of
from garim.dossier.opened_identity import OpenedIdentity
from garim.dossier.outline import PAGE_MESSAGES, Outline, names_page, page_name, survey
from garim.statements import strict_json
from garim.translog.memory import MemoryTree

README = "README.txt"
ABOUT = "about.json"
MESSAGES = "messages.jsonl"
IDENTITIES = "identities.jsonl"
SALTS = "commitments/salts.txt"
ROOTS = "commitments/roots.json"
TRANSCRIPT = "transcript/"
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


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


class _Archive:
    """A zip archive whose entries carry no date and no owner."""

    def __init__(self, target: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6)

    def entry(self, name: str) -> IO[bytes]:
        info = zipfile.ZipInfo(name, _ZIP_DATE)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        return self._zip.open(info, "w", force_zip64=True)

    def write(self, name: str, data: bytes) -> None:
        with self.entry(name) as target:
            target.write(data)

    def close(self) -> None:
        self._zip.close()


def _write_messages(
    archive: _Archive, lines: Iterable[bytes], random_bytes: Callable[[int], bytes]
) -> tuple[MemoryTree, list[bytes], Outline]:
    tree, salts, outline = MemoryTree(), [], Outline()
    leaves: list[bytes] = []
    with archive.entry(MESSAGES) as target:
        for line in lines:
            salt = random_bytes(SALT_BYTES)
            message = MessageLine.from_bytes(line)
            leaves.append(message_leaf(message.number, message.pseudonyms(), content_digest(salt, line)))
            salts.append(salt)
            outline.take(message)
            target.write(line + b"\n")
    tree.append(leaves)
    return tree, salts, outline


def _write_identities(archive: _Archive, identities: Iterable[tuple[str, str, bytes]]) -> MemoryTree:
    tree = MemoryTree()
    with archive.entry(IDENTITIES) as target:
        for pseudonym, kind, sealed in identities:
            tree.append([identity_leaf(pseudonym, sealed)])
            row = {"pseudonym": pseudonym, "type": kind, "sealed": base64.b64encode(sealed).decode()}
            target.write(strict_json.dump(row) + b"\n")
    return tree


def pages_of(lines: Iterable[bytes]) -> Iterator[tuple[int, int, list[MessageLine], bool]]:
    """Cut ordered message lines into transcript pages.

    Yields:
        Conversation, page number, the page's messages, and whether it is the conversation's last page.
    """
    page: list[MessageLine] = []
    number = 1
    for line in lines:
        message = MessageLine.from_bytes(line)
        if page and conversation_of(page[0].number) != conversation_of(message.number):
            yield conversation_of(page[0].number), number, page, True
            page, number = [], 1
        elif len(page) == PAGE_MESSAGES:
            yield conversation_of(page[0].number), number, page, False
            page, number = [], number + 1
        page.append(message)
    if page:
        yield conversation_of(page[0].number), number, page, True


def render_transcript(
    about: transcript.About,
    lines: Callable[[], Iterable[bytes]],
    opaque: int,
    write: Callable[[str, bytes], None],
    opened: Mapping[str, OpenedIdentity] | None = None,
    outline: Outline | None = None,
) -> None:
    """Write all transcript pages.

    Args:
        about: The dossier.
        lines: Returns the message lines in order, each time anew.
        opaque: How many secret-chat messages exist.
        write: Takes a file name and its bytes.
        opened: Released identities by pseudonym.
        outline: From `survey`, where that was done already.
    """
    outline = survey(lines()) if outline is None else outline
    write("index.html", transcript.index_page(about, outline.rooms, opaque, bool(outline.names)))
    book = transcript.Book(outline, opened or {}, about.times)
    for room, number, messages, _ in pages_of(lines()):
        write(page_name(room, number), transcript.room_page(room, number, messages, book))
    for number in range(1, len(outline.listed()) + 1):
        write(names_page(number), transcript.names_page_of(number, book))


def write_package(
    target: IO[bytes],
    *,
    about: transcript.About,
    lines: Callable[[], Iterable[bytes]],
    identities: Iterable[tuple[str, str, bytes]],
    opaque: int,
    random_bytes: Callable[[int], bytes],
) -> Roots:
    """Write a package to a stream that need not be seekable.

    Args:
        target: Takes the zip archive's bytes, usually the plaintext side of the encryption to the recipient.
        about: What the index and `about.json` say.
        lines: Returns the encoded message lines in order of conversation and place, each time anew.
        identities: Pseudonym, type and sealed identity, sorted by pseudonym; empty in erased mode.
        opaque: How many secret-chat messages exist.
        random_bytes: Draws the messages' salts.

    Returns:
        The roots that custody is to sign.
    """
    archive = _Archive(target)
    archive.write(README, resources.files("garim.dossier").joinpath("package_readme.txt").read_bytes())
    archive.write(ABOUT, strict_json.dump({"format": "garim-dossier/1", **asdict(about), "opaque": opaque}))
    messages, salts, outline = _write_messages(archive, lines(), random_bytes)
    sealed = _write_identities(archive, identities)
    archive.write(SALTS, b"".join(salt.hex().encode() + b"\n" for salt in salts))
    roots = Roots(sealed.root(), sealed.size, messages.root(), messages.size)
    archive.write(
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
    render_transcript(
        about, lines, opaque, lambda name, data: archive.write(TRANSCRIPT + name, data), outline=outline
    )
    archive.close()
    return roots
