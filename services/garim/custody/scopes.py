"""The demand that a grant says exactly what custody derives from the document itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from garim.documents.claims import Disclosure, Keeping
from garim.documents.scope import period_of, subjects_of
from garim.documents.verify import VerifiedDocument
from garim.statements.grants import DisclosureGrant, Grant, PreservationGrant
from garim.statements.refusal import Kind, RefusedError


def demand_disclosure(grant: DisclosureGrant, document: VerifiedDocument, claims: Disclosure) -> None:
    """Refuse a disclosure grant that says anything else than its document.

    Raises:
        RefusedError: `GRANT_SCOPE`, with the field that differs.
    """
    _demand(
        grant,
        document,
        {
            "subjects": subjects_of(claims),
            "period": period_of(claims),
            "mode": claims.mode,
            "recipient": claims.recipient,
            "acknowledger": claims.acknowledger,
        },
    )


def demand_preservation(grant: PreservationGrant, document: VerifiedDocument, claims: Keeping) -> None:
    """Refuse a preservation grant that says anything else than its document.

    Raises:
        RefusedError: `GRANT_SCOPE`, with the field that differs.
    """
    _demand(
        grant,
        document,
        {"subjects": subjects_of(claims), "period": period_of(claims), "until": claims.until_ms},
    )


def _demand(grant: Grant, document: VerifiedDocument, derived: Mapping[str, Any]) -> None:
    expected = {
        "document": document.identity,
        "document_issued": document.claims.issued_ms,
        **derived,
    }
    for field, value in expected.items():
        if getattr(grant, field) != value:
            raise RefusedError(
                "GRANT_SCOPE",
                "the grant says something else than its document",
                kind=Kind.FORBIDDEN,
                field=f"grant.{field}",
            )
