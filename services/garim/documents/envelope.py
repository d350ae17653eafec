"""What every format of documents comes down to: bytes that keys signed, and the keys' certificates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from garim.documents.bare import BareSignature

SIGNATURES = 2
"""Signatures on a document at most: the court's and the chief investigator's; `verify` judges how many."""
MAX_CHAIN = 4
"""Certificates of one signer at most: the leaf and its intermediates, without the anchor."""


@dataclasses.dataclass(frozen=True)
class Shown:
    """What a parser rests its answer on, for whoever checks it again without one (`recheck`).

    Attributes:
        bare: The signature of each chain, in order.
        spans: Of each of them in a PDF, oldest first: where the gap for its value begins and ends, and where
            the signed bytes end; the first begins with the file.
        carried: The PDF's embedded file as it stands there.
        deflated: Whether that is compressed.
        pdf: The PDF inside a message; empty where the PDF is the document.
        message: The message in the canonical form that was signed; empty for a PDF.
    """

    bare: tuple[BareSignature, ...]
    spans: tuple[tuple[int, int, int], ...]
    carried: bytes
    deflated: bool
    pdf: bytes = b""
    message: bytes = b""


@dataclasses.dataclass(frozen=True)
class Envelope:
    """What every signature covers, after all have been found right; nobody is trusted yet.

    Attributes:
        payload: Claims, as `claims.read_claims` reads them: the exact bytes that every key signed, or what
            follows from those bytes alone. Their SHA-256 is the document's digest.
        chains: One chain of DER certificates a signature, leaf first, without the anchor.
        shown: What this rests on, where a parser says it; null once that was checked again.
    """

    payload: bytes
    chains: tuple[tuple[bytes, ...], ...]
    shown: Shown | None = dataclasses.field(default=None, compare=False)


OpenDocument = Callable[[str, bytes], Envelope]
"""Opens a document of a media type or raises a `RefusedError`: `formats.open_document`, or a child for it."""
