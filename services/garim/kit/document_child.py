"""The processes that open documents: ``python -m garim.kit.document_child DESCRIPTOR``.

The zygote loads every parser, holds no key and reads no document; each child is confined before it reads its
one document, and answers the envelope or the reasons against it.
"""

from __future__ import annotations

import sys
from functools import partial

# What libraries load at first use: a child can load nothing any more.
import cryptography.hazmat.backends.openssl.backend  # noqa: F401 - loaded for the children

from garim.documents import formats
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.kit import confinement
from garim.kit.document_opener import LIMITS, Opened, read_job, too_costly
from garim.statements.refusal import Kind, RefusedError


def perform(job: bytes, *, confined: bool) -> bytes:
    """Open the document of a job.

    Args:
        job: As `document_opener` wrote it.
        confined: Whether the platform has a filter of system calls; without one only JSON is read.

    Raises:
        RefusedError: Those of `formats.open_document`; `DOCUMENT_TOO_COSTLY`, `FORMAT_NOT_CONFINED`.
    """
    media_type, data = read_job(job)
    if not confined and media_type != JWS_MEDIA_TYPE:
        raise RefusedError(
            "FORMAT_NOT_CONFINED",
            "this platform cannot confine a parser: use Linux, or send JWS",
            kind=Kind.PRECONDITION,
            field="media_type",
        )
    try:
        envelope = formats.open_document(media_type, data)
    except (MemoryError, RecursionError):
        raise too_costly() from None
    return Opened(payload=envelope.payload, chains=envelope.chains).model_dump_json().encode()


def main() -> None:
    """Run the zygote."""
    confined = confinement.available()
    confinement.serve(int(sys.argv[1]), partial(perform, confined=confined), LIMITS)


if __name__ == "__main__":
    main()
