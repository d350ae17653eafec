from __future__ import annotations

import hashlib
import time

import pytest

from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.kit.convert import envelope_from, envelope_to, proof_from
from garim.kit.governance import log_keys
from garim.kit.identity import service_id
from garim.statements.cases import CaseStatus
from garim.statements.grants import DisclosureGrant
from garim.statements.refusal import Kind, RefusedError
from garim.testing import documents
from garim.testing.operator import MESH, away
from garim.translog.proven import verify_logged
from warrants_support.desk import payload_of
from warrants_support.process import WarrantsMesh


def disclosure(mesh: WarrantsMesh, **changes: object) -> bytes:
    pki = mesh.operator.pki
    return documents.signed(pki, documents.disclosure(pki, **changes))


def keys(mesh: WarrantsMesh) -> list[bytes]:
    return mesh.operator.governance.current().keys_of("warrants")


def test_a_document_becomes_a_grant_that_others_can_verify(mesh: WarrantsMesh) -> None:
    mesh.wait_serving()
    content = disclosure(mesh)
    answer = mesh.submit(content)
    assert answer.state == pb.CASE_STATE_GRANTED
    shown = mesh.stub("service/redaction").GetCase(pb.GetCaseRequest(case_id=answer.case_id))
    envelope = envelope_from(shown.grant.statement)
    grant = DisclosureGrant.verify(envelope, keys(mesh), mesh=MESH, now=None)
    assert grant.case == answer.case_id.hex()
    known = log_keys(mesh.operator.governance.current())
    verify_logged(
        envelope.payload,
        proof_from(shown.grant.proof),
        log_key=known.log_key,
        origin=known.origin,
        witnesses=known.witnesses,
        expect_type="disclosure-granted",
        expect_actor=service_id(MESH, "warrants"),
    )
    assert shown.document.content == content
    nonce = bytes(range(32))
    request = pb.GetCaseStatusRequest(
        document_digest=hashlib.sha256(payload_of(content)).digest(), nonce=nonce
    )
    status = envelope_from(mesh.stub("service/custody").GetCaseStatus(request).status)
    stated = CaseStatus.verify(status, keys(mesh), mesh=MESH, now=mesh.operator.clock.now_ms())
    assert (stated.state, stated.nonce) == ("granted", nonce.hex())


def outcome(stub: object, method: str, request: object) -> str:
    try:
        getattr(stub, method)(request)
    except RefusedError as refusal:
        return refusal.reason
    return ""


def test_every_denial_before_the_one_success(mesh: WarrantsMesh) -> None:
    calls = {
        "SubmitDocument": (pb.SubmitDocumentRequest(), {"person/clerk/da-on"}),
        "GetCase": (
            pb.GetCaseRequest(),
            {
                "service/redaction",
                "person/reviewer/ra-on",
                "person/clerk/da-on",
                "person/auditor/ha-neul",
            },
        ),
        "ListCases": (
            pb.ListCasesRequest(),
            {"person/reviewer/ra-on", "person/clerk/da-on", "person/auditor/ha-neul"},
        ),
        "DecideReview": (pb.DecideReviewRequest(), {"person/reviewer/ra-on"}),
        "GetCaseStatus": (pb.GetCaseStatusRequest(), {"service/custody", "service/redaction"}),
        "CancelCase": (pb.CancelCaseRequest(), {"person/reviewer/ra-on"}),
    }
    callers = [
        "service/messages",
        "service/audit",
        "service/custody",
        "service/redaction",
        "backend/chat",
        "person/custodian/ga-on",
        "person/operator/han-sol",
        "person/clerk/da-on",
        "person/auditor/ha-neul",
        "person/reviewer/ra-on",
    ]
    for caller in callers:
        stub = mesh.stub(caller)
        for method, (request, allowed) in calls.items():
            denied = outcome(stub, method, request) == "ACCESS_DENIED"
            assert denied is (caller not in allowed), (caller, method)
    until = time.monotonic() + 15
    while not mesh.entries("access-refused"):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_review_and_a_second_request_over_the_wire(mesh: WarrantsMesh) -> None:
    mesh.messages.changes = {"bystanders": 200}
    first = mesh.submit(disclosure(mesh))
    assert first.state == pb.CASE_STATE_IN_REVIEW
    for person in ("ra-on", "sol-bi"):
        stub = mesh.stub(f"person/reviewer/{person}")
        subject = stub.GetCase(pb.GetCaseRequest(case_id=first.case_id)).review_subject.hex()
        decision = envelope_to(mesh.operator.decision(person, "review-approve", subject))
        decided = stub.DecideReview(pb.DecideReviewRequest(case_id=first.case_id, decision=decision))
    assert (decided.state, decided.approvals, decided.needed) == (pb.CASE_STATE_GRANTED, 2, 2)
    sealed = b"sealed identity of nobody"
    pki = mesh.operator.pki
    members = documents.supplementary(pki, first_document=_digest(mesh, first.case_id))
    members["identities"][0]["sealed_sha256"] = hashlib.sha256(sealed).hexdigest()
    content = documents.signed(pki, members)
    second = mesh.submit(content, (sealed,))
    assert second.state == pb.CASE_STATE_GRANTED
    assert second.unmask_request_id == mesh.custody.requests[content][0]


def test_killed_while_the_log_is_silent_the_case_goes_on_after_a_restart(mesh: WarrantsMesh) -> None:
    content = disclosure(mesh)
    mesh.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError) as caught:
        mesh.submit(content)
    assert caught.value.kind is Kind.UNAVAILABLE
    mesh.kill()
    mesh.operator.audit.misbehaviour.silent = False
    mesh.start()
    answer = mesh.submit(content)
    assert answer.state == pb.CASE_STATE_GRANTED
    assert mesh.submit(content).case_id == answer.case_id
    assert (mesh.entries("disclosure-granted"), mesh.messages.asked) == (1, 1)


def test_refusals_reach_the_log_and_a_calm_stop_ends_with_zero(mesh: WarrantsMesh) -> None:
    answer = mesh.submit(disclosure(mesh, offence="jaywalking"))
    assert [one.reason for one in answer.reasons] == ["OFFENCE_NOT_LISTED"]
    until = time.monotonic() + 15
    while not mesh.entries("document-refused"):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert mesh.stop() == 0


def test_another_policy_file_makes_the_service_not_ready_and_answers_nothing(mesh: WarrantsMesh) -> None:
    mesh.wait_serving()
    mesh.kill()
    with (mesh.folder / "kr.yaml").open("ab") as file:
        file.write(b"# changed\n")
    mesh.start()
    mesh.wait_serving(wanted=False)
    with pytest.raises(RefusedError, match="POLICY_DIGEST"):
        mesh.submit(disclosure(mesh))


def test_a_statement_key_that_others_may_read_keeps_it_from_starting(mesh: WarrantsMesh) -> None:
    mesh.kill()
    (mesh.folder / "statement.key").chmod(0o644)
    with pytest.raises(AssertionError, match="KEY_FILE_MODE"):
        mesh.start()
    mesh._reap()


def test_the_forecasts_refusal_is_one_reason_outward(mesh: WarrantsMesh) -> None:
    mesh.messages.refusal = RefusedError("NOBODY_KNOWN", "something about stored data")
    with pytest.raises(RefusedError) as caught:
        mesh.submit(disclosure(mesh))
    assert caught.value.reason == "FORECAST_UNAVAILABLE"
    mesh.messages.refusal = away()
    with pytest.raises(RefusedError) as caught:
        mesh.submit(disclosure(mesh))
    assert caught.value.reason == "FORECAST_UNAVAILABLE"


def test_no_line_of_the_log_names_a_subject_or_a_document(mesh: WarrantsMesh) -> None:
    mesh.submit(disclosure(mesh))
    mesh.submit(disclosure(mesh, number="2026-압수-0009", offence="jaywalking"))
    assert mesh.stop() == 0
    text = str(mesh.log)
    for word in ("subject-1", "압수", "형제", "TEST"):
        assert word not in text


def _digest(mesh: WarrantsMesh, case_id: bytes) -> str:
    shown = mesh.stub("person/clerk/da-on").GetCase(pb.GetCaseRequest(case_id=case_id))
    return shown.summary.document_digest.hex()
