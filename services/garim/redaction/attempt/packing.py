"""Write the package, encrypted to its recipient while it is written, and seal the identities into it."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TypeVar

import pyrage

from garim.dossier.archive import Part
from garim.dossier.book import Book
from garim.dossier.opened_identity import sealed_object
from garim.dossier.outline import PAGE_MESSAGES, Outline
from garim.dossier.package import PackageWriter, Roots
from garim.dossier.transcript import About
from garim.leakscan.package import PackageScan, Scanned
from garim.masking.infotype import InfoType
from garim.masking.people import Person
from garim.masking.pseudonyms import PseudonymTable
from garim.redaction.attempt.batches import Chunk, KeptPart, Page
from garim.redaction.attempt.job import Event, Hold, Progress
from garim.redaction.attempt.scanning import Watched
from garim.redaction.attempt.spool import Kept
from garim.redaction.attempt.workshop import Workshop
from garim.sealing import identity
from garim.sealing.secret import Secret
from garim.statements import strict_json
from garim.statements.refusal import RefusedError

T = TypeVar("T")


class _Hashing:
    """A file that hashes what is written to it."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._target.write(data)

    def flush(self) -> None:
        self._target.flush()


class HeldError(Exception):
    """The scan found places that people must judge.

    Args:
        holds: The places.
    """

    def __init__(self, holds: list[Hold]) -> None:
        super().__init__()
        self.holds = holds


class Packing:
    """Writes one attempt's package from what its workers have spooled.

    Args:
        about: What its index says.
        outline: Of all its messages.
        chunks: Where each conversation's lines lie, in order; by its number.
        opaque: How many secret-chat messages exist.
        shop: The attempt's spools and workers, who have been told to finish.
        emit: Takes progress.
        scanned: Takes what workers have scanned.
    """

    def __init__(
        self,
        *,
        about: About,
        outline: Outline,
        chunks: Mapping[int, Sequence[Chunk]],
        opaque: int,
        shop: Workshop,
        emit: Callable[[Event], None],
        scanned: Scanned,
    ) -> None:
        self._scanned = scanned
        self._about = about
        self._outline = outline
        self._chunks = chunks
        self._opaque = opaque
        self._shop = shop
        self._emit = emit
        self._pages: list[tuple[int, int, KeptPart, KeptPart]] = []

    def write(self, sink: IO[bytes], identities: Iterable[tuple[str, str, bytes]]) -> Roots:
        """Write the archive.

        Args:
            sink: Takes its bytes.
            identities: Pseudonym, type and sealed identity, sorted.

        Raises:
            HeldError: Somebody must judge places first.
            RefusedError: `LEAK_FOUND`, `ATTEMPT_DIED`.
        """
        writer = PackageWriter(sink, self._about, self._opaque)
        writer.messages(self._finished())
        writer.identities(identities)
        writer.salts(self._part(salts) for _, _, salts, _ in self._pages)
        pages = ((room, page, self._part(html)) for room, page, _, html in self._pages)
        writer.transcript(Book(self._outline, {}, self._about.times), pages)
        return writer.roots()

    def _finished(self) -> Iterator[tuple[Part, bytes]]:
        """Have every page scanned and compressed; none is used where one is held."""
        holds: list[Hold] = []
        done = 0
        for one in self._shop.crew.run(self._tasks()):
            holds += one.holds
            self._pages.append((one.room, one.page, one.salts, one.html))
            self._scanned.extend(one.scanned)
            done += one.messages
            self._emit(Progress(stage="scanning", done=done))
            yield one.lines, one.leaves
        if holds:
            raise HeldError(holds)
        self._emit(Progress(stage="packing", done=done))

    def _tasks(self) -> Iterator[Page]:
        """Cut every conversation's chunks into pages."""
        for room in sorted(self._chunks):
            page, pieces, free = 1, list[tuple[Kept, int, int]](), PAGE_MESSAGES
            for chunk in self._chunks[room]:
                skip = 0
                while skip < chunk.lines:
                    take = min(free, chunk.lines - skip)
                    pieces.append((chunk.kept, skip, take))
                    skip, free = skip + take, free - take
                    if not free:
                        yield Page(room, page, pieces)
                        page, pieces, free = page + 1, [], PAGE_MESSAGES
            if pieces:
                yield Page(room, page, pieces)

    def _part(self, kept: KeptPart) -> Part:
        return Part(self._shop.spools.get(kept.kept), kept.crc, kept.size)


def sealed_identities(
    table: PseudonymTable, people: dict[str, Person], secret: Secret, mesh: str, dossier: bytes
) -> Iterator[tuple[str, str, bytes]]:
    """Yield pseudonym, type and sealed identity of everything the table stands for, sorted by pseudonym."""
    by_key = {person.key: person for person in people.values()}
    for pseudonym, kind, value in sorted(table.items()):
        facts = _identity(kind, value, by_key)
        plain = strict_json.dump(sealed_object(facts, table.opening(pseudonym), table.originals(pseudonym)))
        fresh = secrets.token_bytes(identity.FRESH_BYTES)
        yield pseudonym, kind.value, identity.seal_identity(secret, mesh, dossier, pseudonym, plain, fresh)


def _identity(kind: InfoType, value: str, people: dict[str, Person]) -> dict[str, object]:
    person = people.get(value) if kind is InfoType.PERSON else None
    if person is None:
        return {"type": kind.value, "value": value.removeprefix("name:")}
    return {
        "type": kind.value,
        "value": person.account,
        "account": person.account,
        "names": person.names,
        "phones": person.phones,
        "emails": person.emails,
    }


def write_encrypted(
    path: Path, recipient: str, produce: Callable[[IO[bytes]], T], scan: PackageScan
) -> tuple[T, bytes, int]:
    """Write a durable package.

    Args:
        path: Where it lies; must not exist. It is gone again where the package does not come to its end.
        recipient: The age public key.
        produce: Writes the archive.
        scan: Sees every byte before it is encrypted.

    Returns:
        What `produce` returned, the SHA-256 of the encrypted package, and its size in bytes.

    Raises:
        RefusedError: `RECIPIENT` where it is no age public key; what `produce` and the scan raise.
    """
    try:
        to = pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        raise RefusedError("RECIPIENT", "the recipient is no age public key", field="recipient") from None
    try:
        return _encrypted(path, to, produce, scan)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _encrypted(
    path: Path, to: pyrage.x25519.Recipient, produce: Callable[[IO[bytes]], T], scan: PackageScan
) -> tuple[T, bytes, int]:
    reading, writing = os.pipe()
    done: list[T] = []
    failed: list[BaseException] = []

    def write() -> None:
        # Closing the pipe without a whole archive ends the encryption; the error is raised below.
        with os.fdopen(writing, "wb", buffering=1 << 20) as sink:
            try:
                done.append(produce(sink))
            except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
                failed.append(error)

    producer = threading.Thread(target=write, name="package")
    with path.open("xb") as target, os.fdopen(reading, "rb") as source:
        path.chmod(0o600)
        hashing = _Hashing(target)
        producer.start()
        watched = Watched(source, scan)
        pyrage.encrypt_io(watched, hashing, [to])
        producer.join()
        if failed:
            raise failed[0]
        if watched.refusal:
            raise watched.refusal
        target.flush()
        os.fsync(target.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return done[0], hashing.digest.digest(), hashing.size
