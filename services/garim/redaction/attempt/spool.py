"""Masked lines on their way into the package, on disk under a key that lives in this attempt only."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from garim.sealing import keys
from garim.sealing.secret import Secret
from garim.statements.labels import Purpose, bind, lp


class LineSpool:
    """Lines grouped by conversation, in the order they came.

    Args:
        folder: Where the nameless temporary file lies.
        mesh: Name of the mesh.
        attempt: Random id of the attempt, 16 bytes.
    """

    def __init__(self, folder: Path, mesh: str, attempt: bytes) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._secret = Secret.random()
        self._mesh = mesh
        self._attempt = attempt
        self._chunks: dict[int, list[tuple[int, int, int]]] = {}
        self._next = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._secret.wipe()
        self._file.close()

    def _label(self, number: int) -> bytes:
        return bind(Purpose.SPOOL, self._mesh, self._attempt, number.to_bytes(8, "big"))

    def append(self, conversation: int, lines: list[tuple[bytes, bytes]]) -> None:
        """Add lines of one conversation.

        Args:
            conversation: Its number in the dossier.
            lines: Encoded lines without line ends, each with its encoded origin.
        """
        number, self._next = self._next, self._next + 1
        label = self._label(number)
        with keys.expand(self._secret, label) as key:
            data = keys.encrypt_once(key, b"".join(lp(line) + lp(origin) for line, origin in lines), label)
        offset = self._file.seek(0, 2)
        self._file.write(data)
        self._chunks.setdefault(conversation, []).append((number, offset, len(data)))

    def lines(self) -> Iterator[bytes]:
        """Yield all lines, conversation by conversation in the order of their numbers."""
        for line, _ in self.entries():
            yield line

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield all lines with their origins, in the same order."""
        for conversation in sorted(self._chunks):
            for number, offset, size in self._chunks[conversation]:
                parts = self._parts(number, offset, size)
                yield from zip(parts, parts, strict=True)

    def _parts(self, number: int, offset: int, size: int) -> Iterator[bytes]:
        self._file.seek(offset)
        label = self._label(number)
        with keys.expand(self._secret, label) as key:
            chunk = keys.decrypt_once(key, self._file.read(size), label)
        at = 0
        while at < len(chunk):
            length = int.from_bytes(chunk[at : at + 4], "big")
            yield chunk[at + 4 : at + 4 + length]
            at += 4 + length
