"""What a document covers, in the terms of grants.

Warrants writes it into the grant; custody derives it anew from the document and compares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from garim.statements import grants

if TYPE_CHECKING:
    from garim.documents.claims import Disclosure, Keeping, Supplementary


def subjects_of(claims: Disclosure | Keeping) -> tuple[grants.Subject, ...]:
    """Return the subjects as a grant lists them: sorted by kind and value."""
    pairs = sorted((subject.kind, subject.value) for subject in claims.subjects)
    return tuple(grants.Subject(kind=kind, value=value) for kind, value in pairs)


def period_of(claims: Disclosure | Keeping) -> grants.Period:
    """Return the period by sent-at, half-open, in milliseconds since 1970."""
    return grants.Period(start=claims.period.start_ms, end=claims.period.end_ms)


def identities_of(claims: Supplementary) -> tuple[grants.NamedPseudonym, ...]:
    """Return the named pseudonyms as a grant lists them: sorted, each with its sorted grounds."""
    named = (
        grants.NamedPseudonym(
            pseudonym=identity.pseudonym,
            sealed=identity.sealed_sha256,
            messages=tuple(sorted(ground.message for ground in identity.grounds)),
        )
        for identity in claims.identities
    )
    return tuple(sorted(named, key=lambda one: one.pseudonym))
