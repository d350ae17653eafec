from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from garim.documents import claims
from garim.documents.fields import parse_instant, write_instant
from garim.statements.refusal import RefusedError, RefusedWithReasonsError
from garim.testing import documents
from garim.testing.pki import DocumentPki

Reasons = Callable[..., list[str]]
KINDS = ["disclosure", "supplementary", "preservation", "revocation"]


def members_of(kind: str, pki: DocumentPki) -> dict[str, Any]:
    return {
        "disclosure": lambda: documents.disclosure(pki),
        "supplementary": lambda: documents.supplementary(pki),
        "preservation": lambda: documents.preservation(pki),
        "revocation": lambda: documents.revocation(pki, b"payload"),
    }[kind]()


def places(value: Any, path: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Return every object of a payload with the path in front of its members."""
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in places(item, f"{path[:-1]}[{index}].")]
    if isinstance(value, dict):
        inner = [found for name, item in value.items() for found in places(item, f"{path}{name}.")]
        return [(path, value), *inner]
    return []


def refusals(members: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(RefusedError) as caught:
        claims.read_claims(documents.payload(members))
    error = caught.value
    many = error.reasons if isinstance(error, RefusedWithReasonsError) else (error,)
    return [(one.reason, one.field) for one in many]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_read(pki: DocumentPki, kind: str) -> None:
    read = claims.read_claims(documents.payload(members_of(kind, pki)))
    assert read.kind == kind
    assert read.issued_ms == documents.millis(pki) - 3_600_000


@pytest.mark.parametrize("kind", KINDS)
def test_every_missing_field_is_named(pki: DocumentPki, kind: str) -> None:
    count = len(places(members_of(kind, pki)))
    for place in range(count):
        path, found = places(members_of(kind, pki))[place]
        for name in found:
            members = members_of(kind, pki)
            del places(members)[place][1][name]
            assert ("FIELD_MISSING", path + name) in refusals(members)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_field_is_named_wherever_it_stands(pki: DocumentPki, kind: str) -> None:
    for place in range(len(places(members_of(kind, pki)))):
        members = members_of(kind, pki)
        path, found = places(members)[place]
        found["also"] = "x"
        assert refusals(members) == [("FIELD_UNKNOWN", path + "also")]


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_refuses_values_of_another_type(pki: DocumentPki, kind: str) -> None:
    for place in range(len(places(members_of(kind, pki)))):
        path, found = places(members_of(kind, pki))[place]
        for name in found:
            for wrong in (True, -1, {"a": 1}, ["a"], "\x00"):
                members = members_of(kind, pki)
                places(members)[place][1][name] = wrong
                found_reasons = refusals(members)
                assert all(field.startswith((path + name, path[:-1])) for _, field in found_reasons)


def test_a_repeated_field_is_named(pki: DocumentPki) -> None:
    text = documents.payload(documents.disclosure(pki))[:-1] + b',"number":"2"}'
    with pytest.raises(RefusedError) as caught:
        claims.read_claims(text)
    assert (caught.value.reason, caught.value.field) == ("JSON_DUPLICATE_KEY", "number")


def test_all_wrong_fields_are_named_at_once(pki: DocumentPki) -> None:
    members = documents.disclosure(pki, mode="open", offence=7, also=1)
    del members["court"]
    assert set(refusals(members)) == {
        ("FIELD_VALUE", "mode"),
        ("FIELD_VALUE", "offence"),
        ("FIELD_UNKNOWN", "also"),
        ("FIELD_MISSING", "court"),
    }


def test_refusals_never_repeat_a_value(pki: DocumentPki) -> None:
    private = "010-0000-1234"
    members = documents.disclosure(
        pki, subjects=[{"kind": "phone", "value": private}], mode=private, number=private + "\x00"
    )
    with pytest.raises(RefusedWithReasonsError) as caught:
        claims.read_claims(documents.payload(members))
    assert all(private not in str(one) for one in caught.value.reasons)
    assert len(caught.value.reasons) == 3


@pytest.mark.parametrize("kind", ["", "Disclosure", None, 1, [], "interception"])
def test_an_unknown_kind_is_refused(pki: DocumentPki, kind: object) -> None:
    assert refusals(documents.disclosure(pki, kind=kind)) == [("FIELD_VALUE", "kind")]


def test_another_format_version_is_refused(pki: DocumentPki) -> None:
    assert refusals(documents.disclosure(pki, format="garim-document/2")) == [("FIELD_VALUE", "format")]


def test_a_huge_payload_is_refused_unread(reasons: Reasons) -> None:
    assert reasons(claims.read_claims, b" " * (claims.MAX_PAYLOAD_BYTES + 1)) == ["JSON_SIZE"]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("2026-11-02T09:00:00+09:00", 1_793_577_600_000),
        ("2026-11-02T00:00:00Z", 1_793_577_600_000),
        ("2026-11-02T00:00:00.250Z", 1_793_577_600_250),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_an_instant_is_read_to_the_millisecond(text: str, meaning: int) -> None:
    assert parse_instant(text) == meaning


def test_a_bare_date_means_its_first_second_in_korea() -> None:
    assert parse_instant("2026-11-02") == parse_instant("2026-11-02T00:00:00+09:00")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-02T09:00:00",
        "2026-11-02 09:00:00+09:00",
        "2026-11-02t09:00:00z",
        "2026-11-02T09:00+09:00",
        "2026-11-02T09:00:00.1+09:00",
        "2026-11-02T09:00:00.123456Z",
        "2026-11-02T09:00:60Z",
        "2026-11-02T24:00:00Z",
        "2026-11-02T00:00:00-00:00",
        "2026-13-02",
        "2026-02-30",
        "20261102",
        "２０２６-11-02",
        "2026-11-02\n",
        "",
        "0000-01-01",
    ],
)
def test_what_is_no_such_instant_is_refused(pki: DocumentPki, text: str) -> None:
    assert refusals(documents.disclosure(pki, issued_at=text)) == [("FIELD_VALUE", "issued_at")]


@pytest.mark.parametrize("instant", [0, 1, 1_793_577_600_250, 1_793_577_600_000])
def test_a_written_instant_reads_back(instant: int) -> None:
    assert parse_instant(write_instant(instant)) == instant


@pytest.mark.parametrize("field", ["number", "authority", "case_number", "court", "audience"])
@pytest.mark.parametrize(
    "value",
    ["", " 1", "1 ", "1  2", "1\u200b", "１", "\u1100\u1161", "1\u00a02", "1\t2", "1\u202e", "x" * 201],
)
def test_a_name_or_number_has_one_spelling(pki: DocumentPki, field: str, value: str) -> None:
    assert refusals(documents.disclosure(pki, **{field: value})) == [("FIELD_VALUE", field)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("account", "다람쥐_씨"),
        ("account", "[nick]`"),
        ("account", "👨\u200d👩\u200d👧"),
        ("phone", "+821000001234"),
        ("email", "someone@example.org"),
    ],
)
def test_subjects_are_named_as_tags_are_made(pki: DocumentPki, kind: str, value: str) -> None:
    members = documents.disclosure(pki, subjects=[{"kind": kind, "value": value}])
    read = claims.read_claims(documents.payload(members))
    assert isinstance(read, claims.Disclosure)
    assert read.subjects[0].value == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("account", ""),
        ("account", " a"),
        ("account", "\u1100\u1161"),
        ("account", "a\x07"),
        ("account", "a\u202eb"),
        ("phone", "010-0000-1234"),
        ("phone", "+82-10-0000-1234"),
        ("phone", "+0821000001234"),
        ("phone", "+８２1000001234"),
        ("email", "Someone@example.org"),
        ("email", "someone"),
        ("email", "a b@example.org"),
        ("nick", "a"),
    ],
)
def test_subjects_in_any_other_form_are_refused(pki: DocumentPki, kind: str, value: str) -> None:
    found = refusals(documents.disclosure(pki, subjects=[{"kind": kind, "value": value}]))
    assert {reason for reason, _ in found} == {"FIELD_VALUE"}
    assert all(field.startswith("subjects[0]") for _, field in found)


def changed(members: dict[str, Any], path: list[Any], value: object) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(members))
    target = copy
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return copy


def test_a_subject_named_twice_is_refused(pki: DocumentPki) -> None:
    twice = [{"kind": "account", "value": "a"}] * 2
    for members in (documents.disclosure(pki, subjects=twice), documents.preservation(pki, subjects=twice)):
        assert [reason for reason, _ in refusals(members)] == ["FIELD_VALUE"]


def test_a_period_must_run_forwards(pki: DocumentPki) -> None:
    same = {"from": "2026-11-02", "to": "2026-11-02"}
    assert refusals(documents.disclosure(pki, period=same)) == [("FIELD_VALUE", "period")]


def test_nothing_ends_before_its_issue(pki: DocumentPki) -> None:
    issue = documents.common(pki)["issued_at"]
    assert refusals(documents.disclosure(pki, expires_at=issue)) == [("FIELD_VALUE", "")]
    assert refusals(documents.preservation(pki, until=issue)) == [("FIELD_VALUE", "")]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["identities"], []),
        (["identities", 0, "grounds"], []),
        (["identities", 0, "grounds", 0, "pseudonyms"], ["PHONE-22222-33333"]),
        (["identities", 0, "grounds", 0, "message"], "127"),
        (["identities", 0, "grounds", 0, "message"], "C3-0127\n"),
        (["identities", 0, "pseudonym"], "P-7K4Q2-M9XA"),
        (["identities", 0, "pseudonym"], "P-7K4Q2-M9XAT\n"),
        (["identities", 0, "proof", "leaf_index"], 2),
        (["identities", 0, "proof", "tree_size"], -1),
        (["identities", 0, "proof", "hashes"], ["AB" * 32]),
        (["identities", 0, "proof", "hashes"], ["ab" * 32] * 65),
        (["identities", 0, "sealed_sha256"], "33" * 31),
        (["first_document"], "11" * 32 + "\n"),
        (["dossier"], "22"),
    ],
)
def test_a_second_request_names_pseudonyms_their_grounds_and_proofs(
    pki: DocumentPki, path: list[Any], value: object
) -> None:
    found = refusals(changed(documents.supplementary(pki), path, value))
    assert {reason for reason, _ in found} == {"FIELD_VALUE"}


def test_a_pseudonym_or_a_ground_named_twice_is_refused(pki: DocumentPki) -> None:
    members = documents.supplementary(pki)
    identity = members["identities"][0]
    assert refusals(members | {"identities": [identity, identity]}) == [("FIELD_VALUE", "")]
    twice = identity | {"grounds": identity["grounds"] * 2}
    assert refusals(members | {"identities": [twice]}) == [("FIELD_VALUE", "identities[0]")]


def test_only_the_same_authority_revokes(pki: DocumentPki) -> None:
    members = documents.revocation(pki, b"payload")
    assert refusals(changed(members, ["revokes", "authority"], "TEST 다른지방검찰청")) == [
        ("FIELD_VALUE", "")
    ]


def test_identity_is_authority_number_case_and_payload_digest(pki: DocumentPki) -> None:
    read = claims.read_claims(documents.payload(documents.disclosure(pki)))
    identity = claims.document_id(read, "ab" * 32)
    assert (identity.authority, identity.number, identity.case_number, identity.digest) == (
        read.authority,
        "2026-압수-0001",
        "2026형제00001",
        "ab" * 32,
    )
