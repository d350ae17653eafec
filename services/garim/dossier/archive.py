"""A zip archive written front to back, from parts that may have been compressed elsewhere (APPNOTE 6.3.10).

Every entry is DEFLATE (RFC 1951), carries no date and no owner, and states its sizes behind itself in ZIP64
form, so that nothing is held back or rewritten.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

LEVEL = 1
_RAW = -15
_LAST_BLOCK = b"\x03\x00"
"""An empty last block: what ends a stream of parts."""
_VERSION = 45
_SIZES_FOLLOW = 0x0008
_DEFLATED = 8
_DATE = 0x0021
"""1 January 1980, the earliest that the format knows."""
_OWNER_ONLY = 0o600 << 16
_ON_UNIX = 3 << 8
_IN_ZIP64_16, _IN_ZIP64_32 = 0xFFFF, 0xFFFFFFFF
_CRC_POLYNOMIAL = 0xEDB88320
_CRC_ONE = 1 << 31


@dataclass(frozen=True, slots=True)
class Part:
    """A compressed stretch of an entry; parts of one entry may stand in any number behind each other.

    Args:
        deflated: Raw DEFLATE blocks that end at a byte, none of them the last.
        crc: CRC-32 of what was compressed.
        size: Its length in bytes.
    """

    deflated: bytes
    crc: int
    size: int


@dataclass(frozen=True, slots=True)
class _Entry:
    name: bytes
    crc: int
    packed: int
    size: int
    offset: int


def deflate(data: bytes, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> Part:
    """Compress a part.

    Args:
        data: What to compress.
        strategy: Of zlib; `Z_HUFFMAN_ONLY` suits what holds no repetition.
    """
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, _RAW, 9, strategy)
    return Part(packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH), zlib.crc32(data), len(data))


class Archive:
    """Writes a zip archive.

    Args:
        target: Takes its bytes in order; need not be seekable.
    """

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._offset = 0
        self._entries: list[_Entry] = []

    def write(self, name: str, data: bytes) -> None:
        """Write one entry whole."""
        self.stream(name, [deflate(data)])

    def stream(self, name: str, parts: Iterable[Part]) -> None:
        """Write one entry from its parts, in order.

        Args:
            name: ASCII name.
            parts: Taken one by one; none is kept.
        """
        encoded, offset = name.encode("ascii"), self._offset
        head = (_VERSION, _SIZES_FOLLOW, _DEFLATED, 0, _DATE, 0, _IN_ZIP64_32, _IN_ZIP64_32)
        self._put(struct.pack("<4s5H3I2H", b"PK\x03\x04", *head, len(encoded), 20) + encoded)
        self._put(struct.pack("<2H2Q", 1, 16, 0, 0))
        crc = packed = size = 0
        for part in parts:
            self._put(part.deflated)
            crc = crc_of_both(crc, part.crc, part.size)
            packed += len(part.deflated)
            size += part.size
        self._put(_LAST_BLOCK)
        packed += len(_LAST_BLOCK)
        self._put(struct.pack("<4sI2Q", b"PK\x07\x08", crc, packed, size))
        self._entries.append(_Entry(encoded, crc, packed, size, offset))

    def close(self) -> None:
        """Write the directory."""
        begun = self._offset
        for one in self._entries:
            self._put(_directory_entry(one))
        ended, count = self._offset, len(self._entries)
        made = (44, _VERSION | _ON_UNIX, _VERSION, 0, 0, count, count, ended - begun, begun)
        self._put(struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", *made))
        self._put(struct.pack("<4sIQI", b"PK\x06\x07", 0, ended, 1))
        elsewhere = (0, 0, _IN_ZIP64_16, _IN_ZIP64_16, _IN_ZIP64_32, _IN_ZIP64_32, 0)
        self._put(struct.pack("<4s4H2IH", b"PK\x05\x06", *elsewhere))

    def _put(self, data: bytes) -> None:
        self._target.write(data)
        self._offset += len(data)


def _directory_entry(one: _Entry) -> bytes:
    head = (_VERSION | _ON_UNIX, _VERSION, _SIZES_FOLLOW, _DEFLATED, 0, _DATE, one.crc)
    sizes = (_IN_ZIP64_32, _IN_ZIP64_32, len(one.name), 28, 0, 0, 0, _OWNER_ONLY, _IN_ZIP64_32)
    beside = struct.pack("<2H3Q", 1, 24, one.size, one.packed, one.offset)
    return struct.pack("<4s6HI2I5H2I", b"PK\x01\x02", *head, *sizes) + one.name + beside


def _times(left: int, right: int) -> int:
    """Multiply two polynomials over GF(2) modulo that of CRC-32, bits reversed."""
    product, bit = 0, _CRC_ONE
    while left:
        if left & bit:
            product ^= right
            left ^= bit
        bit >>= 1
        right = right >> 1 ^ _CRC_POLYNOMIAL if right & 1 else right >> 1
    return product


def _squares() -> list[int]:
    """Return x^8, x^16, x^32 and so on: by how much a CRC moves on for 1, 2, 4 bytes and so on."""
    power, found = _CRC_ONE >> 8, []
    for _ in range(64):
        found.append(power)
        power = _times(power, power)
    return found


_SQUARES = _squares()


def crc_of_both(first: int, second: int, size: int) -> int:
    """Return the CRC-32 of two stretches behind each other.

    Args:
        first: That of the first.
        second: That of the second.
        size: Length of the second, in bytes.
    """
    for bit in range(size.bit_length()):
        if size >> bit & 1:
            first = _times(_SQUARES[bit], first)
    return first ^ second
