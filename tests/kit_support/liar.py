"""A zygote whose children, taken over, answer what they like: ``python -m kit_support.liar DESCRIPTOR``.

The lie is the hardest one to see: the true signers' chains over claims that they never signed.
"""

from __future__ import annotations

import sys

from garim.kit import confinement, document_child
from garim.kit.document_opener import LIMITS, Opened

TRUE, FALSE = b"subject-1", b"anybody-1"


def perform(job: bytes) -> bytes:
    """Open the job's document and answer other claims than it makes."""
    opened = Opened.model_validate_json(document_child.perform(job, confined=True))
    lie = opened.model_copy(update={"payload": opened.payload.replace(TRUE, FALSE)})
    return lie.model_dump_json().encode()


if __name__ == "__main__":
    confinement.serve(int(sys.argv[1]), perform, LIMITS)
