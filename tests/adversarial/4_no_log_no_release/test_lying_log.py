"""A log that lies to one caller: nothing it says is believed, and nothing opens on its word."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.api.audit.v1 import audit_pb2 as pb
from garim.kit.ledger import Ledger
from garim.statements.refusal import Kind, RefusedError
from garim.testing.audit import FakeAudit
from garim.translog.leaf import Leaf, commitment
from ledger_support.mesh import CUSTODY, MESH, ORIGIN, WARRANTS, LedgerMesh


def refused(call: Callable[[], object]) -> tuple[str, Kind]:
    with pytest.raises(RefusedError) as refusal:
        call()
    return refusal.value.reason, refusal.value.kind


def release(ledger: Ledger, key: str = "release 1") -> object:
    return ledger.append("keys-released", b"release", key=key, magnitudes={"keys": 3})


def nothing_is_recorded_as_logged(mesh: LedgerMesh, service: str = "custody") -> bool:
    with mesh.databases[service].reading() as connection:
        query = "SELECT count(*) FROM ledger_intents WHERE kind = 'keys-released' AND proof IS NOT NULL"
        return bool(connection.exec_driver_sql(query).scalar_one() == 0)


def test_no_answer_no_release(mesh: LedgerMesh) -> None:
    mesh.audit.misbehaviour.silent = True
    assert refused(lambda: release(mesh.custody)) == ("LOG_UNAVAILABLE", Kind.UNAVAILABLE)
    assert nothing_is_recorded_as_logged(mesh)


def test_another_actor_in_the_leaf(mesh: LedgerMesh) -> None:
    mesh.audit.misbehaviour.actor = WARRANTS
    assert refused(lambda: release(mesh.custody)) == ("LOG_ACTOR", Kind.DATA_LOSS)
    assert nothing_is_recorded_as_logged(mesh)


@pytest.mark.parametrize("shift_ms", [120_000, -120_000, 10**9, -(10**9)])
def test_another_time_in_the_leaf(mesh: LedgerMesh, shift_ms: int) -> None:
    mesh.audit.misbehaviour.time_shift_ms = shift_ms
    assert refused(lambda: release(mesh.custody)) == ("LOG_TIME", Kind.UNAVAILABLE)
    assert nothing_is_recorded_as_logged(mesh)


def test_a_wrong_time_does_not_count_on_the_next_try_either(mesh: LedgerMesh) -> None:
    mesh.audit.misbehaviour.time_shift_ms = 10**7
    assert refused(lambda: release(mesh.custody))[0] == "LOG_TIME"
    mesh.audit.misbehaviour.time_shift_ms = 0
    assert refused(lambda: release(mesh.custody))[0] == "LOG_TIME"


def test_other_magnitudes_in_the_leaf(mesh: LedgerMesh) -> None:
    mesh.audit.misbehaviour.magnitudes = {"keys": 1}
    assert refused(lambda: release(mesh.custody)) == ("LOG_LEAF", Kind.DATA_LOSS)
    assert nothing_is_recorded_as_logged(mesh)


def test_the_sealed_body_left_out_of_the_leaf(mesh: LedgerMesh) -> None:
    mesh.audit.misbehaviour.drop_sealed = True
    call = lambda: mesh.custody.append("destroyed", b"x", key="1", sealed=lambda _body, _salt: b"s")  # noqa: E731
    assert refused(call) == ("LOG_LEAF", Kind.DATA_LOSS)


def test_an_old_leaf_shown_as_the_new_one(mesh: LedgerMesh) -> None:
    mesh.custody.append("keys-released", b"earlier", key="earlier", magnitudes={"keys": 3})
    mesh.audit.misbehaviour.replay = 1
    assert refused(lambda: release(mesh.custody)) == ("LOG_COMMITMENT", Kind.DATA_LOSS)


def test_another_tree_shown_to_one_caller_after_its_pin(mesh: LedgerMesh) -> None:
    release(mesh.warrants)
    mesh.custody.refresh()
    other = mesh.audit.forked(1)
    other.misbehaviour.trusts_pins = True
    leaf = Leaf("cancel", mesh.clock.now_ms(), WARRANTS, commitment(bytes(32), b"never happened"))
    for _ in range(3):
        other.add(leaf.encode())
    mesh.callers["custody"].audit = other
    assert refused(lambda: release(mesh.custody)) == ("LOG_FORK", Kind.DATA_LOSS)
    assert nothing_is_recorded_as_logged(mesh)


def test_both_notes_of_a_fork_are_kept(mesh: LedgerMesh) -> None:
    release(mesh.warrants)
    mesh.custody.refresh()
    other = mesh.audit.forked(1)
    other.misbehaviour.trusts_pins = True
    mesh.callers["custody"].audit = other
    assert refused(lambda: release(mesh.custody))[0] == "LOG_FORK"
    with mesh.databases["custody"].reading() as connection:
        rows = connection.exec_driver_sql("SELECT note, pinned_note FROM ledger_forks").all()
    assert [tuple(row) for row in rows] == [(other.note(), mesh.audit.note())]


def test_a_fork_that_the_log_owns_up_to_is_a_fork(mesh: LedgerMesh) -> None:
    release(mesh.warrants)
    mesh.custody.refresh()
    mesh.callers["custody"].audit = mesh.audit.forked(1)
    assert refused(lambda: release(mesh.custody)) == ("LOG_FORK", Kind.DATA_LOSS)


def test_a_statement_proven_in_a_fork_is_refused(mesh: LedgerMesh) -> None:
    """The log shows warrants one history and custody another: custody must not act on warrants' proof."""
    mesh.custody.append("cancel", b"1", key="1")
    other = mesh.audit.forked(1)
    mesh.callers["warrants"].audit = other
    entry = mesh.warrants.append("disclosure-granted", b"grant", key="1")
    for _ in range(2):
        reason = refused(
            lambda: mesh.custody.verify(b"grant", entry.proof, kind="disclosure-granted", actor=WARRANTS)
        )
        assert reason == ("LOG_FORK", Kind.DATA_LOSS)


def test_a_statement_proven_in_a_larger_fork_is_refused(mesh: LedgerMesh) -> None:
    mesh.custody.append("cancel", b"1", key="1")
    other = mesh.audit.forked(1)
    mesh.callers["warrants"].audit = other
    for number in range(4):
        entry = mesh.warrants.append("disclosure-granted", b"%d" % number, key=str(number))
    for log in (mesh.audit, other):
        log.misbehaviour.trusts_pins = True
        mesh.callers["custody"].audit = log
        reason, kind = refused(
            lambda: mesh.custody.verify(b"3", entry.proof, kind="disclosure-granted", actor=WARRANTS)
        )
        assert (reason, kind) == ("LOG_FORK", Kind.DATA_LOSS)


def test_a_log_that_goes_backwards(mesh: LedgerMesh) -> None:
    for number in range(4):
        mesh.custody.append("cancel", b"%d" % number, key=str(number))
    mesh.audit.misbehaviour.shown_size = 3
    assert refused(mesh.custody.refresh) == ("LOG_FORK", Kind.DATA_LOSS)
    seen = mesh.custody.checkpoint_seen()
    assert seen is not None
    assert seen.size == 5


def test_an_append_answered_with_an_older_checkpoint(mesh: LedgerMesh) -> None:
    mesh.audit.misbehaviour.silent_after_append = True
    assert refused(lambda: release(mesh.custody))[0] == "LOG_UNAVAILABLE"
    mesh.audit.misbehaviour.silent_after_append = False
    mesh.warrants.append("cancel", b"1", key="1")
    mesh.custody.refresh()
    mesh.audit.misbehaviour.shown_size = 2
    assert refused(lambda: release(mesh.custody)) == ("LOG_FORK", Kind.DATA_LOSS)
    assert nothing_is_recorded_as_logged(mesh)


def test_a_log_restored_from_an_old_copy(mesh: LedgerMesh) -> None:
    for number in range(4):
        mesh.custody.append("cancel", b"%d" % number, key=str(number))
    mesh.callers["custody"].audit = mesh.audit.forked(3)
    assert refused(mesh.custody.refresh) == ("LOG_FORK", Kind.DATA_LOSS)
    assert refused(lambda: release(mesh.custody)) == ("LOG_FORK", Kind.DATA_LOSS)


def test_a_pin_outlives_a_restart(mesh: LedgerMesh) -> None:
    release(mesh.warrants)
    mesh.custody.refresh()
    restarted = mesh.open("custody")
    other = mesh.audit.forked(1)
    other.misbehaviour.trusts_pins = True
    mesh.callers["custody"].audit = other
    assert refused(lambda: release(restarted)) == ("LOG_FORK", Kind.DATA_LOSS)


def test_checkpoints_by_another_key(mesh: LedgerMesh) -> None:
    other = FakeAudit(MESH, ORIGIN, mesh.clock, key=Ed25519PrivateKey.generate())
    other.misbehaviour.trusts_pins = True
    for leaf in mesh.audit.leaves:
        other.add(leaf)
    mesh.callers["custody"].audit = other
    assert refused(lambda: release(mesh.custody)) == ("LOG_SIGNATURE", Kind.DATA_LOSS)
    assert refused(mesh.custody.refresh) == ("LOG_SIGNATURE", Kind.DATA_LOSS)


def test_a_log_that_begins_with_another_governance_is_never_pinned(empty_mesh: LedgerMesh) -> None:
    genesis = Leaf(
        "genesis", empty_mesh.clock.now_ms(), CUSTODY, commitment(bytes(32), b"another governance")
    )
    empty_mesh.audit.add(genesis.encode())
    for call in (empty_mesh.warrants.refresh, lambda: release(empty_mesh.warrants)):
        assert refused(call) == ("LOG_GENESIS", Kind.DATA_LOSS)
    assert empty_mesh.warrants.checkpoint_seen() is None


def test_a_log_that_somebody_else_began_is_never_pinned(empty_mesh: LedgerMesh) -> None:
    document = empty_mesh.governance.versions[0].document
    genesis = Leaf("genesis", empty_mesh.clock.now_ms(), WARRANTS, commitment(bytes(32), document))
    empty_mesh.audit.add(genesis.encode())
    assert refused(empty_mesh.warrants.refresh) == ("LOG_GENESIS", Kind.DATA_LOSS)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"body": b"another grant"}, "LOG_COMMITMENT"),
        ({"kind": "unmask-granted"}, "LOG_TYPE"),
        ({"actor": CUSTODY}, "LOG_ACTOR"),
        ({"salt": bytes(32)}, "LOG_COMMITMENT"),
        ({"index": 0}, "LOG_INCLUSION"),
        ({"path": ()}, "LOG_INCLUSION"),
    ],
)
def test_a_proof_for_something_else(mesh: LedgerMesh, change: dict[str, Any], reason: str) -> None:
    entry = mesh.warrants.append("disclosure-granted", b"grant", key="1")
    of_proof = {name: value for name, value in change.items() if name in {"salt", "index", "path"}}
    asked = {"body": b"grant", "kind": "disclosure-granted", "actor": WARRANTS} | {
        name: value for name, value in change.items() if name not in of_proof
    }
    proof = dataclasses.replace(entry.proof, **of_proof)
    call = lambda: mesh.custody.verify(asked["body"], proof, kind=asked["kind"], actor=asked["actor"])  # noqa: E731
    assert refused(call)[0] == reason


def test_a_proof_that_cannot_be_connected_to_the_own_pin_waits_for_the_log(mesh: LedgerMesh) -> None:
    entry = mesh.warrants.append("disclosure-granted", b"grant", key="1")
    mesh.audit.misbehaviour.silent = True
    call = lambda: mesh.custody.verify(b"grant", entry.proof, kind="disclosure-granted", actor=WARRANTS)  # noqa: E731
    assert refused(call) == ("LOG_UNAVAILABLE", Kind.UNAVAILABLE)


class Forging:
    """A log whose consistency proofs are empty: what a fork would send."""

    def __init__(self, caller: Any) -> None:
        self._caller = caller

    def __getattr__(self, name: str) -> Any:
        return getattr(self._caller, name)

    def GetConsistencyProof(  # noqa: N802 - the RPC's name
        self, request: pb.GetConsistencyProofRequest, /
    ) -> pb.GetConsistencyProofResponse:
        return pb.GetConsistencyProofResponse()


def test_a_missing_consistency_proof_is_no_proof(mesh: LedgerMesh) -> None:
    entry = mesh.warrants.append("disclosure-granted", b"grant", key="1")
    forging = Forging(mesh.callers["custody"])
    mesh.custody._log = mesh.custody._pins._log = forging  # type: ignore[assignment]
    call = lambda: mesh.custody.verify(b"grant", entry.proof, kind="disclosure-granted", actor=WARRANTS)  # noqa: E731
    assert refused(call) == ("LOG_FORK", Kind.DATA_LOSS)
