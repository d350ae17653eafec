"""What a document covers, derived from its claims alone: warrants writes it into the grant, custody compares.

One function for each kind that a grant is issued for; both services call it, so that a difference between a
grant and its document is a forged or widened grant and never a matter of reading.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from garim.documents.claims import Disclosure, Preservation, Span, Supplementary
from garim.documents.claims import Subject as NamedSubject
from garim.statements.grants import NamedPseudonym, Period, Subject


class DisclosureScope(NamedTuple):
    """What one dossier may hold and who gets it.

    Attributes:
        subjects: Whom the document names, sorted by kind and value.
        period: By sent-at.
        mode: Whether identities are sealed into the dossier or erased.
        recipient: The age public key to which the dossier is encrypted.
        acknowledger: SHA-256 of the certificate whose signature on the delivery receipt counts.
    """

    subjects: tuple[Subject, ...]
    period: Period
    mode: Literal["sealed", "erased"]
    recipient: str
    acknowledger: str


class PreservationScope(NamedTuple):
    """What a preservation order keeps.

    Attributes:
        subjects: Whom the order names, sorted by kind and value.
        period: By sent-at.
        until: When the order ends, milliseconds since the Unix epoch.
    """

    subjects: tuple[Subject, ...]
    period: Period
    until: int


class UnmaskScope(NamedTuple):
    """Which identities a second request opens and who gets them.

    Attributes:
        first: SHA-256 of the first document's payload.
        dossier: The dossier whose pseudonyms it names.
        identities: What it names, sorted by pseudonym; the grounds' numbers sorted too.
        recipient: The age public key to which the answer is encrypted.
    """

    first: str
    dossier: str
    identities: tuple[NamedPseudonym, ...]
    recipient: str


def disclosure_scope(claims: Disclosure) -> DisclosureScope:
    """Return the scope of a first request."""
    return DisclosureScope(
        _subjects(claims.subjects),
        _period(claims.period),
        claims.mode,
        claims.recipient,
        claims.acknowledger,
    )


def preservation_scope(claims: Preservation) -> PreservationScope:
    """Return the scope of a preservation order."""
    return PreservationScope(_subjects(claims.subjects), _period(claims.period), claims.until_ms)


def unmask_scope(claims: Supplementary) -> UnmaskScope:
    """Return the scope of a second request."""
    named = sorted(claims.identities, key=lambda one: one.pseudonym)
    return UnmaskScope(
        claims.first_document,
        claims.dossier,
        tuple(
            NamedPseudonym(
                pseudonym=one.pseudonym,
                sealed=one.sealed_sha256,
                messages=tuple(sorted(ground.message for ground in one.grounds)),
            )
            for one in named
        ),
        claims.recipient,
    )


def _subjects(subjects: tuple[NamedSubject, ...]) -> tuple[Subject, ...]:
    ordered = sorted(subjects, key=lambda one: (one.kind, one.value))
    return tuple(Subject(kind=one.kind, value=one.value) for one in ordered)


def _period(span: Span) -> Period:
    return Period(start=span.start_ms, end=span.end_ms)
