"""Custody's RPCs, put together: each group of them lives in a file of its own."""

from __future__ import annotations

from garim.custody.servicer_dossiers import DossierRpcs, DossierUseCases
from garim.custody.servicer_people import PeopleRpcs, PeopleUseCases
from garim.custody.servicer_shares import ShareRpcs
from garim.custody.servicer_unmask import UnmaskRpcs, UnmaskUseCases


class CustodyServicer(DossierRpcs, UnmaskRpcs, ShareRpcs, PeopleRpcs):
    """All RPCs of custody.

    Args:
        mesh: Name of the mesh.
        dossiers: Storage and the first request.
        unmasking: The second request.
        people: What people decide about custody itself.
    """

    def __init__(
        self, mesh: str, dossiers: DossierUseCases, unmasking: UnmaskUseCases, people: PeopleUseCases
    ) -> None:
        DossierRpcs.__init__(self, mesh, dossiers)
        UnmaskRpcs.__init__(self, unmasking)
        ShareRpcs.__init__(self, unmasking.core)
        PeopleRpcs.__init__(self, people)
