from __future__ import annotations

from typing import Any

import pytest

from cli_support.world import SampleCase
from garim.cli.hold_commands import lift_subject
from garim.cli.review_check import CheckedReview, cancel_subject, check_document, check_review
from garim.documents.formats import open_document
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.kit.convert import Received
from garim.kit.governance_history import InForce
from garim.statements import dsse, strict_json, subjects
from garim.statements.refusal import RefusedError


def check(case: SampleCase, **changes: Any) -> CheckedReview:
    forecast: dsse.Envelope = changes.pop("forecast", None) or case.forecast()
    world = case.world
    stated = subjects.review(case.first.digest, forecast.payload, world.governance.policy)
    return check_review(
        Received(JWS_MEDIA_TYPE, changes.pop("document", case.warrant), ()),
        forecast,
        changes.pop("subject", stated),
        open_document=open_document,
        history=changes.pop("history", (InForce(world.governance.issued, world.governance),)),
        crls=world.crls(),
        now_ms=world.now_ms,
    )


def test_an_honest_case_gives_the_subject_that_warrants_states(case: SampleCase) -> None:
    checked = check(case)
    assert checked.document.digest == case.first.digest
    assert checked.forecast.bystanders == 2


def test_a_reviewers_client_refuses_another_subject(case: SampleCase) -> None:
    with pytest.raises(RefusedError) as refused:
        check(case, subject="00" * 32)
    assert refused.value.reason == "DECISION_SUBJECT"


def test_a_reviewers_client_knows_the_policies_pinned_since_the_documents_issue_and_no_others(
    case: SampleCase,
) -> None:
    world, issued_ms = case.world, case.first.claims.issued_ms
    changed = world.governance.model_copy(update={"policy": "cd" * 32})
    since = (InForce(0, world.governance), InForce(issued_ms + 1, changed))
    assert check(case, history=since).policy == world.governance.policy
    before = (InForce(0, world.governance), InForce(issued_ms, changed))
    with pytest.raises(RefusedError, match="DECISION_SUBJECT"):
        check(case, history=before)


def test_a_reviewers_client_refuses_a_forecast_of_another_document(case: SampleCase) -> None:
    with pytest.raises(RefusedError) as refused:
        check(case, forecast=case.forecast(document="00" * 32))
    assert refused.value.reason == "FORECAST_SCOPE"


def test_a_reviewers_client_refuses_a_forecast_that_the_store_did_not_sign(case: SampleCase) -> None:
    honest = case.forecast()
    forged = dsse.sign(honest.payload_type, honest.payload, case.world.key("warrants").sign)
    with pytest.raises(RefusedError) as refused:
        check(case, forecast=forged)
    assert refused.value.reason == "STATEMENT_SIGNATURE"


def test_a_reviewers_client_refuses_a_document_with_one_signature(case: SampleCase) -> None:
    half = case.world.sign(case.world.warrant(), "judge")
    with pytest.raises(RefusedError) as refused:
        check(case, document=half)
    assert refused.value.reason == "ROLES_WRONG"


def test_only_a_disclosure_is_reviewed(case: SampleCase) -> None:
    with pytest.raises(RefusedError) as refused:
        check(case, document=case.world.sign(case.second()))
    assert refused.value.reason == "DOCUMENT_KIND"


def test_a_cancelling_decision_is_about_this_case_and_document(case: SampleCase) -> None:
    world = case.world
    received = Received(JWS_MEDIA_TYPE, case.warrant, ())
    document = check_document(
        received,
        open_document=open_document,
        governance=world.governance,
        crls=world.crls(),
        now_ms=world.now_ms,
    )
    stated = subjects.cancel(bytes(16), case.first.digest)
    assert cancel_subject(bytes(16), document, stated) == stated
    with pytest.raises(RefusedError) as refused:
        cancel_subject(bytes([1] * 16), document, stated)
    assert refused.value.reason == "DECISION_SUBJECT"


HOLDS = [{"place": {"segment": "ab" * 16, "message": 1, "start": 0, "end": 2}, "reason": "PERSON"}]


def test_a_lift_is_about_exactly_the_holds_that_were_listed() -> None:
    stated = subjects.lift("cd" * 32, strict_json.dump({"holds": HOLDS}))
    assert lift_subject("cd" * 32, HOLDS, stated) == stated
    for holds, reason in ((HOLDS * 2, "DECISION_SUBJECT"), ([], "HOLD_UNKNOWN")):
        with pytest.raises(RefusedError) as refused:
            lift_subject("cd" * 32, holds, stated)
        assert refused.value.reason == reason
