"""HI1 messages at warrants: all or nothing, once, each agency its own; cancelling closes at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest

import etsi_support as etsi
from garim.documents.claims import read_claims
from garim.documents.etsi import names, write
from garim.documents.media_types import ETSI_MEDIA_TYPE
from garim.kit.identity import Peer
from garim.statements.refusal import Kind, RefusedError
from garim.testing import documents
from garim.testing.pki import AUTHORITY, Identity
from garim.warrants.hi1_status import STATUSES
from garim.warrants.machine import State
from warrants_support.desk import Desk, StopError, dies
from warrants_support.office import XMLNS, Office, errors, statuses


@pytest.fixture
def office(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(desk, etsi.agency(desk.pki), monkeypatch)


def test_a_request_opens_a_case_and_is_answered_with_its_objects(office: Office) -> None:
    answer = office.send(office.request())
    assert errors(answer) == []
    assert statuses(answer) == ["Approved", "Approved", "AwaitingDisclosure"]
    case = office.desk.tables.by_number(AUTHORITY, "2026-압수-0001")
    assert case is not None
    assert case.state is State.GRANTED
    assert case.document.media_type == ETSI_MEDIA_TYPE


def test_an_agency_reads_its_objects_and_lists_them(office: Office) -> None:
    made = office.authorisation(office.send(office.request()))
    assert statuses(office.asked(made)) == ["Approved"]
    listed = office.asked()
    assert [one.text for one in listed.iter(names.core("Identifier"))].count(made) == 1
    assert len(list(listed.iter(names.core("ListResponseRecord")))) == 3


def test_another_agency_sees_and_changes_nothing(office: Office) -> None:
    made = office.authorisation(office.send(office.request()))
    pki = office.desk.pki
    other = etsi.issue_person(
        pki.agency_ca, "TEST 누리", "TEST-0031", "TEST 다른경찰청", pki.now,
        policies=[etsi.ROLE_POLICIES[etsi.Role.CHIEF_INVESTIGATOR]],
    )  # fmt: skip
    office.trust_too("TEST 다른경찰청")
    theirs = write.Writing(
        "TEST 다른경찰청", documents.AUDIENCE, office.writing.now_ms, office.writing.new_uuid
    )
    assert errors(office.send(write.query(theirs, [made]), signer=other)) == [(3014, "OBJECT_UNKNOWN")]
    assert (
        list(office.send(write.query(theirs, []), signer=other).iter(names.core("ListResponseRecord"))) == []
    )
    assert errors(office.send(write.cancellation(theirs, made, 1), signer=other)) == [
        (3011, "UPDATE_UNKNOWN")
    ]
    assert statuses(office.asked(made)) == ["Approved"]


def test_the_owner_cancels_with_one_signature_and_the_case_is_closed_and_logged(office: Office) -> None:
    made = office.authorisation(office.send(office.request()))
    answer = office.send(write.cancellation(office.writing, made, 1))
    assert errors(answer) == []
    assert statuses(answer) == ["Cancelled"]
    case = office.desk.tables.by_number(AUTHORITY, "2026-압수-0001")
    assert case is not None
    assert case.state is State.CANCELLED
    assert len(office.desk.leaves("cancel")) == 1
    shown = office.asked(made)
    assert shown.findtext(".//c:Generation", namespaces=XMLNS) == "2"


def test_a_stale_generation_changes_nothing(office: Office) -> None:
    made = office.authorisation(office.send(office.request()))
    for generation in (0, 2):
        refused = office.send(write.cancellation(office.writing, made, generation))
        assert errors(refused) == [(3006, "GENERATION_STALE")]
    assert statuses(office.asked(made)) == ["Approved"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b">Cancelled<", b">Approved<", (3006, "UPDATE_REFUSED")),
        (
            b"<auth:AuthorisationDesiredStatus>",
            b"<auth:AuthorisationReference>X</auth:AuthorisationReference><auth:AuthorisationDesiredStatus>",
            (3006, "UPDATE_REFUSED"),
        ),
        (b"<Generation>1</Generation>", b"", (3005, "FIELD_MISSING")),
        (b"auth:AuthorisationObject", b"task:LDTaskObject", (3011, "UPDATE_UNKNOWN")),
    ],
)
def test_an_update_that_does_more_than_cancel_changes_nothing(
    office: Office, old: bytes, new: bytes, code: tuple[int, str]
) -> None:
    made = office.authorisation(office.send(office.request()))
    update = write.cancellation(office.writing, made, 1)
    assert old in update
    assert errors(office.send(update.replace(old, new))) == [code]
    assert statuses(office.asked(made)) == ["Approved"]


def test_a_transaction_counts_once(office: Office) -> None:
    data = etsi.signed(office.identity, office.request())
    assert errors(office.send_as_is(data)) == []
    assert errors(office.send_as_is(data)) == [(3000, "TRANSACTION_REPEATED")]
    question = etsi.signed(office.identity, write.query(office.writing, []))
    assert errors(office.send_as_is(question)) == []
    assert errors(office.send_as_is(question)) == [(3000, "TRANSACTION_REPEATED")]


def test_the_same_request_again_is_the_same_case_and_taken_identifiers_are_refused(office: Office) -> None:
    data = office.request()
    office.send(data)
    header = re.compile(b"<TransactionIdentifier>[^<]*")
    again = header.sub(b"<TransactionIdentifier>" + office.writing.new_uuid().encode(), data)
    assert {code for code, _ in errors(office.send(again))} == {3010}
    assert errors(office.send(office.request())) == []
    assert len(office.desk.tables.page(frozenset(State), None, 10)) == 1


def test_nothing_is_kept_of_a_message_of_which_one_action_is_refused(office: Office) -> None:
    data = office.request()
    interception = data.replace(b"task:LDTaskObject", b"task:LITaskObject")
    assert errors(office.send(interception)) == [
        (3000, "NOT_CARRIED_OUT"),
        (3000, "NOT_CARRIED_OUT"),
        (3001, "OBJECT_UNSUPPORTED"),
    ]
    assert office.desk.tables.page(frozenset(State), None, 10) == []
    assert list(office.asked().iter(names.core("ListResponseRecord"))) == []


def test_a_document_that_policy_refuses_leaves_no_object(office: Office) -> None:
    court = documents.disclosure(office.desk.pki, offence="not-listed")
    answer = office.send(office.request(court))
    assert errors(answer) == [(3007, "OFFENCE_NOT_LISTED")] * 3
    assert list(office.asked().iter(names.core("ListResponseRecord"))) == []


def test_a_request_wider_than_the_courts_document_opens_nothing(office: Office) -> None:
    court = documents.disclosure(office.desk.pki)
    wider = court | {"subjects": [{"kind": "account", "value": "somebody-else"}]}
    assert errors(office.send(office.request(court, wider))) == [(3007, "REQUEST_WIDER")] * 3
    assert office.desk.tables.page(frozenset(State), None, 10) == []


def test_a_message_that_nobody_signed_is_refused(office: Office) -> None:
    assert errors(office.send_as_is(office.request())) == [(3005, "SIGNATURE_MISSING")]
    assert errors(office.send_as_is(write.query(office.writing, []))) == [(3005, "SIGNATURE_MISSING")]


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ("judge", "ROLES_WRONG"),
        ("clerk", "ROLE_MISSING"),
        ("expired", "CERTIFICATE_NOT_VALID_NOW"),
        ("revoked", "CERTIFICATE_REVOKED"),
        ("wrong_role", "ROLE_MISSING"),
    ],
)
def test_who_may_not_sign_messages_is_refused_and_cancels_nothing(
    office: Office, who: str, reason: str
) -> None:
    made = office.authorisation(office.send(office.request()))
    signer: Identity = getattr(office.desk.pki, who)
    update = write.cancellation(office.writing, made, 1)
    assert errors(office.send(update, signer=signer)) == [(3000, reason)]
    assert errors(office.send(write.query(office.writing, [made]), signer=signer)) == [(3000, reason)]
    assert statuses(office.asked(made)) == ["Approved"]


def test_an_agency_sends_its_own_messages_only(office: Office) -> None:
    """The certificate of the connection and the sender that the message names are the same agency."""
    theirs = Peer("agency/x", "test.mesh", "agency", "", "TEST 다른경찰청")
    own = Peer("agency/y", "test.mesh", "agency", "", AUTHORITY)
    assert errors(office.send(office.request(), caller=theirs)) == [(3000, "AUTHORITY_MISMATCH")]
    assert errors(office.send(office.request(), caller=own)) == []


def test_a_message_for_another_operator_is_refused(office: Office) -> None:
    elsewhere = write.Writing(AUTHORITY, "TEST 다른메신저", office.writing.now_ms, office.writing.new_uuid)
    assert errors(office.send(write.query(elsewhere, []))) == [(3000, "AUDIENCE_WRONG")]


def test_what_keeps_us_from_judging_is_no_refusal_and_leaves_the_transaction_open(office: Office) -> None:
    data = etsi.signed(office.identity, office.request())

    def away(*_: object) -> Any:
        raise RefusedError("LOG_AWAY", "x", kind=Kind.UNAVAILABLE)

    tables = office.desk.tables
    office.desk.restart(crls=away)
    assert errors(office.send_as_is(data)) == [(3003, "the")]
    assert tables is not office.desk.tables
    office.desk.restart()
    assert errors(office.send_as_is(data)) == []


def test_a_case_that_could_not_go_on_goes_on_when_its_owner_asks(office: Office) -> None:
    office.desk.custody.refusal = RefusedError("CUSTODY_AWAY", "x", kind=Kind.UNAVAILABLE)
    answer = office.send(office.request())
    assert statuses(answer) == ["Approved", "Approved", "AwaitingDisclosure"]
    case = office.desk.tables.by_number(AUTHORITY, "2026-압수-0001")
    assert case is not None
    assert case.state is State.RECEIVED
    office.desk.custody.refusal = None
    office.asked(office.authorisation(answer))
    case = office.desk.tables.by_number(AUTHORITY, "2026-압수-0001")
    assert case is not None
    assert case.state is State.GRANTED


def test_a_crash_between_document_and_objects_keeps_neither(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("garim.warrants.hi1_rows.remember", dies)
        with pytest.raises(StopError):
            office.send(office.request())
    assert office.desk.tables.page(frozenset(State), None, 10) == []


def test_each_state_has_a_status_of_the_standard() -> None:
    assert set(STATUSES) == set(State)


@pytest.mark.parametrize("kind", ["preservation", "revocation"])
def test_other_kinds_are_taken_in_too(office: Office, kind: str) -> None:
    make: Callable[..., dict[str, Any]] = getattr(documents, kind)
    court = make(office.desk.pki, *([b"first"] if kind == "revocation" else []))
    answer = office.send(office.request(court))
    assert errors(answer) == []
    assert set(statuses(answer)) <= {"Approved", "AwaitingPreservation"}


def test_a_second_request_travels_with_its_sealed_identities(office: Office) -> None:
    office.send(office.request())
    first = office.desk.tables.by_number(AUTHORITY, "2026-압수-0001")
    assert first is not None
    sealed = b"sealed identity of nobody"
    court = documents.supplementary(office.desk.pki, first_document=first.identity.digest)
    court["identities"][0]["sealed_sha256"] = hashlib.sha256(sealed).hexdigest()
    wanted = read_claims(documents.payload(court))
    assert (
        errors(office.send(write.request(office.writing, wanted, etsi.stand_in(court))))
        == [(3000, "ATTACHMENTS_WRONG")] * 3
    )
    answer = office.send(write.request(office.writing, wanted, etsi.stand_in(court), [sealed]))
    assert errors(answer) == []
    case = office.desk.tables.by_number(AUTHORITY, "2026-압수-0002")
    assert case is not None
    assert case.document.attachments == (sealed,)
