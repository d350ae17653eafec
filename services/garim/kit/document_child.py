"""The processes that open documents: ``python -m garim.kit.document_child DESCRIPTOR``.

The zygote loads every parser, holds no key and reads no document; each child is confined before it reads its
one document, and answers the envelope or the reasons against it.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

# What libraries load at first use: a child can load nothing any more.
import cryptography.hazmat.backends.openssl.backend  # noqa: F401 - loaded for the children

from garim.documents import formats
from garim.documents.etsi.opening import read_exchange
from garim.documents.etsi.schemas import Schemas
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.kit import confinement
from garim.kit.document_opener import LIMITS, Opened, read_job, too_costly
from garim.kit.files import read_file
from garim.statements.refusal import Kind, RefusedError


def perform(job: bytes, *, confined: bool, schemas: Schemas | None = None) -> bytes:
    """Open the document, or read the HI1 message, of a job.

    Args:
        job: As `document_opener` wrote it.
        confined: Whether the platform has a filter of system calls; without one only JSON is read.
        schemas: Those that messages must fit, if any.

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
        envelope = formats.open_document(media_type, data) if media_type else read_exchange(data, schemas)
    except (MemoryError, RecursionError):
        raise too_costly() from None
    opened = Opened(payload=envelope.payload, chains=envelope.chains, shown=envelope.shown)
    return opened.model_dump_json().encode()


def main() -> None:
    """Run the zygote."""
    try:
        schemas = _schemas(Path(sys.argv[2])) if len(sys.argv) > 2 else None
    except RefusedError as refusal:
        sys.stderr.write(f"{refusal.reason}: {refusal.message}\n")
        raise SystemExit(2) from None
    confined = confinement.available()
    confinement.serve(int(sys.argv[1]), partial(perform, confined=confined, schemas=schemas), LIMITS)


def _schemas(folder: Path) -> Schemas:
    return Schemas({path.name: read_file(path, "schema") for path in sorted(folder.glob("*.xsd"))})


if __name__ == "__main__":
    main()
