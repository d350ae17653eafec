"""Receipts and answers are believed only with custody's signature, the log and the chain from genesis."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dossier_support.sample import (
    HANEUL,
    IDENTITIES,
    MARU,
    MESH,
    ORIGINALS,
    PHONE,
    Made,
    committed,
    make,
    sealed_identities,
)
from garim.dossier.answer_file import AnswerFile, verify_answers
from garim.dossier.opened_identity import OpenedIdentity
from garim.dossier.receipt import LoggedStatement, ReceiptFile, verify_receipt
from garim.dossier.verification import verify_originals
from garim.statements.refusal import RefusedError
from garim.testing.succession import succeeded


def reason(call: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value.reason


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path / "opened")


def sealed() -> dict[str, bytes]:
    return {name: value for name, _, value in sealed_identities()}


def opened(made: Made, file: AnswerFile) -> dict[str, OpenedIdentity]:
    return verify_answers(file, sealed(), made.receipt, made.office.governance.current())


def answer_reason(made: Made, file: AnswerFile) -> str:
    return reason(lambda: opened(made, file))


def test_a_receipt_is_verified_offline_from_the_genesis_digest(made: Made) -> None:
    data = made.office.receipt_file(made.receipt).to_bytes()
    receipt, governance = verify_receipt(ReceiptFile.from_bytes(data), made.office.governance.genesis)
    assert receipt == made.receipt
    assert governance.version == 1


def test_a_receipt_under_another_genesis_is_refused(made: Made) -> None:
    file = made.office.receipt_file(made.receipt)
    assert reason(lambda: verify_receipt(file, "00" * 32)) == "GOVERNANCE_GENESIS"
    bare = dataclasses.replace(file, governance=())
    assert reason(lambda: verify_receipt(bare, made.office.governance.genesis)) == "GOVERNANCE_GENESIS"


def test_a_receipt_follows_the_chain_of_versions(made: Made) -> None:
    governance = made.office.governance
    second = governance.draft(version=2, previous=governance.genesis)
    governance.versions.append(governance.signed(second, in_force=1))
    file = made.office.receipt_file(made.receipt)
    assert verify_receipt(file, governance.genesis)[1].version == 2
    unsigned = dataclasses.replace(file.governance[1], decisions=())
    broken = dataclasses.replace(file, governance=(file.governance[0], unsigned))
    assert reason(lambda: verify_receipt(broken, governance.genesis)) == "GOVERNANCE_QUORUM"


def test_a_receipt_that_custody_did_not_sign_or_log_is_refused(made: Made) -> None:
    genesis = made.office.governance.genesis
    good = made.office.receipt_file(made.receipt)
    forged = made.receipt.sign(Ed25519PrivateKey.generate().sign)
    file = dataclasses.replace(good, receipt=LoggedStatement(forged, good.receipt.proof))
    assert reason(lambda: verify_receipt(file, genesis)) == "STATEMENT_SIGNATURE"
    other = made.receipt.model_copy(update={"messages": 3}).sign(made.office.governance.custody_key.sign)
    file = dataclasses.replace(good, receipt=LoggedStatement(other, good.receipt.proof))
    assert reason(lambda: verify_receipt(file, genesis)) == "LOG_COMMITMENT"
    file = made.office.receipt_file(made.receipt, kind="delivered")
    assert reason(lambda: verify_receipt(file, genesis)) == "LOG_TYPE"
    file = made.office.receipt_file(made.receipt, service="redaction")
    assert reason(lambda: verify_receipt(file, genesis)) == "LOG_ACTOR"


@pytest.mark.parametrize(
    "change",
    [
        {"format": "garim-receipt/2"},
        {"more": 1},
        {"governance": 1},
        {"governance": [1]},
        {"governance": [{"document": "", "decisions": [], "more": 1}]},
        {"governance": [{"document": "!", "decisions": []}]},
        {"governance": [{"document": ""}]},
    ],
)
def test_a_receipt_file_is_closed(made: Made, change: dict[str, object]) -> None:
    value = json.loads(made.office.receipt_file(made.receipt).to_bytes())
    data = json.dumps(value | change).encode()
    assert reason(lambda: ReceiptFile.from_bytes(data)) == "RECEIPT_FILE"


@pytest.mark.parametrize(
    "change", [{"receipt": {}}, {"receipt": []}, {"receipt": {"statement": {}, "proof": {}}}]
)
def test_a_malformed_logged_statement_is_refused(made: Made, change: dict[str, object]) -> None:
    value = json.loads(made.office.receipt_file(made.receipt).to_bytes())
    data = json.dumps(value | change).encode()
    assert reason(lambda: ReceiptFile.from_bytes(data)) == "STATEMENT_ENVELOPE"


def test_an_answer_opens_what_it_names_and_nothing_else(made: Made) -> None:
    file = AnswerFile.from_bytes(made.office.answers(HANEUL, PHONE).to_bytes())
    assert opened(made, file) == {
        name: OpenedIdentity.from_object(IDENTITIES[name], MESH) for name in (HANEUL, PHONE)
    }


@pytest.mark.parametrize(
    "change",
    [{"opening": "00"}, {"opening": None}, {"originals": None}, {"originals": [1]}, {"opening": "x" * 64}],
)
def test_an_identity_that_does_not_say_what_was_masked_is_refused(change: dict[str, object]) -> None:
    assert reason(lambda: OpenedIdentity.from_object(IDENTITIES[HANEUL] | change, MESH)) == "ANSWER_IDENTITY"


def test_masks_of_a_released_identity_are_shown_to_hide_what_it_says(made: Made) -> None:
    released = opened(made, made.office.answers(HANEUL, PHONE))
    # One message sent, one mask of the person, one of the phone.
    assert verify_originals(made.opened, released) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"originals": ["하늘"]}, "C1-0003"),
        ({"originals": []}, "C1-0003"),
        ({"opening": "ab" * 32}, "C1-0002"),
        ({"account": "acct-00003"}, "C1-0002"),
    ],
)
def test_an_identity_that_does_not_fit_its_masks_is_evidence_of_dishonest_masking(
    made: Made, change: dict[str, object], message: str
) -> None:
    bent = OpenedIdentity.from_object(IDENTITIES[HANEUL] | change, MESH)
    with pytest.raises(RefusedError, match="MASK_DISHONEST") as refused:
        verify_originals(made.opened, {HANEUL: bent})
    assert refused.value.field == message


def test_a_commitment_holds_for_its_message_and_place_alone() -> None:
    one = OpenedIdentity.from_object(IDENTITIES[HANEUL], MESH)
    commitment = committed(HANEUL, "C1-0001", 0, ORIGINALS[HANEUL])
    assert one.original("C1-0001", 0, commitment) == ORIGINALS[HANEUL]
    assert one.original("C1-0002", 0, commitment) is None
    assert one.original("C1-0001", 1, commitment) is None
    other = OpenedIdentity.from_object(IDENTITIES[HANEUL], "other.mesh")
    assert other.original("C1-0001", 0, commitment) is None


def test_an_answer_about_another_dossier_is_refused(made: Made) -> None:
    assert answer_reason(made, made.office.answers(HANEUL, dossier="0f" * 16)) == "ANSWER_DOSSIER"


def test_answers_and_logged_release_cover_the_same(made: Made) -> None:
    office = made.office
    for file in [
        office.answers(HANEUL, MARU, released=[HANEUL]),
        office.answers(HANEUL, released=[HANEUL, MARU]),
        office.answers(HANEUL, released=[]),
        office.answers(HANEUL, request="0c" * 16),
    ]:
        assert answer_reason(made, file) == "ANSWER_RELEASE"


def test_an_answer_of_another_release_is_refused(made: Made) -> None:
    one, two = made.office.answers(HANEUL), made.office.answers(MARU)
    assert answer_reason(made, dataclasses.replace(one, answers=two.answers)) == "ANSWER_RELEASE"
    assert answer_reason(made, dataclasses.replace(one, release=two.release)) == "LOG_COMMITMENT"
    assert answer_reason(made, dataclasses.replace(one, release=two.release, answers=two.answers)) == (
        "LOG_COMMITMENT"
    )


def test_an_answer_about_another_sealed_value_is_refused(made: Made) -> None:
    other = sealed() | {HANEUL: b"another"}
    assert answer_reason(made, made.office.answers(HANEUL, sealed=other)) == "ANSWER_IDENTITY"
    strange = {key: value for key, value in sealed().items() if key != HANEUL}
    file = made.office.answers(HANEUL)
    governance = made.office.governance.current()
    assert reason(lambda: verify_answers(file, strange, made.receipt, governance)) == "ANSWER_IDENTITY"


def test_a_tampered_answer_is_refused(made: Made) -> None:
    file = made.office.answers(HANEUL)
    payload = json.loads(file.answers[0].payload)
    payload["identity"] = base64.b64encode(b'{"type":"PERSON","value":"acct-00009"}').decode()
    forged = dataclasses.replace(file.answers[0], payload=json.dumps(payload).encode())
    assert answer_reason(made, dataclasses.replace(file, answers=(forged,))) == "STATEMENT_SIGNATURE"


def test_a_release_that_was_logged_as_something_else_is_refused(made: Made) -> None:
    assert answer_reason(made, made.office.answers(HANEUL, kind="keys-released")) == "LOG_TYPE"
    file = made.office.answers(HANEUL)
    elsewhere = made.office.logged(file.release, "identities-released", "redaction")
    assert answer_reason(made, dataclasses.replace(file, proof=elsewhere)) == "LOG_ACTOR"


def test_a_release_of_another_log_is_refused(made: Made, tmp_path: Path) -> None:
    other = make(tmp_path / "other")
    assert answer_reason(made, other.office.answers(HANEUL)).startswith(("LOG_", "NOTE_"))


@pytest.mark.parametrize(
    "change",
    [
        {"format": "garim-answers/2"},
        {"more": 1},
        {"answers": {}},
        {"proof": []},
        {"release": "!"},
        {"release": 1},
    ],
)
def test_an_answer_file_is_closed(made: Made, change: dict[str, object]) -> None:
    value = json.loads(made.office.answers(HANEUL).to_bytes())
    data = json.dumps(value | change).encode()
    assert reason(lambda: AnswerFile.from_bytes(data)) == "ANSWER_FORMAT"


def test_a_receipt_of_a_former_log_counts_up_to_what_its_successor_carries(made: Made) -> None:
    office, genesis = made.office, made.office.governance.genesis
    within = office.receipt_file(made.receipt)
    former = office.audit
    succeeded(office.governance, former)
    behind = office.receipt_file(made.receipt)
    receipt, governance = verify_receipt(dataclasses.replace(within, governance=office.links), genesis)
    assert (receipt, governance.version) == (made.receipt, 2)
    assert reason(lambda: verify_receipt(behind, genesis)) == "LOG_SUCCEEDED"
