from __future__ import annotations

from typing import Any

import pytest

from garim.api.audit.v1 import audit_pb2 as pb
from garim.statements.refusal import RefusedError
from ledger_support.mesh import WARRANTS, LedgerMesh, open_ledger


class Interrupted:
    """A log during whose consistency proof something else happens."""

    def __init__(self, caller: Any, meanwhile: Any) -> None:
        self._caller = caller
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._caller, name)

    def GetConsistencyProof(  # noqa: N802 - the RPC's name
        self, request: pb.GetConsistencyProofRequest, /
    ) -> Any:
        answer = self._caller.GetConsistencyProof(request)
        self._meanwhile()
        return answer


def test_a_pin_never_goes_back_though_two_advance_it_at_once(mesh: LedgerMesh) -> None:
    entry = mesh.warrants.append("disclosure-granted", b"grant", key="1")
    for number in range(3):
        mesh.warrants.append("cancel", b"%d" % number, key=str(number))
    log = Interrupted(mesh.callers["custody"], mesh.custody.refresh)
    slower = open_ledger(
        log, mesh.governance, mesh.callers["custody"].actor, mesh.databases["custody"], mesh.clock
    )
    slower.verify(b"grant", entry.proof, kind="disclosure-granted", actor=WARRANTS)
    seen = mesh.custody.checkpoint_seen()
    assert seen is not None
    assert seen.size == 5


def test_an_older_proof_counts_and_leaves_the_pin_where_it_is(mesh: LedgerMesh) -> None:
    entry = mesh.warrants.append("disclosure-granted", b"grant", key="1")
    mesh.custody.append("cancel", b"1", key="1")
    for _ in range(2):
        mesh.custody.verify(b"grant", entry.proof, kind="disclosure-granted", actor=WARRANTS)
    seen = mesh.custody.checkpoint_seen()
    assert seen is not None
    assert seen.size == 3


def test_a_known_checkpoint_needs_no_call(mesh: LedgerMesh) -> None:
    entry = mesh.warrants.append("disclosure-granted", b"grant", key="1")
    mesh.custody.verify(b"grant", entry.proof, kind="disclosure-granted", actor=WARRANTS)
    mesh.audit.misbehaviour.silent = True
    leaf = mesh.custody.verify(b"grant", entry.proof, kind="disclosure-granted", actor=WARRANTS)
    assert leaf.time_ms == entry.time_ms


def test_what_is_verified_is_pinned_and_sent_to_the_log(mesh: LedgerMesh) -> None:
    entry = mesh.warrants.append("disclosure-granted", b"grant", key="1")
    mesh.custody.verify(b"grant", entry.proof, kind="disclosure-granted", actor=WARRANTS)
    mesh.callers["custody"].audit = mesh.audit.forked(1)
    with pytest.raises(RefusedError) as refused:
        mesh.custody.append("cancel", b"1", key="1")
    assert refused.value.reason == "LOG_FORK"
