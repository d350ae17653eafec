"""Whose approvals count: never that of who filed the request, wherever it was written."""

from __future__ import annotations

from custody_support.second import Packed, SecondVault
from garim.custody.deciding_unmask import tally
from garim.custody.tables import unmask
from garim.custody.tables.unmask import ApprovedShare, KeptDecision
from garim.statements import dsse


def test_a_filers_approval_in_the_database_counts_for_nothing(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    request = vault.unmasking.open(received, vault.unmask_grant(received, filer="na-rae"))
    vault.approve(request, "ga-on")
    approval = dsse.to_bytes(vault.decision("na-rae", "approve", request.subject))
    now_ms = vault.clock.now_ms()
    with vault.database.writing() as connection:
        kept = KeptDecision("na-rae", "approve", approval, now_ms)
        brought = [
            ApprovedShare(subset, "na-rae", sealed) for subset, sealed in vault.shares(request, "na-rae")
        ]
        unmask.decide(connection, request.id, "00" * 32, kept, brought)
    counted = tally(vault.core, request, now_ms)
    assert counted.approved == {"ga-on"}
    assert not counted.enough
