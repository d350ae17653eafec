"""Fixed layouts: big-endian, with magic and version; decoding consumes everything."""

from __future__ import annotations

from garim.statements.refusal import Kind, RefusedError

VERSION = 1


class Reader:
    """Reads a fixed layout from the front.

    Args:
        data: The whole record.
        magic: Its four first bytes.
    """

    def __init__(self, data: bytes, magic: bytes) -> None:
        self._data = data
        self._at = 0
        if self.take(4) != magic or self.number(1) != VERSION:
            raise self.refuse("has another magic or version")

    def refuse(self, why: str) -> RefusedError:
        """Return the refusal of this record."""
        return RefusedError("RECORD_LAYOUT", f"the record {why}", kind=Kind.DATA_LOSS)

    def take(self, size: int) -> bytes:
        """Read exactly `size` bytes."""
        part = self._data[self._at : self._at + size]
        if len(part) != size:
            raise self.refuse("is cut short")
        self._at += size
        return part

    def number(self, size: int) -> int:
        """Read an unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def text(self) -> str:
        """Read a length-prefixed UTF-8 string."""
        try:
            return self.take(self.number(4)).decode()
        except UnicodeDecodeError:
            raise self.refuse("holds text that is not UTF-8") from None

    def end(self) -> None:
        """Refuse what stands behind the record."""
        if self._at != len(self._data):
            raise self.refuse("has surplus bytes")


def head(magic: bytes) -> bytes:
    """Return magic and version."""
    return magic + VERSION.to_bytes(1, "big")
