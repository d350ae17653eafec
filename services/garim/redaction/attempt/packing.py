"""Write the package, encrypted to its recipient while it is written, and seal the identities into it."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

import pyrage

from garim.dossier.opened_identity import sealed_object
from garim.dossier.package import Roots, write_package
from garim.dossier.transcript import About
from garim.masking.infotype import InfoType
from garim.masking.people import Person
from garim.masking.pseudonyms import PseudonymTable
from garim.sealing import identity
from garim.sealing.secret import Secret
from garim.statements import strict_json
from garim.statements.refusal import RefusedError


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
    path: Path,
    recipient: str,
    *,
    about: About,
    lines: Callable[[], Iterable[bytes]],
    identities: Iterable[tuple[str, str, bytes]],
    opaque: int,
) -> tuple[Roots, bytes, int]:
    """Write a durable package.

    Args:
        path: Where it lies; must not exist.
        recipient: The age public key.
        about: What its index says.
        lines: Returns the message lines in order, each time anew.
        identities: Pseudonym, type and sealed identity, sorted.
        opaque: How many secret-chat messages exist.

    Returns:
        The roots, the SHA-256 of the encrypted package, and its size in bytes.

    Raises:
        RefusedError: `RECIPIENT` where it is no age public key.
    """
    try:
        to = pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        raise RefusedError("RECIPIENT", "the recipient is no age public key", field="recipient") from None
    reading, writing = os.pipe()
    done: list[Roots] = []
    failed: list[BaseException] = []

    def produce() -> None:
        # Closing the pipe without a whole archive ends the encryption; the error is raised below.
        with os.fdopen(writing, "wb", buffering=1 << 20) as sink:
            try:
                roots = write_package(
                    sink,
                    about=about,
                    lines=lines,
                    identities=identities,
                    opaque=opaque,
                    random_bytes=secrets.token_bytes,
                )
                done.append(roots)
            except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
                failed.append(error)

    producer = threading.Thread(target=produce, name="package")
    with path.open("xb") as target, os.fdopen(reading, "rb") as source:
        path.chmod(0o600)
        hashing = _Hashing(target)
        producer.start()
        pyrage.encrypt_io(source, hashing, [to])
        producer.join()
        if failed:
            raise failed[0]
        target.flush()
        os.fsync(target.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return done[0], hashing.digest.digest(), hashing.size
