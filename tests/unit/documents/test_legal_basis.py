"""The legal basis of each reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from garim.documents import legal_basis
from garim.documents import policy as policies
from garim.documents.claims import read_claims
from garim.documents.fields import parse_instant
from garim.documents.policy import Policy, load_policy
from garim.testing import documents
from garim.testing.pki import DocumentPki

FOLDER = Path(policies.__file__).parent
README = FOLDER / "README.md"


@pytest.fixture(scope="module")
def kr() -> Policy:
    return load_policy((FOLDER / "kr.yaml").read_bytes())


def test_every_reason_against_a_document_has_a_legal_basis(kr: Policy) -> None:
    table = README.read_text(encoding="utf-8").split("## Reasons")[1]
    reasons = set(re.findall(r"`([A-Z][A-Z_]+)`", table))
    assert len(reasons) > 50
    now = parse_instant("2026-11-02")
    assert all(legal_basis.basis_of(reason, kr, now) for reason in reasons)


def test_a_permission_to_intercept_is_refused_with_the_decision_that_says_why(
    pki: DocumentPki, kr: Policy
) -> None:
    claims = read_claims(documents.payload(documents.disclosure(pki, warrant_type="interception-permission")))
    basis = legal_basis.basis_of("WARRANT_TYPE_REFUSED", kr, claims.issued_ms, claims)
    assert "대법원 2016도8137" in basis
    assert any("형사소송법" in one and "제107조" in one for one in basis)
