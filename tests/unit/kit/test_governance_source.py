from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.api.audit.v1 import audit_pb2
from garim.api.custody.v1 import custody_pb2 as pb
from garim.kit.convert import envelope_to, proof_to
from garim.kit.db import Database
from garim.kit.governance import REFRESH_MS, GovernanceSource, Version
from garim.kit.governance_history import in_force_at
from garim.kit.governance_table import GovernanceTable, create_all
from garim.statements import governance
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import Kind, RefusedError
from garim.testing.audit import FakeAudit
from garim.testing.clock import ManualClock
from garim.testing.succession import succeeded
from garim.translog.leaf import ZERO_SALT, Leaf, commitment
from garim.translog.proven import LogProof
from ledger_support.mesh import CUSTODY, LedgerMesh


class FakeCustody:
    """Hands out versions as custody does, or whatever a test wants."""

    def __init__(self, versions: list[Version]) -> None:
        self.versions = versions
        self.silent = False
        self.calls = 0

    def GetGovernance(self, request: pb.GetGovernanceRequest, /) -> pb.GetGovernanceResponse:  # noqa: N802
        self.calls += 1
        if self.silent:
            raise RefusedError("PEER_UNAVAILABLE", "away", kind=Kind.UNAVAILABLE)
        shown = self.versions[request.from_version - 1 :]
        return pb.GetGovernanceResponse(
            versions=[
                pb.GovernanceVersion(
                    document=one.document,
                    decisions=[envelope_to(decision) for decision in one.decisions],
                    proof=None if one.proof is None else proof_to(one.proof),
                )
                for one in shown
            ]
        )


@dataclasses.dataclass
class Sourced:
    mesh: LedgerMesh
    custody: FakeCustody
    clock: ManualClock

    def source(self, store: GovernanceTable | None = None) -> GovernanceSource:
        return GovernanceSource(
            self.custody,
            mesh="test.mesh",
            genesis=self.mesh.governance.genesis,
            clock=self.clock,
            store=store,
        )

    def next_version(self, *, people: int | None = 2, logged: bool = True) -> Version:
        sample = self.mesh.governance
        number = len(self.custody.versions) + 1
        previous = governance.digest(self.custody.versions[-1].document)
        document = sample.draft(version=number, previous=previous)
        version = sample.signed(document, in_force=number - 1, people=people)
        if logged:
            entry = self.mesh.custody.append("governance", document, key=governance.digest(document))
            version = version._replace(proof=entry.proof)
        return version

    def pass_refresh(self) -> None:
        self.clock.advance(REFRESH_MS)


@pytest.fixture
def sourced(tmp_path: Path) -> Sourced:
    mesh = LedgerMesh(tmp_path)
    mesh.begin()
    return Sourced(mesh, FakeCustody(list(mesh.governance.versions)), mesh.clock)


@pytest.fixture(autouse=True)
def closed(sourced: Sourced) -> object:
    yield
    sourced.mesh.close()


def reason_of(call: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value.reason


def test_a_new_version_comes_into_force_after_the_next_refresh(sourced: Sourced) -> None:
    source = sourced.source()
    assert source.current().version == 1
    sourced.custody.versions.append(sourced.next_version())
    assert source.current().version == 1
    assert sourced.custody.calls == 1
    sourced.pass_refresh()
    assert source.current().version == 2
    assert source.log_genesis() == sourced.mesh.governance.genesis


def test_a_version_counts_from_its_log_entry_and_not_from_when_it_was_drawn_up(sourced: Sourced) -> None:
    source = sourced.source()
    issued_ms = source.current().issued
    sourced.clock.advance(3_600_000)
    logged_ms = sourced.clock.now_ms()
    sourced.custody.versions.append(sourced.next_version())
    sourced.pass_refresh()
    history = source.history()
    assert [(one.from_ms, one.document.version) for one in history] == [(issued_ms, 1), (logged_ms, 2)]
    assert history[1].document.issued < logged_ms
    assert [in_force_at(history, at).version for at in (0, logged_ms - 1, logged_ms)] == [1, 1, 2]


def test_without_custody_the_last_version_stays_in_force(sourced: Sourced) -> None:
    source = sourced.source()
    sourced.custody.silent = True
    with pytest.raises(RefusedError) as refused:
        source.current()
    assert (refused.value.reason, refused.value.kind) == ("GOVERNANCE_UNAVAILABLE", Kind.UNAVAILABLE)
    sourced.custody.silent = False
    assert source.current().version == 1
    sourced.custody.silent = True
    sourced.pass_refresh()
    assert source.current().version == 1


def test_a_custody_that_hangs_keeps_one_caller_waiting_and_no_other(sourced: Sourced) -> None:
    source = sourced.source()
    source.current()
    asked, answer = threading.Event(), threading.Event()
    ask = sourced.custody.GetGovernance

    def hang(request: pb.GetGovernanceRequest, /) -> pb.GetGovernanceResponse:
        asked.set()
        assert answer.wait(10)
        sourced.clock.advance(15_000)
        sourced.custody.silent = True
        return ask(request)

    sourced.custody.GetGovernance = hang  # type: ignore[method-assign]
    sourced.pass_refresh()
    caller = threading.Thread(target=source.current)
    caller.start()
    assert asked.wait(10)
    assert source.current().version == 1
    answer.set()
    caller.join()
    calls = sourced.custody.calls
    assert source.current().version == 1
    assert sourced.custody.calls == calls


def test_custodys_refusal_is_no_reason_to_decide_otherwise(sourced: Sourced) -> None:
    source = sourced.source()
    sourced.custody.versions.append(sourced.next_version(people=1))
    assert reason_of(source.current) == "GOVERNANCE_QUORUM"
    del sourced.custody.versions[1]
    sourced.custody.versions.append(sourced.next_version())
    assert source.current().version == 2


def test_a_version_without_quorum_is_refused(sourced: Sourced) -> None:
    source = sourced.source()
    source.current()
    sourced.custody.versions.append(sourced.next_version(people=1))
    sourced.pass_refresh()
    assert reason_of(source.current) == "GOVERNANCE_QUORUM"
    assert reason_of(source.current) == "GOVERNANCE_QUORUM"


def test_a_version_that_is_not_logged_is_refused(sourced: Sourced) -> None:
    source = sourced.source()
    sourced.custody.versions.append(sourced.next_version(logged=False))
    assert reason_of(source.current) == "GOVERNANCE_LOG"


def test_a_version_with_the_proof_of_another_is_refused(sourced: Sourced) -> None:
    version = sourced.next_version()
    entry = sourced.mesh.custody.append("governance", b"another", key="other")
    sourced.custody.versions.append(version._replace(proof=entry.proof))
    assert reason_of(sourced.source().current) == "LOG_COMMITMENT"


def test_another_genesis_is_refused(sourced: Sourced) -> None:
    other = sourced.mesh.governance.draft(version=1, previous=None) + b" "
    sourced.custody.versions = [sourced.mesh.governance.signed(other, in_force=0)]
    assert reason_of(sourced.source().current) == "GOVERNANCE_GENESIS"


def test_a_custody_that_goes_back_is_refused(sourced: Sourced) -> None:
    sourced.custody.versions.append(sourced.next_version())
    source = sourced.source()
    assert source.current().version == 2
    del sourced.custody.versions[1]
    sourced.pass_refresh()
    assert reason_of(source.current) == "GOVERNANCE_FORK"


def test_another_version_of_the_same_number_is_refused(sourced: Sourced) -> None:
    one, other = sourced.next_version(), sourced.next_version(logged=False)
    sourced.mesh.clock.advance(1)
    sourced.custody.versions.append(one)
    source = sourced.source()
    source.current()
    changed = other.document.replace(b"TEST ", b"TEXT ")
    sourced.custody.versions[1] = sourced.mesh.governance.signed(changed, in_force=1)
    sourced.pass_refresh()
    assert reason_of(source.current) == "GOVERNANCE_FORK"


def test_a_restarted_service_refuses_lower_versions(sourced: Sourced, tmp_path: Path) -> None:
    database = Database(tmp_path / "service.db")
    with database.writing() as connection:
        create_all(connection)
    sourced.custody.versions.append(sourced.next_version())
    assert sourced.source(GovernanceTable(database)).current().version == 2
    restarted = sourced.source(GovernanceTable(database))
    sourced.custody.silent = True
    assert restarted.current().version == 2
    sourced.custody.silent = False
    del sourced.custody.versions[1]
    sourced.pass_refresh()
    assert reason_of(restarted.current) == "GOVERNANCE_FORK"
    database.close()


def test_kept_versions_that_were_changed_keep_the_service_from_starting(
    sourced: Sourced, tmp_path: Path
) -> None:
    database = Database(tmp_path / "service.db")
    with database.writing() as connection:
        create_all(connection)
    store = GovernanceTable(database)
    sourced.source(store).current()
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE governance_versions SET document = CAST(document || ' ' AS BLOB)")
    assert reason_of(lambda: sourced.source(store)) == "GOVERNANCE_GENESIS"
    database.close()


def test_a_succeeding_log_begins_with_the_version_that_names_it(sourced: Sourced, tmp_path: Path) -> None:
    mesh = sourced.mesh
    seen = mesh.custody.checkpoint_seen()
    assert seen is not None
    key = Ed25519PrivateKey.generate()
    previous = governance.digest(sourced.custody.versions[0].document)
    document = mesh.governance.draft(
        version=2, previous=previous, log_key=key, origin="log2.test.mesh", old_pins=(seen,)
    )
    version = mesh.governance.signed(document, in_force=1, people=2)
    new_log = FakeAudit("test.mesh", "log2.test.mesh", mesh.clock, key=key)
    for caller in mesh.callers.values():
        caller.audit = new_log
    mesh.governance.chain.take(version, logged=False)
    entry = mesh.custody.begin(document)
    sourced.custody.versions.append(version._replace(proof=entry.proof))
    source = sourced.source()
    assert source.current().log.origin == "log2.test.mesh"
    assert source.log_genesis() == governance.digest(document)
    assert mesh.warrants.append("cancel", b"x", key="x").index == 1


def test_a_succeeding_log_that_does_not_begin_with_its_version_is_refused(sourced: Sourced) -> None:
    mesh, key, origin = sourced.mesh, Ed25519PrivateKey.generate(), "log2.test.mesh"
    previous = governance.digest(sourced.custody.versions[0].document)
    seen = mesh.custody.checkpoint_seen()
    assert seen is not None
    document = mesh.governance.draft(
        version=2, previous=previous, log_key=key, origin=origin, old_pins=(seen,)
    )
    new_log = FakeAudit("test.mesh", origin, mesh.clock, key=key)
    for body in (b"something else", document):
        new_log.add(Leaf("genesis", mesh.clock.now_ms(), CUSTODY, commitment(ZERO_SALT, body)).encode())
    shown = new_log.inclusion(CUSTODY, audit_pb2.GetInclusionProofRequest(index=1, size=2))
    proof = LogProof(shown.leaf, ZERO_SALT, 1, tuple(shown.path), new_log.note())
    version = mesh.governance.signed(document, in_force=1)._replace(proof=proof)
    sourced.custody.versions.append(version)
    assert reason_of(sourced.source().current) == "GOVERNANCE_LOG"


def test_the_governance_of_another_mesh_is_refused(sourced: Sourced) -> None:
    genesis = sourced.mesh.governance.genesis
    source = GovernanceSource(sourced.custody, mesh="other.mesh", genesis=genesis, clock=sourced.clock)
    assert reason_of(source.current) == "GOVERNANCE_GENESIS"


def test_a_succeeding_log_that_forgets_a_pin_is_never_used(sourced: Sourced) -> None:
    mesh = sourced.mesh
    mesh.warrants.append("cancel", b"x", key="x")
    key = Ed25519PrivateKey.generate()
    previous = governance.digest(sourced.custody.versions[0].document)
    low = (CheckpointSeen(size=1, root="00" * 32),)
    document = mesh.governance.draft(
        version=2, previous=previous, log_key=key, origin="log2.test.mesh", old_pins=low
    )
    mesh.governance.chain.take(mesh.governance.signed(document, in_force=1), logged=False)
    new_log = FakeAudit("test.mesh", "log2.test.mesh", mesh.clock, key=key)
    for caller in mesh.callers.values():
        caller.audit = new_log
    assert reason_of(lambda: mesh.custody.begin(document)) == "LOG_FORK"
    assert reason_of(mesh.warrants.refresh) == "LOG_FORK"


def test_a_succeeded_log_is_never_used_again(sourced: Sourced) -> None:
    sample, former = sourced.mesh.governance, sourced.mesh.audit
    second = succeeded(sample, former)
    with pytest.raises(RefusedError, match="GOVERNANCE_LOG"):
        succeeded(sample, second, former.origin)


def test_a_verifier_that_missed_a_succession_needs_its_pins_carried_by_the_log_that_followed(
    sourced: Sourced,
) -> None:
    """The third carries pins of the second; what was pinned of the first, the second carries."""
    mesh = sourced.mesh
    mesh.warrants.append("cancel", b"x", key="x")
    third = succeeded(mesh.governance, succeeded(mesh.governance, mesh.audit), "log3.test.mesh/garim")
    mesh.callers["warrants"].audit = third
    mesh.warrants.refresh()
    seen = mesh.warrants.checkpoint_seen()
    assert seen is not None
    assert seen.size == 1


def test_an_answer_of_the_former_log_is_never_pinned_after_its_succession(sourced: Sourced) -> None:
    mesh = sourced.mesh
    succeeded(mesh.governance, mesh.audit)
    with pytest.raises(RefusedError, match="LOG_SIGNATURE"):
        mesh.warrants.append("cancel", b"x", key="x")
    with pytest.raises(RefusedError, match="LOG_SIGNATURE"):
        mesh.warrants.refresh()
