"""What a letter rests on is verified first: the services' word alone certifies nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.cli.case_letter import known_of, pinned_policy, with_document
from garim.cli.letters.letter import letter_of
from garim.cli.session import Session
from garim.documents import formats
from garim.documents.policy import load_policy
from garim.kit.convert import logged_to
from garim.kit.policy_files import kept_beside
from garim.statements.refusal import RefusedError
from garim.testing.operator import MESH, SampleOperator
from garim.testing.pki import make_pki
from warrants_support.calls import Call
from warrants_support.desk import CLERK, NOW, POLICY, Desk
from warrants_support.steps import Others


class Stub:
    """Warrants as a clerk reaches it; a test may change what it says of a timeline."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.lie: Callable[[pb.GetCaseTimelineResponse], None] = lambda _answer: None

    def GetCaseTimeline(self, request: pb.GetCaseTimelineRequest) -> Any:  # noqa: N802 - the RPC's name
        answer = self.call.by(CLERK, "GetCaseTimeline", request)
        self.lie(answer)
        return answer

    def GetCase(self, request: pb.GetCaseRequest) -> Any:  # noqa: N802 - the RPC's name
        return self.call.by(CLERK, "GetCase", request)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path, SampleOperator(make_pki(NOW), POLICY))
    yield opened
    opened.close()


@pytest.fixture
def others(desk: Desk, tmp_path: Path) -> Iterator[Others]:
    opened = Others(desk, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def stub(desk: Desk) -> Stub:
    return Stub(Call(desk))


@pytest.fixture
def own(desk: Desk, others: Others, stub: Stub) -> Session:
    plain = SimpleNamespace(
        warrants=stub,
        governance=desk.operator.governance.current,
        governance_source=desk.operator.governance,
        ledger=others.ledger("reader"),
        mesh=SimpleNamespace(mesh=MESH),
        person=SimpleNamespace(role="clerk"),
        open_document=formats.open_document,
    )
    return cast("Session", plain)


def reason(call: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value.reason


def test_a_certificate_rests_on_custodys_own_logged_receipt_of_this_document(
    desk: Desk, others: Others, stub: Stub, own: Session
) -> None:
    case = desk.open_case(desk.disclosure())
    other = desk.open_case(desk.disclosure(number="2026-압수-0002"))
    others.delivered(case)
    assert known_of(own, case.id).receipt is not None
    for forged, why in (
        (others.receipt(other), "LETTER_DOCUMENT"),
        (others.receipt(case, by="redaction"), "LOG_ACTOR"),
    ):
        receipt = logged_to(*forged)
        stub.lie = lambda answer, receipt=receipt: answer.delivery.receipt.CopyFrom(receipt)
        assert reason(lambda: known_of(own, case.id)) == why


def test_an_answer_without_data_rests_on_the_signed_answer_of_this_document(
    desk: Desk, stub: Stub, own: Session
) -> None:
    desk.messages.changes = {"messages": 0, "conversations": 0}
    case = desk.open_case(desk.disclosure())
    other = desk.open_case(desk.disclosure(number="2026-압수-0002"))
    assert known_of(own, case.id).claims is not None
    assert other.statement is not None
    foreign = logged_to(*other.statement)
    stub.lie = lambda answer: answer.answer.CopyFrom(foreign)
    assert reason(lambda: known_of(own, case.id)) == "LETTER_DOCUMENT"
    stub.lie = lambda answer: answer.ClearField("answer")
    assert reason(lambda: known_of(own, case.id)) == "FIELD_MISSING"


def test_the_documents_own_words_are_compared_with_the_digest(desk: Desk, stub: Stub, own: Session) -> None:
    case = desk.open_case(desk.disclosure())

    def lie(answer: pb.GetCaseTimelineResponse) -> None:
        answer.summary.document_digest = b"x" * 32

    stub.lie = lie
    assert reason(lambda: known_of(own, case.id)) == "LETTER_DOCUMENT"


def test_legal_bases_come_from_the_policy_that_governance_pinned_at_the_receipt(
    tmp_path: Path, desk: Desk, own: Session
) -> None:
    digest, received_ms = hashlib.sha256(POLICY).hexdigest(), desk.operator.clock.now_ms()
    file, changed = tmp_path / "policy", POLICY + b"\n"
    file.write_bytes(POLICY)
    assert pinned_policy(own, file, received_ms).digest == digest
    file.write_bytes(changed)
    assert reason(lambda: pinned_policy(own, file, received_ms)) == "POLICY_MISSING"
    governance = desk.operator.governance
    governance.now_ms, governance.policy = received_ms + 1, hashlib.sha256(changed).hexdigest()
    governance.advance()
    assert pinned_policy(own, file, received_ms + 1).digest == governance.policy
    assert reason(lambda: pinned_policy(own, file, received_ms)) == "POLICY_MISSING"
    kept_beside(file, digest).write_bytes(POLICY)
    assert pinned_policy(own, file, received_ms).digest == digest


def test_what_a_refused_document_says_is_taken_from_the_refused_bytes_alone(
    desk: Desk, stub: Stub, own: Session
) -> None:
    content = desk.disclosure(offence="jaywalking")
    refusal = stub.call.submit(content).refusal_id
    known = known_of(own, refusal)
    assert known.claims is None
    stated = with_document(own, known, content)
    assert stated.unverified is not None
    letter = letter_of(stated, load_policy(POLICY), "TEST", 0)
    assert (letter.kind, letter.addressee) == ("refusal", "")
    assert reason(lambda: with_document(own, known, desk.disclosure())) == "LETTER_DOCUMENT"
