"""Which pseudonym stands for which value in one dossier attempt.

Pseudonyms are drawn at random, without any key, so that nothing outside the table links them to a value
or to another dossier's. The table keeps values as bytes that `wipe` overwrites.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from garim.masking.infotype import InfoType
from garim.statements.refusal import Kind, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Base32 without I, L, O and U, which people misread."""
OPENING_BYTES = 32
_HALF = 5
_MOST_DIGITS_IN_HALF = 3
PSEUDONYM = re.compile(
    rf"(?:{'|'.join(sorted({t.prefix for t in InfoType}))})-[{ALPHABET}]{{5}}-[{ALPHABET}]{{5}}"
)


def _drawn(random_bytes: Callable[[int], bytes]) -> str:
    """Return 50 random bits as two halves of five characters, none of which reads as a number."""
    while True:
        bits = int.from_bytes(random_bytes(7), "big")
        text = "".join(ALPHABET[bits >> shift & 31] for shift in range(45, -5, -5))
        halves = (text[:_HALF], text[_HALF:])
        if all(sum(map(str.isdigit, half)) <= _MOST_DIGITS_IN_HALF for half in halves):
            return "-".join(halves)


@dataclass(slots=True)
class _Given:
    """What one pseudonym stands for."""

    type: InfoType
    value: bytearray
    opening: bytearray
    originals: dict[bytes, bytearray]

    def wipe(self) -> None:
        for secret in (self.value, self.opening, *self.originals.values()):
            secret[:] = bytes(len(secret))


class PseudonymTable:
    """The pseudonyms of one dossier attempt.

    Args:
        random_bytes: Source of randomness: given a count, that many bytes.
    """

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._key = bytearray(random_bytes(32))
        self._by_value: dict[bytes, str] = {}
        self._values: dict[str, _Given] = {}
        self._drawn: set[str] = set()
        self._wiped = False

    def __len__(self) -> int:
        """Return how many pseudonyms have been given."""
        return len(self._values)

    def of(self, type: InfoType, value: str) -> str:  # noqa: A002 - the field's name for it
        """Return the pseudonym of a value, drawing one at its first occurrence.

        Args:
            type: What the value is.
            value: Its canonical form, as in `Finding.value`; for a member `Person.key` under PERSON.

        Raises:
            RefusedError: `TABLE_WIPED`, the attempt is over.
        """
        if self._wiped:
            raise RefusedError(
                "TABLE_WIPED",
                "This attempt's pseudonyms are erased; start another attempt.",
                kind=Kind.PRECONDITION,
            )
        data = value.encode("utf-8", "surrogatepass")
        digest = self._digest(type.encode() + b"\x00" + data)
        known = self._by_value.get(digest)
        if known is not None:
            return known
        random_part = _drawn(self._random_bytes)
        while random_part in self._drawn:
            random_part = _drawn(self._random_bytes)
        self._drawn.add(random_part)
        pseudonym = f"{type.prefix}-{random_part}"
        self._by_value[digest] = pseudonym
        self._values[pseudonym] = _Given(
            type, bytearray(data), bytearray(self._random_bytes(OPENING_BYTES)), {}
        )
        return pseudonym

    def opening(self, pseudonym: str, original: str | None = None) -> bytes:
        """Return the secret that opens what a pseudonym masks.

        Args:
            pseudonym: From `of`.
            original: A spelling that it masks now, to be remembered among its originals.
        """
        given = self._values[pseudonym]
        if original is not None:
            data = original.encode("utf-8", "surrogatepass")
            given.originals.setdefault(self._digest(data), bytearray(data))
        return bytes(given.opening)

    def originals(self, pseudonym: str) -> list[str]:
        """Return every spelling that a pseudonym masks."""
        return [one.decode("utf-8", "surrogatepass") for one in self._values[pseudonym].originals.values()]

    def _digest(self, data: bytes) -> bytes:
        return hashlib.blake2b(data, key=self._key, digest_size=32).digest()

    def items(self) -> Iterator[tuple[str, InfoType, str]]:
        """Yield pseudonym, kind and canonical value, in the order of their first occurrence."""
        for pseudonym, given in self._values.items():
            yield pseudonym, given.type, given.value.decode("utf-8", "surrogatepass")

    def wipe(self) -> None:
        """Overwrite every value and the table's key, and refuse further use."""
        for given in self._values.values():
            given.wipe()
        self._key[:] = bytes(len(self._key))
        self._values.clear()
        self._by_value.clear()
        self._drawn.clear()
        self._wiped = True
