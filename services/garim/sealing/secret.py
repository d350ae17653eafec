"""Secrets in memory that show nothing and are overwritten."""

from __future__ import annotations

import hmac
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self


class Secret:
    """Secret bytes in one buffer that is overwritten by `wipe`.

    Args:
        buffer: The bytes; the buffer is taken over, not copied.
    """

    __slots__ = ("_buffer",)

    def __init__(self, buffer: bytearray) -> None:
        self._buffer = buffer

    @classmethod
    def random(cls, size: int = 32) -> Self:
        """Draw a secret from the kernel straight into its buffer.

        Args:
            size: Number of bytes.
        """
        buffer = bytearray(size)
        # os.urandom would return an immutable copy that cannot be overwritten.
        with Path("/dev/urandom").open("rb", buffering=0) as source:
            if source.readinto(buffer) != size:
                raise OSError("the kernel's random source gave too few bytes")
        return cls(buffer)

    @property
    def buffer(self) -> bytearray:
        """The bytes themselves; callers must not keep them.

        Raises:
            ValueError: The secret was wiped.
        """
        if not self._buffer:
            raise ValueError("the secret was wiped")
        return self._buffer

    def wipe(self) -> None:
        """Overwrite the bytes; the secret is of no use afterwards."""
        self._buffer[:] = bytes(len(self._buffer))
        self._buffer = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wipe()

    def __len__(self) -> int:
        return len(self._buffer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._buffer, other._buffer)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")
