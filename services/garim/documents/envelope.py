"""What every format of documents comes down to: bytes that keys signed, and the keys' certificates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

SIGNATURES = 2
"""Signatures on a document at most: the court's and the chief investigator's; `verify` judges how many."""
MAX_CHAIN = 4
"""Certificates of one signer at most: the leaf and its intermediates, without the anchor."""


@dataclasses.dataclass(frozen=True)
class Envelope:
    """What every signature covers, after all have been found right; nobody is trusted yet.

    Attributes:
        payload: Claims, as `claims.read_claims` reads them: the exact bytes that every key signed, or what
            follows from those bytes alone. Their SHA-256 is the document's digest.
        chains: One chain of DER certificates a signature, leaf first, without the anchor.
    """

    payload: bytes
    chains: tuple[tuple[bytes, ...], ...]


OpenDocument = Callable[[str, bytes], Envelope]
"""Opens a document of a media type or raises a `RefusedError`: `formats.open_document`, or a child for it."""
