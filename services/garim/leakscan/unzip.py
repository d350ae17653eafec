"""A zip archive read while it is written: no seeking, no directory, every byte accounted for."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from garim.statements.refusal import Kind, RefusedError

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_LOCAL_SIGN = b"PK\x03\x04"
_DESCRIPTOR_SIGN = b"PK\x07\x08"
_DESCRIPTOR_BYTES = 24
_NO_SIZES = struct.pack("<HHQQ", 1, 16, 0, 0)
"""The extra field of an entry whose sizes stand behind it."""
_DEFLATED = 8
_WITH_DESCRIPTOR = 0x08
_ENTRY_SIGN, _ENTRY_BYTES = b"PK\x01\x02", 46
_NO_WORDS = (0, 28)
"""Lengths of an extra field of the directory: none, or sizes and offset alone."""
_END_64_SIGN, _END_64_BYTES = b"PK\x06\x06", 56 + 20
_END_SIGN, _END_BYTES = b"PK\x05\x06", 22


def _unreadable(why: str) -> RefusedError:
    return RefusedError("PACKAGE_UNSCANNED", f"the package cannot be scanned: {why}", kind=Kind.DATA_LOSS)


class Unzip:
    """Takes an archive's bytes and yields what its entries hold.

    It reads what is written to a stream: deflated entries with 64-bit descriptors, each behind its header.
    Anything else is refused: a part that is not read is not scanned.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._name: str | None = None
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._sum = 0
        self._ended = False
        self._names: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[tuple[str, bytes, bool]]:
        """Yield name, bytes, and whether the entry ends with them.

        Args:
            data: The next bytes of the archive.

        Raises:
            RefusedError: `PACKAGE_UNSCANNED`.
        """
        self._rest += data
        while not self._ended:
            name = self._name or self._header()
            if name is None:
                break
            content = self._inflater.decompress(self._rest)
            self._sum = zlib.crc32(content, self._sum)
            finished = self._inflater.eof
            self._rest = self._inflater.unused_data if finished else b""
            self._name = None if finished else name
            yield name, content, finished
            if not finished:
                break

    def close(self) -> None:
        """Demand that the archive ends with the directory of what was read, and says nothing there.

        Raises:
            RefusedError: `PACKAGE_UNSCANNED`.
        """
        at, data = 0, self._rest
        for name in self._names:
            if not data.startswith(_ENTRY_SIGN, at):
                raise _unreadable("its directory breaks off")
            name_bytes, extra_bytes, comment_bytes = struct.unpack_from("<3H", data, at + 28)
            begins = at + _ENTRY_BYTES
            ends = begins + name_bytes
            if data[begins:ends] != name or comment_bytes or extra_bytes not in _NO_WORDS:
                raise _unreadable("its directory says other than its entries")
            at = ends + extra_bytes
        if data.startswith(_END_64_SIGN, at):
            at += _END_64_BYTES
        if data[at : at + 4] != _END_SIGN or len(data) != at + _END_BYTES or data[-2:] != bytes(2):
            raise _unreadable("something stands behind its directory")

    def _header(self) -> str | None:
        """Take the next header, behind the descriptor of the entry before; return its name if it is there."""
        skipped = _DESCRIPTOR_BYTES if self._rest.startswith(_DESCRIPTOR_SIGN) else 0
        if len(self._rest) < skipped + _LOCAL.size:
            return None
        if skipped and self._rest[4:8] != self._sum.to_bytes(4, "little"):
            raise _unreadable("a checksum is wrong")
        sign, _, flags, method, *_, name_bytes, extra_bytes = _LOCAL.unpack_from(self._rest, skipped)
        if sign != _LOCAL_SIGN:
            self._ended, self._rest = True, self._rest[skipped:]
            return None
        at = skipped + _LOCAL.size
        size = at + name_bytes + extra_bytes
        if len(self._rest) < size:
            return None
        name, extra = self._rest[at : at + name_bytes], self._rest[at + name_bytes : size]
        if method != _DEFLATED or not flags & _WITH_DESCRIPTOR or extra != _NO_SIZES:
            raise _unreadable("an entry is not written as entries are")
        self._rest = self._rest[size:]
        self._inflater, self._sum = zlib.decompressobj(-zlib.MAX_WBITS), 0
        self._names.append(name)
        return name.decode("ascii", "replace")
