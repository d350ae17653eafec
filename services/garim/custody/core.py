"""What every use case of custody works with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from garim.custody.journal import Journal
from garim.custody.ports import CaseStatusSource, GovernanceSource, Log, Opener
from garim.documents.envelope import OpenDocument
from garim.documents.policy import Policy
from garim.documents.x509 import TrustPolicy
from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.kit.providers import KeyProvider


@dataclasses.dataclass(frozen=True, slots=True)
class Core:
    """Custody's means; shared by all use cases, replaced by fakes in tests.

    Attributes:
        mesh: Name of the mesh.
        database: Custody's tables.
        clock: Wall and monotonic time.
        provider: Holds the objects that wrap every key; the main process creates and destroys them.
        opener: Does what needs an open key.
        open_document: Opens documents, apart from any key.
        governance: The governance version in force.
        log: The log, to verify others' proofs.
        journal: Custody's own entries.
        warrants: Asks for case status.
        policies: Returns custody's own copy of the policy.
        kept_policies: Returns an earlier one by its digest.
        crls: Returns the revocation lists at hand of the authorities that are trusted.
        sign: Signs with custody's statement key.
        draw: Returns so many random bytes, for ids and nonces.
    """

    mesh: str
    database: Database
    clock: Clock
    provider: KeyProvider
    opener: Opener
    open_document: OpenDocument
    governance: GovernanceSource
    log: Log
    journal: Journal
    warrants: CaseStatusSource
    policies: Callable[[], Policy]
    kept_policies: Callable[[str], Policy]
    crls: Callable[[TrustPolicy], Iterable[bytes]]
    sign: Callable[[bytes], bytes]
    draw: Callable[[int], bytes]

    @property
    def policy(self) -> Policy:
        """Custody's own copy of the policy, as its file stands now."""
        return self.policies()
