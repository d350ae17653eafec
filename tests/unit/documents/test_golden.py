"""The payload's bytes: a change here is a change of format."""

from __future__ import annotations

import hashlib

from garim.documents import draft
from garim.testing.documents import RECIPIENT

COMMON = {
    "audience": "TEST 가림메신저",
    "authority": "TEST 한빛지방검찰청",
    "court": "TEST 한빛지방법원",
    "number": "2026-압수-0001",
    "case_number": "2026형제00001",
    "issued_at": "2026-11-02T09:00:00+09:00",
}
HEAD = '{"acknowledger":"' + "ab" * 32 + '","audience":"TEST 가림메신저","authority":"TEST 한빛지방검찰청",'


def test_disclosure() -> None:
    payload = draft.draft_disclosure(
        COMMON,
        offence="drugs",
        warrant_type="search-and-seizure-stored",
        subjects=[("account", "subject-1"), ("phone", "010-0000-1234")],
        period=("2026-10-01", "2026-11-01"),
        recipient=RECIPIENT,
        acknowledger="ab" * 32,
    )
    assert payload.decode() == (
        HEAD + '"case_number":"2026형제00001","court":"TEST 한빛지방법원","expires_at":null,'
        '"format":"garim-document/1","issued_at":"2026-11-02T09:00:00+09:00","kind":"disclosure","mode":"sealed",'
        '"number":"2026-압수-0001","offence":"drugs","period":{"from":"2026-10-01","to":"2026-11-01"},'
        f'"recipient":"{RECIPIENT}","subjects":[{{"kind":"account","value":"subject-1"}},'
        '{"kind":"phone","value":"+821000001234"}],"warrant_type":"search-and-seizure-stored"}'
    )


def test_supplementary() -> None:
    proof = {"leaf_index": 0, "tree_size": 1, "hashes": []}
    ground = {
        "message": "C3-0127",
        "pseudonyms": ["P-7K4Q2-M9XAT"],
        "content_sha256": "44" * 32,
        "proof": proof,
    }
    payload = draft.draft_supplementary(
        COMMON,
        first_document="11" * 32,
        dossier="22" * 16,
        identities=[
            {"pseudonym": "P-7K4Q2-M9XAT", "sealed_sha256": "33" * 32, "proof": proof, "grounds": [ground]}
        ],
        recipient=RECIPIENT,
        acknowledger="ab" * 32,
    )
    assert payload.decode() == (
        HEAD + '"case_number":"2026형제00001","court":"TEST 한빛지방법원","dossier":"' + "22" * 16 + '",'
        '"first_document":"' + "11" * 32 + '","format":"garim-document/1","identities":[{"grounds":['
        '{"content_sha256":"'
        + "44"
        * 32
        + '","message":"C3-0127","proof":{"hashes":[],"leaf_index":0,"tree_size":1},'
        '"pseudonyms":["P-7K4Q2-M9XAT"]}],"proof":{"hashes":[],"leaf_index":0,"tree_size":1},'
        '"pseudonym":"P-7K4Q2-M9XAT","sealed_sha256":"' + "33" * 32 + '"}],'
        '"issued_at":"2026-11-02T09:00:00+09:00","kind":"supplementary","number":"2026-압수-0001",'
        f'"recipient":"{RECIPIENT}"}}'
    )


def test_preservation() -> None:
    payload = draft.draft_preservation(
        COMMON,
        subjects=[("email", "Subject@Example.org")],
        period=("2026-10-01", "2026-11-01"),
        until="2026-12-01",
    )
    assert payload.decode() == (
        '{"audience":"TEST 가림메신저","authority":"TEST 한빛지방검찰청","case_number":"2026형제00001",'
        '"court":"TEST 한빛지방법원","format":"garim-document/1","issued_at":"2026-11-02T09:00:00+09:00",'
        '"kind":"preservation","number":"2026-압수-0001","period":{"from":"2026-10-01","to":"2026-11-01"},'
        '"subjects":[{"kind":"email","value":"subject@example.org"}],"until":"2026-12-01"}'
    )


def test_revocation() -> None:
    payload = draft.draft_revocation(COMMON, number="2026-압수-0000", sha256="55" * 32, reason="사건 종결")
    assert payload.decode() == (
        '{"audience":"TEST 가림메신저","authority":"TEST 한빛지방검찰청","case_number":"2026형제00001",'
        '"court":"TEST 한빛지방법원","format":"garim-document/1","issued_at":"2026-11-02T09:00:00+09:00",'
        '"kind":"revocation","number":"2026-압수-0001","reason":"사건 종결",'
        '"revokes":{"authority":"TEST 한빛지방검찰청","number":"2026-압수-0000","sha256":"'
        + "55" * 32
        + '"}}'
    )
    assert (
        hashlib.sha256(payload).hexdigest()
        == "babe4802d7bbb4caeeffff4ed839931b24258ad100365d3e8113ed81f541bbd5"
    )
