"""A policy change between a case's receipt and its review, through processes, sockets and the log."""

from __future__ import annotations

import hashlib
import secrets
import time

from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.documents.policy import DAY_MS
from garim.kit.convert import envelope_from, envelope_to
from garim.kit.db import Database
from garim.kit.identity import service_id
from garim.kit.ledger import Ledger, tables
from garim.kit.policy_files import kept_beside
from garim.statements import governance
from garim.statements.grants import DisclosureGrant
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.audit import FakeAuditCaller
from garim.testing.operator import MESH
from warrants_support.desk import POLICY
from warrants_support.process import WarrantsMesh

BEFORE = hashlib.sha256(POLICY).hexdigest()
OTHER = POLICY.replace(b"unmask_days: 90", b"unmask_days: 7")
AFTER = hashlib.sha256(OTHER).hexdigest()


def log_change(mesh: WarrantsMesh) -> None:
    """Put a version in force that pins another policy, as custody does: logged, with its proof."""
    source = mesh.operator.governance
    source.policy, source.now_ms = AFTER, mesh.operator.clock.now_ms()
    database = Database(mesh.folder / "custodys.db")
    with database.writing() as connection:
        tables.create_all(connection)
    actor = service_id(MESH, "custody")
    ledger = Ledger(
        FakeAuditCaller(mesh.operator.audit, actor),
        governance=source,
        actor=actor,
        database=database,
        clock=mesh.operator.clock,
        random_bytes=secrets.token_bytes,
    )
    draft = source.draft(version=2, previous=source.digest_in_force())
    logged = ledger.append("governance", draft, key=governance.digest(draft))
    version = source.signed(draft, in_force=1)._replace(proof=logged.proof)
    source.chain.take(version)
    source.versions.append(version)
    database.close()


def submitted(mesh: WarrantsMesh, number: str) -> bytes:
    pki = mesh.operator.pki
    answer = mesh.submit(documents.signed(pki, documents.disclosure(pki, number=number)))
    assert answer.state == pb.CASE_STATE_IN_REVIEW
    return answer.case_id


def refused_in_time(mesh: WarrantsMesh, case: bytes, reason: str) -> None:
    """Wait until a case is refused so: the change is asked for every few seconds."""
    until = time.monotonic() + 15
    while True:
        try:
            mesh.stub("person/reviewer/ra-on").GetCase(pb.GetCaseRequest(case_id=case))
        except RefusedError as refusal:
            assert refusal.reason == reason  # noqa: PT017 - any other one ends the test
            return
        assert time.monotonic() < until, mesh.log
        time.sleep(0.2)


def granted(mesh: WarrantsMesh, case: bytes) -> DisclosureGrant:
    for name in ("ra-on", "sol-bi"):
        stub = mesh.stub(f"person/reviewer/{name}")
        subject = stub.GetCase(pb.GetCaseRequest(case_id=case)).review_subject.hex()
        decision = envelope_to(mesh.operator.decision(name, "review-approve", subject))
        answer = stub.DecideReview(pb.DecideReviewRequest(case_id=case, decision=decision))
    assert answer.state == pb.CASE_STATE_GRANTED
    shown = mesh.stub("service/redaction").GetCase(pb.GetCaseRequest(case_id=case))
    return DisclosureGrant.from_bytes(envelope_from(shown.grant.statement).payload)


def test_a_case_in_review_keeps_its_policy_over_a_change_and_a_restart(mesh: WarrantsMesh) -> None:
    mesh.messages.changes = {"bystanders": 200}
    old = submitted(mesh, "2026-압수-0001")
    policy_file = mesh.folder / "kr.yaml"
    policy_file.write_bytes(OTHER)
    log_change(mesh)
    refused_in_time(mesh, old, "POLICY_MISSING")
    kept_beside(policy_file, BEFORE).write_bytes(POLICY)
    mesh.kill()
    mesh.start()
    new = submitted(mesh, "2026-압수-0002")
    for case, digest, days in ((old, BEFORE, 90), (new, AFTER, 7)):
        grant = granted(mesh, case)
        assert (grant.policy, grant.governance) == (digest, 2)
        assert grant.unmask_until - grant.issued == days * DAY_MS
