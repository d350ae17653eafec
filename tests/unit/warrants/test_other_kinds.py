from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from garim.documents.fields import parse_instant
from garim.kit.convert import Logged
from garim.statements.grants import PreservationGrant, UnmaskGrant
from garim.statements.refusal import Kind, RefusedError
from garim.testing import documents
from garim.testing.governance import DAY_MS
from garim.testing.operator import MESH, away
from garim.warrants.cases import Case
from garim.warrants.hi1_rows import Taken
from garim.warrants.machine import State
from garim.warrants.schema import revocations
from warrants_support.desk import Desk, StopError, dies, payload_of, person, reviewer


@pytest.fixture
def first(desk: Desk) -> Case:
    return desk.open_case(desk.disclosure())


def statement_of(case: Case) -> Logged:
    assert case.statement is not None
    return case.statement


def test_a_second_request_gets_a_grant_and_then_custodys_request(desk: Desk, first: Case) -> None:
    content, sealed = desk.supplementary(first)
    order: list[str] = []
    desk.custody.on_request = lambda: order.extend(leaf.type for leaf in desk.leaves()[-1:])
    done = desk.submit(content, sealed, person("clerk", "han-gyeol"))
    case = done.case
    assert case is not None
    assert case.state is State.REQUESTED
    assert case.request == desk.custody.requests[content][0]
    # Custody hears of it only after the log has.
    assert order == ["unmask-granted"]
    keys = desk.operator.governance.current().keys_of("warrants")
    now_ms = desk.operator.clock.now_ms()
    grant = UnmaskGrant.verify(statement_of(case).statement, keys, mesh=MESH, now=now_ms)
    assert grant.first == first.identity.digest
    assert grant.dossier == "22" * 16
    assert [(one.pseudonym, one.sealed) for one in grant.identities] == [
        ("P-7K4Q2-M9XAT", hashlib.sha256(sealed[0]).hexdigest())
    ]
    assert grant.recipient == documents.RECIPIENT
    assert grant.filer == "han-gyeol"
    assert desk.custody.requests[content][1] == case.statement
    assert desk.leaves("unmask-granted")[0].magnitudes == {"identities": 1}


def test_custody_away_leaves_the_grant_and_the_same_submit_later_goes_on(desk: Desk, first: Case) -> None:
    content, sealed = desk.supplementary(first)
    desk.custody.refusal = away()
    with pytest.raises(RefusedError) as caught:
        desk.submit(content, sealed)
    assert caught.value.kind is Kind.UNAVAILABLE
    desk.custody.refusal = None
    desk.restart()
    case = desk.open_case(content, sealed)
    assert case.request == desk.custody.requests[content][0]
    assert desk.open_case(content, sealed) == case
    assert len(desk.leaves("unmask-granted")) == 1


def test_the_filer_is_who_submitted_first(desk: Desk, first: Case) -> None:
    content, sealed = desk.supplementary(first)
    desk.restart(sign=dies)
    with pytest.raises(StopError):
        desk.submit(content, sealed, person("clerk", "han-gyeol"))
    desk.restart()
    case = desk.submit(content, sealed, person("clerk", "da-on")).case
    assert case is not None
    grant = UnmaskGrant.from_bytes(statement_of(case).statement.payload)
    assert grant.filer == "han-gyeol"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"first_document": "11" * 32}, "FIRST_DOCUMENT_UNKNOWN"),
        ({"case_number": "2026형제00002"}, "FIRST_CASE_NUMBER"),
        ({"recipient": "age1nobody"}, "RECIPIENT_UNREADABLE"),
    ],
)
def test_a_second_request_that_does_not_fit_its_first_is_refused(
    desk: Desk, first: Case, changes: dict[str, Any], reason: str
) -> None:
    content, sealed = desk.supplementary(first, **changes)
    assert desk.reasons(content, sealed) == [reason]
    assert desk.custody.requests == {}


def test_a_second_request_must_name_a_first_request_not_another_kind(desk: Desk) -> None:
    order = desk.open_case(desk.signed(documents.preservation(desk.pki)))
    content, sealed = desk.supplementary(order)
    assert desk.reasons(content, sealed) == ["FIRST_DOCUMENT_UNKNOWN"]


@pytest.mark.sqlite
def test_another_authoritys_case_is_not_opened(desk: Desk, first: Case) -> None:
    # The certificate binds the authority, so a second agency cannot even name the first one's; where one
    # certificate authority vouched for both, the case's authority decides.
    content, sealed = desk.supplementary(first)
    with desk.database.writing() as connection:
        connection.exec_driver_sql("UPDATE cases SET authority = 'TEST 다른지방검찰청'")
    assert desk.reasons(content, sealed) == ["FIRST_AUTHORITY"]


def test_all_that_is_wrong_with_a_second_request_is_told_at_once(desk: Desk, first: Case) -> None:
    content, _ = desk.supplementary(first, case_number="2026형제00002", recipient="age1nobody")
    assert desk.reasons(content, [b"something else"]) == [
        "RECIPIENT_UNREADABLE",
        "FIRST_CASE_NUMBER",
        "ATTACHMENTS_WRONG",
    ]


def test_sealed_identities_must_be_those_the_document_names_in_order(desk: Desk, first: Case) -> None:
    content, sealed = desk.supplementary(first)
    for beside in ([], [b"another"], [*sealed, b"one more"]):
        assert desk.reasons(content, beside) == ["ATTACHMENTS_WRONG"]


def test_a_first_request_has_nothing_beside_it(desk: Desk) -> None:
    assert desk.reasons(desk.disclosure(), [b"something"]) == ["ATTACHMENTS_UNEXPECTED"]


@pytest.mark.parametrize("state", ["in-review", "no-data", "cancelled", "refused"])
def test_only_a_granted_first_request_can_be_followed(desk: Desk, state: str) -> None:
    desk.messages.changes = {
        "in-review": {"bystanders": 200},
        "no-data": {"messages": 0},
        "refused": {"bystanders": 10_000},
    }.get(state, {})
    case = desk.open_case(desk.disclosure())
    if state == "cancelled":
        desk.warrants.cancel(case.id, desk.cancel(case), reviewer("ra-on"))
    content, sealed = desk.supplementary(case)
    assert desk.reasons(content, sealed) == ["FIRST_NOT_GRANTED"]


def test_an_erased_dossier_has_nothing_to_open(desk: Desk) -> None:
    content, sealed = desk.supplementary(desk.open_case(desk.disclosure(mode="erased")))
    assert desk.reasons(content, sealed) == ["IDENTITIES_ERASED"]


def test_identities_are_asked_for_in_time(desk: Desk, first: Case) -> None:
    content, sealed = desk.supplementary(first)
    desk.operator.clock.advance(90 * DAY_MS)
    # The revocation lists have to be fresh then.
    for position, authority in enumerate((desk.pki.court_ca, desk.pki.agency_ca)):
        later = desk.pki.now + dt.timedelta(days=90)
        (desk.crls / f"{position}.crl").write_bytes(authority.crl(later, number=2))
    assert desk.reasons(content, sealed) == ["UNMASK_OVER"]


def test_cancelling_the_first_case_cancels_its_second_requests(desk: Desk, first: Case) -> None:
    content, sealed = desk.supplementary(first)
    second = desk.open_case(content, sealed)
    desk.warrants.cancel(first.id, desk.cancel(first), reviewer("ra-on"))
    found = desk.tables.by_id(second.id)
    assert found is not None
    assert found.state is State.CANCELLED
    assert desk.open_case(content, sealed).state is State.CANCELLED


def test_a_first_case_cancelled_while_the_second_is_logged_leaves_no_grant(desk: Desk, first: Case) -> None:
    content, sealed = desk.supplementary(first)

    def cancel_first(_kind: str) -> None:
        desk.operator.audit.before_append = lambda _other: None
        desk.warrants.cancel(first.id, desk.cancel(first), reviewer("ra-on"))

    desk.operator.audit.before_append = cancel_first
    case = desk.open_case(content, sealed)
    assert case.state is State.CANCELLED
    assert case.statement is None
    assert desk.custody.requests == {}


def test_a_first_case_cancelled_before_the_second_has_a_case_leaves_no_grant(
    desk: Desk, first: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, sealed = desk.supplementary(first)
    claim = desk.tables.claim

    def cancel_and_claim(fresh: Case, who: str, message: Taken | None = None) -> Case:
        desk.warrants.cancel(first.id, desk.cancel(first), reviewer("ra-on"))
        return claim(fresh, who, message)

    monkeypatch.setattr(desk.tables, "claim", cancel_and_claim)
    case = desk.open_case(content, sealed)
    assert case.state is State.REFUSED
    assert [one.reason for one in case.refusal] == ["FIRST_NOT_GRANTED"]
    assert desk.leaves("unmask-granted") == []


def test_a_preservation_order_gets_its_grant_without_forecast_or_review(desk: Desk) -> None:
    case = desk.open_case(desk.signed(documents.preservation(desk.pki)))
    assert case.state is State.GRANTED
    grant = PreservationGrant.from_bytes(statement_of(case).statement.payload)
    claims = case.claims
    assert claims.kind == "preservation"
    assert grant.until == grant.expires == claims.until_ms
    assert grant.subjects[0].value == "subject-1"
    assert desk.custody.tickets == []
    assert [leaf.type for leaf in desk.leaves()] == ["genesis", "preservation-granted"]


def test_an_emergency_request_of_the_chief_investigator_alone_may_be_kept_and_nothing_else(
    desk: Desk,
) -> None:
    members = documents.emergency(desk.pki)
    case = desk.open_case(documents.signed_alone(desk.pki, members))
    assert case.state is State.GRANTED
    grant = PreservationGrant.from_bytes(statement_of(case).statement.payload)
    assert grant.purpose == "preservation"
    assert grant.until == grant.expires == parse_instant(members["until"])
    assert [leaf.type for leaf in desk.leaves()] == ["genesis", "preservation-granted"]
    assert desk.reasons(desk.signed(documents.emergency(desk.pki, number="2026-긴급-0002"))) == [
        "ROLES_WRONG"
    ]


@pytest.mark.parametrize("make", [documents.disclosure, documents.preservation])
def test_a_request_without_a_court_opens_no_case_of_another_kind(
    desk: Desk, make: Callable[..., dict[str, Any]]
) -> None:
    assert desk.reasons(documents.signed_alone(desk.pki, make(desk.pki))) == ["ROLES_WRONG"]
    assert [leaf.type for leaf in desk.leaves()] == ["genesis", "document-refused"]


def test_a_preservation_order_that_ends_before_its_log_entry_is_not_granted(desk: Desk) -> None:
    content = desk.signed(documents.preservation(desk.pki))
    desk.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        desk.submit(content)
    case = desk.tables.by_document(hashlib.sha256(payload_of(content)).hexdigest())
    assert case is not None
    claims = case.claims
    assert claims.kind == "preservation"
    desk.operator.clock.advance(claims.until_ms - desk.operator.clock.now_ms())
    for position, authority in enumerate((desk.pki.court_ca, desk.pki.agency_ca)):
        (desk.crls / f"{position}.crl").write_bytes(
            authority.crl(desk.pki.now + dt.timedelta(days=30), number=2)
        )
    desk.operator.audit.misbehaviour.silent = False
    assert desk.open_case(content).state is State.REFUSED


def test_a_revocation_cancels_its_case_and_is_handed_to_custody(desk: Desk, first: Case) -> None:
    content = desk.signed(documents.revocation(desk.pki, first.payload))
    case = desk.open_case(content)
    assert case.state is State.CANCELLED
    assert desk.custody.revocations == [content]
    found = desk.tables.by_id(first.id)
    assert found is not None
    assert found.state is State.CANCELLED
    assert len(desk.leaves("cancel")) == 1
    assert desk.open_case(first.document.content).state is State.CANCELLED


def test_a_revocation_acts_here_while_custody_and_log_are_away_and_is_handed_on_later(
    desk: Desk, first: Case
) -> None:
    content = desk.signed(documents.revocation(desk.pki, first.payload))
    desk.custody.refusal = away()
    desk.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError) as caught:
        desk.submit(content)
    assert caught.value.kind is Kind.UNAVAILABLE
    found = desk.tables.by_id(first.id)
    assert found is not None
    assert found.state is State.CANCELLED
    desk.custody.refusal = None
    desk.restart()
    assert desk.open_case(content).state is State.CANCELLED
    assert desk.open_case(content).state is State.CANCELLED
    assert desk.custody.revocations == [content]


def test_a_document_revoked_before_it_came_is_refused(desk: Desk) -> None:
    content = desk.disclosure()
    desk.open_case(desk.signed(documents.revocation(desk.pki, payload_of(content))))
    assert desk.reasons(content) == ["DOCUMENT_REVOKED"]


@pytest.mark.sqlite
def test_no_authority_revokes_anothers_document(desk: Desk, first: Case) -> None:
    with desk.database.writing() as connection:
        connection.exec_driver_sql("UPDATE cases SET authority = 'TEST 다른지방검찰청'")
    desk.open_case(desk.signed(documents.revocation(desk.pki, first.payload)))
    found = desk.tables.by_id(first.id)
    assert found is not None
    assert found.state is State.GRANTED


def test_revoking_what_was_refused_leaves_it_refused(desk: Desk) -> None:
    desk.messages.changes = {"bystanders": 10_000}
    case = desk.open_case(desk.disclosure())
    desk.open_case(desk.signed(documents.revocation(desk.pki, case.payload)))
    found = desk.tables.by_id(case.id)
    assert found is not None
    assert found.state is State.REFUSED


def test_that_a_document_was_revoked_is_told_with_everything_else(desk: Desk) -> None:
    content = desk.disclosure(offence="jaywalking")
    desk.open_case(desk.signed(documents.revocation(desk.pki, payload_of(content))))
    assert desk.reasons(content) == ["DOCUMENT_REVOKED", "OFFENCE_NOT_LISTED"]


def test_a_revocation_that_only_custody_knows_cancels_the_case(desk: Desk) -> None:
    desk.custody.refusal = RefusedError("DOCUMENT_REVOKED", "revoked", kind=Kind.PRECONDITION)
    assert desk.open_case(desk.disclosure()).state is State.CANCELLED


def test_a_revocation_between_check_and_claim_wins(desk: Desk) -> None:
    content = desk.disclosure()
    with desk.database.writing() as connection:
        digest = hashlib.sha256(payload_of(content)).hexdigest()
        connection.execute(sa.insert(revocations).values(authority=documents.AUTHORITY, digest=digest))
    desk.tables.is_revoked = lambda _authority, _digest: False  # type: ignore[method-assign]
    assert desk.reasons(content) == ["DOCUMENT_REVOKED"]
