"""What every format of documents comes down to: bytes that two keys signed, and the keys' certificates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

SIGNATURES = 2
"""Signatures on a document: the court's and the chief investigator's."""
MAX_CHAIN = 4
"""Certificates of one signer at most: the leaf and its intermediates, without the anchor."""


@dataclasses.dataclass(frozen=True)
class Envelope:
    """What both signatures cover, after both have been found right; nobody is trusted yet.

    Attributes:
        payload: Claims, as `claims.read_claims` reads them: the exact bytes that both keys signed, or what
            follows from those bytes alone. Their SHA-256 is the document's digest.
        chains: One chain of DER certificates a signature, leaf first, without the anchor.
    """

    payload: bytes
    chains: tuple[tuple[bytes, ...], ...]


OpenDocument = Callable[[str, bytes], Envelope]
"""Opens a document of a media type or raises a `RefusedError`: `formats.open_document`, or a child for it."""
