"""Where a case stands, in the words of TS 103 120: the one table from our states to the standard's."""

from __future__ import annotations

from typing import NamedTuple

from garim.documents.claims import Disclosure, Preservation
from garim.documents.etsi import names
from garim.warrants.cases import Case
from garim.warrants.machine import State


class Statuses(NamedTuple):
    """Entries of the standard's dictionaries.

    Attributes:
        authorisation: AuthorisationStatus.
        document: DocumentStatus.
        disclosure: LDTaskStatus.
        preservation: LPTaskStatus.
    """

    authorisation: str
    document: str
    disclosure: str
    preservation: str


_UNDER_WAY = Statuses("Approved", "Approved", "AwaitingDisclosure", "AwaitingPreservation")
_DISCLOSED = Statuses("Approved", "Approved", "Disclosed", "AwaitingPreservation")
_TAKEN_BACK = Statuses("Cancelled", "Cancelled", "Cancelled", "Cancelled")

STATUSES = {
    # Whether reviewers must decide rests on stored data: all that is not decided looks the same.
    State.RECEIVED: _UNDER_WAY,
    State.IN_REVIEW: _UNDER_WAY,
    State.GRANTING: _UNDER_WAY,
    State.NOTHING: _UNDER_WAY,
    State.GRANTED: _UNDER_WAY,
    State.REQUESTED: _UNDER_WAY,
    State.PRESERVED: Statuses("Approved", "Approved", "AwaitingDisclosure", "Preserved"),
    State.DOSSIER_CLOSED: _UNDER_WAY,
    State.DELIVERED: _DISCLOSED,
    State.ACKNOWLEDGED: _DISCLOSED,
    State.NO_DATA: Statuses("Approved", "Approved", "DisclosureNotAvailable", "PreservationNotAvailable"),
    State.REFUSED: Statuses("Rejected", "Rejected", "Rejected", "Rejected"),
    State.CANCELLED: _TAKEN_BACK,
}
_LIVING = frozenset({"Approved", "Preserved", "AwaitingPreservation"})


def status_of(case: Case, kind: str, now_ms: int) -> str:
    """Return an object's status.

    Args:
        case: The case that it belongs to.
        kind: Type of the object: `{namespace}name`.
        now_ms: Now, milliseconds since 1970.
    """
    claims = case.claims
    if claims.kind == "revocation":
        # Its case ends with the one that it takes back; it has taken effect.
        return "Approved"
    row = STATUSES[case.state]
    status = {
        names.AUTHORISATION_OBJECT: row.authorisation,
        names.DOCUMENT_OBJECT: row.document,
        names.DISCLOSURE_TASK: row.disclosure,
        names.PRESERVATION_TASK: row.preservation,
    }[kind]
    until = claims.until_ms if isinstance(claims, Preservation) else None
    if isinstance(claims, Disclosure):
        until = claims.expires_ms
    lapsed = until is not None and now_ms >= until and status in _LIVING
    return "Expired" if lapsed else status
