"""Masked lines and finished pages on their way into the package, on disk under keys of this attempt only."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from garim.sealing import keys
from garim.sealing.secret import Secret
from garim.statements.labels import Purpose, bind
from garim.statements.refusal import Kind, RefusedError


@dataclass(frozen=True, slots=True)
class Kept:
    """Where something lies in the spools of one attempt.

    Args:
        spool: Which spool.
        number: Which of its pieces: names the key.
        offset: First byte of the ciphertext.
        size: Length of the ciphertext.
    """

    spool: int
    number: int
    offset: int
    size: int


class Spool:
    """Pieces under a key each, in a nameless file; one process writes, every process of the attempt reads.

    Args:
        number: Which of the attempt's spools it is.
        folder: Where the file lies.
        mesh: Name of the mesh.
        attempt: Random id of the attempt, 16 bytes.
    """

    def __init__(self, number: int, folder: Path, mesh: str, attempt: bytes) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `close`
        self._secret = Secret.random()
        self._number = number
        self._mesh = mesh
        self._attempt = attempt
        self._next = self._end = 0

    def put(self, data: bytes) -> Kept:
        """Encrypt and write a piece; only the process that owns this spool does."""
        label = self._label(self._next)
        with keys.expand(self._secret, label) as key:
            sealed = keys.encrypt_once(key, data, label)
        kept = Kept(self._number, self._next, self._end, len(sealed))
        view = memoryview(sealed)
        while view:
            written = os.pwrite(self._file.fileno(), view, self._end)
            self._end += written
            view = view[written:]
        self._next += 1
        return kept

    def get(self, kept: Kept) -> bytes:
        """Read and decrypt a piece.

        Raises:
            RefusedError: `SEALING_OPEN`, `SPOOL_DAMAGED`.
        """
        label = self._label(kept.number)
        sealed = os.pread(self._file.fileno(), kept.size, kept.offset)
        if len(sealed) != kept.size:
            raise RefusedError("SPOOL_DAMAGED", "the spool was cut short: build again", kind=Kind.DATA_LOSS)
        with keys.expand(self._secret, label) as key:
            return keys.decrypt_once(key, sealed, label)

    def close(self) -> None:
        """Overwrite the key and let go of the file."""
        self._secret.wipe()
        self._file.close()

    def _label(self, number: int) -> bytes:
        place = self._number.to_bytes(8, "big") + number.to_bytes(8, "big")
        return bind(Purpose.SPOOL, self._mesh, self._attempt, place)


class Spools:
    """All spools of one attempt: made before its workers are, so that all of them read all.

    Args:
        count: One for each worker.
        folder: Where the nameless files lie.
        mesh: Name of the mesh.
        attempt: Random id of the attempt, 16 bytes.
    """

    def __init__(self, count: int, folder: Path, mesh: str, attempt: bytes) -> None:
        self.own = [Spool(number, folder, mesh, attempt) for number in range(count)]

    def get(self, kept: Kept) -> bytes:
        """Read and decrypt a piece of any spool.

        Raises:
            RefusedError: `SEALING_OPEN`, `SPOOL_DAMAGED`.
        """
        return self.own[kept.spool].get(kept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self.own:
            one.close()
