"""The second request and custody's own affairs through their RPCs."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from custody_support.calls import caller
from custody_support.second import NAMES, Packed, SecondVault
from custody_support.vault import MESH
from garim.api.custody.v1 import custody_pb2 as pb
from garim.custody.servicer_people import PeopleRpcs, PeopleUseCases
from garim.custody.servicer_unmask import UnmaskRpcs
from garim.custody.tables.unmask import UnmaskRequest
from garim.documents.policy import DAY_MS
from garim.kit.convert import document_to, envelope_to, logged_to
from garim.statements import governance, subjects
from garim.statements.refusal import RefusedError

CLERK = caller("clerk/cheong-a")


@pytest.fixture
def rpcs(vault: SecondVault) -> Any:
    return cast("Any", UnmaskRpcs)(vault.use_cases)


@pytest.fixture
def people(vault: SecondVault) -> Any:
    return cast("Any", PeopleRpcs)(PeopleUseCases.of(vault.core, vault.own, vault.ledger.begin_under))


def decide(rpcs: Any, vault: SecondVault, request: UnmaskRequest, action: Any, person: str) -> Any:
    shares = vault.shares(request, person) if action == "approve" else []
    return rpcs.DecideUnmask(
        pb.DecideUnmaskRequest(
            request_id=bytes.fromhex(request.id),
            decision=envelope_to(vault.decision(person, action, request.subject)),
            shares=[pb.ApprovedShare(subset=subset, sealed=sealed) for subset, sealed in shares],
        ),
        caller(f"custodian/{person}"),
    ).summary


def listed(rpcs: Any, **options: Any) -> Any:
    return rpcs.ListUnmaskRequests(pb.ListUnmaskRequestsRequest(**options), CLERK)


def test_the_whole_second_request_through_its_rpcs(vault: SecondVault, packed: Packed, rpcs: Any) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received)
    asked = pb.RequestUnmaskRequest(
        document=document_to(received), grant=logged_to(grant.statement, grant.proof)
    )
    request_id = rpcs.RequestUnmask(asked, CLERK).request_id
    request = rpcs.GetUnmaskRequest(pb.GetUnmaskRequestRequest(request_id=request_id), CLERK)
    assert request.document.attachments == [packed.sealed[NAMES[0]]]
    assert request.summary.state == pb.UNMASK_STATE_PENDING
    found = vault.use_cases.unmasking.open(received, grant)
    assert decide(rpcs, vault, found, "approve", "ga-on").approvals == 1
    summary = decide(rpcs, vault, found, "approve", "na-rae")
    assert (summary.state, summary.approvals, summary.needed) == (pb.UNMASK_STATE_APPROVED, 2, 2)
    answer = rpcs.CollectIdentities(pb.CollectIdentitiesRequest(request_id=request_id), CLERK).answer
    assert vault.opened(answer, packed)
    shown = rpcs.GetUnmaskRequest(pb.GetUnmaskRequestRequest(request_id=request_id), CLERK)
    assert (shown.summary.state, shown.summary.approvals) == (pb.UNMASK_STATE_RELEASED, 2)
    assert len(shown.decisions) == 2


@pytest.mark.parametrize(
    ("person", "shares"),
    [("custodian/ga-on", 2), ("custodian/sae-byeok", 0), ("clerk/ga-on", 0), ("auditor/ga-on", 0)],
)
def test_everybody_sees_the_request_and_a_custodian_their_own_shares_alone(
    vault: SecondVault, packed: Packed, rpcs: Any, person: str, shares: int
) -> None:
    request = vault.ask(packed)
    asked = pb.GetUnmaskRequestRequest(request_id=bytes.fromhex(request.id))
    seen = rpcs.GetUnmaskRequest(asked, caller(person))
    assert len(seen.shares) == shares
    assert all("ga-on" in one.subset for one in seen.shares)
    assert seen.subject.hex() == request.subject


def test_a_custodian_decides_in_their_own_name_only(vault: SecondVault, packed: Packed, rpcs: Any) -> None:
    request = vault.ask(packed)
    theirs = pb.DecideUnmaskRequest(
        request_id=bytes.fromhex(request.id),
        decision=envelope_to(vault.decision("ga-on", "deny", request.subject)),
    )
    with pytest.raises(RefusedError, match="STATEMENT_SIGNATURE"):
        rpcs.DecideUnmask(theirs, caller("custodian/na-rae"))


def test_requests_are_listed_newest_first_in_pages(vault: SecondVault, rpcs: Any) -> None:
    packed, made = vault.pack(), []
    for name in NAMES:
        made.append(vault.ask(packed, name).id)
        vault.clock.advance(1)
    first = listed(rpcs, page_size=2)
    assert [one.request_id.hex() for one in first.requests] == made[:0:-1]
    second = listed(rpcs, page_size=2, page_token=first.next_page_token)
    assert [one.request_id.hex() for one in second.requests] == made[:1]
    assert second.next_page_token == ""


def test_pages_lose_no_request_of_the_same_millisecond(vault: SecondVault, rpcs: Any) -> None:
    packed = vault.pack()
    made = {vault.ask(packed, name).id for name in NAMES}
    found, token = set(), ""
    for _ in made:
        page = listed(rpcs, page_size=1, page_token=token)
        found |= {one.request_id.hex() for one in page.requests}
        token = page.next_page_token
    assert (found, token) == (made, "")


@pytest.mark.parametrize(
    "token", ["x", "1:x", f"{10**30}:{'ab' * 16}", f"-1:{'ab' * 16}", f"1:{'AB' * 16}", f"١:{'ab' * 16}"]
)
def test_a_made_up_page_token_is_refused(rpcs: Any, token: str) -> None:
    with pytest.raises(RefusedError, match="PAGE_TOKEN"):
        listed(rpcs, page_token=token)


def test_requests_are_listed_by_state(vault: SecondVault, rpcs: Any) -> None:
    packed = vault.pack()
    pending, approved, denied = (vault.ask(packed, name) for name in NAMES)
    vault.approve(approved, "ga-on", "na-rae")
    vault.deny(denied, "ga-on", "na-rae")
    for state, request in (
        (pb.UNMASK_STATE_PENDING, pending),
        (pb.UNMASK_STATE_APPROVED, approved),
        (pb.UNMASK_STATE_DENIED, denied),
    ):
        assert [one.request_id.hex() for one in listed(rpcs, state=state).requests] == [request.id]
    assert len(listed(rpcs).requests) == 3


def test_a_request_that_is_not_logged_is_not_shown(vault: SecondVault, packed: Packed, rpcs: Any) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received)
    vault.operator.audit.misbehaviour.silent = True
    vault.core.log.verify = lambda *_args, **_options: vault.entries()[-1]  # type: ignore[method-assign]
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        vault.unmasking.open(received, grant)
    assert list(listed(rpcs).requests) == []


@pytest.mark.parametrize("request_id", [b"", b"\x01" * 16, b"\xff" * 1000])
def test_an_unknown_request_is_refused(rpcs: Any, request_id: bytes) -> None:
    for call, asked in (
        (rpcs.GetUnmaskRequest, pb.GetUnmaskRequestRequest(request_id=request_id)),
        (rpcs.CollectIdentities, pb.CollectIdentitiesRequest(request_id=request_id)),
    ):
        with pytest.raises(RefusedError, match="REQUEST_UNKNOWN"):
            call(asked, CLERK)


def test_a_request_that_was_lost_in_a_restore_is_listed_and_says_so(vault: SecondVault) -> None:
    packed = vault.pack()
    backup = vault.backup()
    request = vault.ask(packed)
    vault.restore(backup)
    vault.restoring.attempt()
    rpcs = cast("Any", UnmaskRpcs)(vault.use_cases)
    assert [one.state for one in listed(rpcs).requests] == [pb.UNMASK_STATE_EXPIRED]
    with pytest.raises(RefusedError, match="REQUEST_STATE"):
        rpcs.GetUnmaskRequest(pb.GetUnmaskRequestRequest(request_id=bytes.fromhex(request.id)), CLERK)


def test_freeze_thaw_and_status(vault: SecondVault, packed: Packed, people: Any) -> None:
    vault.ask(packed)
    decision = vault.decision("ga-on", "freeze", subjects.freeze(MESH), reason="TEST: a key was lost")
    asked = pb.FreezeRequest(decision=envelope_to(decision))
    freeze_id = people.Freeze(asked, caller("custodian/ga-on")).freeze_id
    status = people.GetCustodyStatus(pb.GetCustodyStatusRequest(), CLERK)
    assert (status.freeze_id, status.freeze_reason, status.pending_requests) == (
        freeze_id,
        "TEST: a key was lost",
        1,
    )
    assert status.dossiers == 1
    for person, frozen in (("ga-on", True), ("na-rae", False)):
        decision = vault.decision(person, "thaw", subjects.thaw(freeze_id))
        answer = people.Thaw(pb.ThawRequest(decision=envelope_to(decision)), caller(f"custodian/{person}"))
        assert answer.frozen is frozen
    assert people.GetCustodyStatus(pb.GetCustodyStatusRequest(), CLERK).freeze_id == b""


def test_governance_through_its_rpcs(vault: SecondVault, people: Any) -> None:
    document = vault.next_governance(issued=3)
    digest = people.ProposeGovernance(pb.ProposeGovernanceRequest(document=document), CLERK).digest
    seen = people.GetGovernance(pb.GetGovernanceRequest(from_version=1), CLERK)
    assert [one.document for one in seen.proposals] == [document]
    for person, version in (("ga-on", 1), ("na-rae", 2)):
        decision = vault.decision(person, "governance", governance.decision_subject(document))
        asked = pb.DecideGovernanceRequest(digest=digest, decision=envelope_to(decision))
        assert people.DecideGovernance(asked, caller(f"custodian/{person}")).version == version
    seen = people.GetGovernance(pb.GetGovernanceRequest(from_version=2), CLERK)
    assert [one.document for one in seen.versions] == [document]
    assert seen.versions[0].HasField("proof")
    assert list(seen.proposals) == []


def test_a_revocation_through_its_rpc(vault: SecondVault, packed: Packed, people: Any) -> None:
    request = vault.ask(packed)
    payload = packed.dossier.payload
    received = vault.revocation(payload, json.loads(payload)["number"])
    people.SubmitRevocation(pb.SubmitRevocationRequest(document=document_to(received)), CLERK)
    assert vault.find(request).state == "revoked"
    assert vault.find(request).expires_ms == vault.clock.now_ms() + 14 * DAY_MS
