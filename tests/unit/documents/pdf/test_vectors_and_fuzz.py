"""pyHanko's own files, good and attacked; and valid files with bytes flipped anywhere."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from garim.documents.envelope import Envelope
from garim.documents.pdf import open_pdf
from garim.documents.verify import VerifiedDocument
from garim.statements.refusal import RefusedError
from pdf_support import Stages

VECTORS = Path(__file__).parents[4].parent / "shared/testdata/vectors/pyhanko-pdf"
OUTCOMES = {
    "PDF_STRUCTURE": 58,
    "PDF_UNREADABLE": 11,
    "PDF_EMBEDDED_FILE": 35,
    "PDF_CONTENT": 6,
    "PDF_CHANGED_AFTER_SIGNING": 1,
}
"""How often each reason comes; the table in tests/README.md says why."""
MUTATIONS = int(os.environ.get("GARIM_PDF_MUTATIONS", "200"))
"""For thousands: GARIM_PDF_MUTATIONS=5000 pytest tests/unit/documents/pdf/test_vectors_and_fuzz.py."""


@pytest.mark.shared
@pytest.mark.skipif(not VECTORS.is_dir(), reason="outside test data")
@pytest.mark.parametrize("signers", [1, 2])
def test_none_of_pyhankos_files_is_a_document_and_each_is_refused_by_name(signers: int) -> None:
    reasons = Counter()
    for path in sorted(VECTORS.rglob("*.pdf")):
        with pytest.raises(RefusedError) as caught:
            open_pdf(path.read_bytes(), signers=signers)
        reasons[caught.value.reason] += 1
    alone = {"PDF_EMBEDDED_FILE": 36, "PDF_CHANGED_AFTER_SIGNING": 0}
    assert reasons == Counter(OUTCOMES | (alone if signers == 1 else {}))


def _opened(data: bytes) -> Envelope | None:
    try:
        return open_pdf(data)
    except RefusedError:
        return None


def _mutated(data: bytes, chance: random.Random) -> bytes:
    bent = bytearray(data)
    place = chance.randrange(len(bent))
    match chance.randrange(5):
        case 0:
            bent[place] ^= 1 << chance.randrange(8)
        case 1:
            bent[place] = chance.randrange(256)
        case 2:
            del bent[place : place + chance.randrange(1, 40)]
        case 3:
            bent[place:place] = chance.randbytes(chance.randrange(1, 40))
        case _:
            other = chance.randrange(len(bent))
            bent[place : place + 16] = bent[other : other + 16]
    return bytes(bent)


def test_no_mutation_changes_what_is_accepted(stages: Stages) -> None:
    """Flips, replacements, deletions, insertions, copies: what is accepted says the same; none is."""
    chance = random.Random(20261122)
    right = open_pdf(stages.full)
    accepted = 0
    for _ in range(MUTATIONS):
        bent = _mutated(stages.full, chance)
        if bent == stages.full:
            continue
        found = _opened(bent)
        accepted += found is not None
        assert found in (None, right)
    assert accepted == 0


def test_every_byte_of_the_last_signatures_value_counts(stages: Stages) -> None:
    """The gap is the one place that no signature covers: each of its bytes is flipped in one bit."""
    chance = random.Random(7)
    start = stages.full.rindex(b"/Contents <")
    end = stages.full.index(b">", start) + 1
    for place in range(start, end, 41):
        bent = bytearray(stages.full)
        bent[place] ^= 1 << chance.randrange(8)
        assert _opened(bytes(bent)) is None, place


def test_the_common_path_takes_a_pdf(stages: Stages, verify: Callable[..., VerifiedDocument]) -> None:
    document = verify(stages.full, media_type="application/pdf")
    assert document.payload == stages.payload
    assert document.court.organisation == "TEST 한빛지방법원"
