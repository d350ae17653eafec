"""What a document covers, derived from the document itself, and the demand that a grant says exactly that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from garim.documents.claims import Disclosure, Preservation
from garim.documents.verify import VerifiedDocument
from garim.sealing.tags import normalise
from garim.statements.grants import DisclosureGrant, Grant, Period, PreservationGrant, Subject
from garim.statements.refusal import Kind, RefusedError


def subjects_of(claims: Disclosure | Preservation) -> tuple[Subject, ...]:
    """Return whom a document names, normalised and sorted by kind and value."""
    named = {(one.kind, normalise(one.kind, one.value)) for one in claims.subjects}
    return tuple(Subject.from_json({"kind": kind, "value": value}) for kind, value in sorted(named))


def period_of(claims: Disclosure | Preservation) -> Period:
    """Return the exact time a document asks for."""
    return Period(start=claims.period.start_ms, end=claims.period.end_ms)


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


def demand_preservation(grant: PreservationGrant, document: VerifiedDocument, claims: Preservation) -> None:
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
