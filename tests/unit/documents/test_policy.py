"""The operator's dated policy and its judgement."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from garim.documents import closed_yaml
from garim.documents import policy as policies
from garim.documents.claims import Disclosure, read_claims
from garim.documents.fields import parse_instant, write_instant
from garim.documents.policy import ForecastFigures, Policy, judge, load_policy, review_causes
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.pki import DocumentPki

Reasons = Callable[..., list[str]]
KR = Path(policies.__file__).with_name("kr.yaml")
DAY = policies.DAY_MS


@pytest.fixture(scope="module")
def kr() -> Policy:
    return load_policy(KR.read_bytes())


def judged(
    pki: DocumentPki, policy: Policy, members: dict[str, Any], received_ms: int | None = None
) -> list[str]:
    claims = read_claims(documents.payload(members))
    return [one.reason for one in judge(claims, policy, received_ms or documents.millis(pki))]


def dump(content: object) -> bytes:
    """Return JSON, which is YAML too, and without aliases."""
    return json.dumps(content, ensure_ascii=False, default=str).encode()


def bent(*path: str | int, value: object) -> bytes:
    """Return kr.yaml with one value changed."""
    target = content = closed_yaml.parse_mapping(KR.read_bytes())
    for step in path[:-1]:
        target = target[step]
    if value is None:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return dump(content)


def test_the_digest_is_that_of_the_file(kr: Policy) -> None:
    assert kr.digest == hashlib.sha256(KR.read_bytes()).hexdigest()
    assert load_policy(KR.read_bytes() + b"\n").digest != kr.digest


def test_the_korean_list_holds_what_the_operator_named_and_the_acts_groups(kr: Policy) -> None:
    offences = {offence.id: offence for offence in kr.file.offences}
    assert {"espionage", "murder", "kidnapping", "human-trafficking", "drugs"} <= offences.keys()
    items = {
        item
        for one in offences.values()
        for text in one.listed_by
        for item in text.articles.split()
        if item[-1:] in "호,"
    }
    for number in range(1, 13):
        assert any(f"제{number}호" in item for item in items), number
    now = parse_instant("2026-11-02")
    assert all(one.label.ko and one.label.en and one.basis_at(now) for one in offences.values())


@pytest.mark.parametrize("make", [documents.disclosure, documents.supplementary, documents.preservation])
def test_a_document_within_policy_has_no_reason_against_it(
    pki: DocumentPki, kr: Policy, make: Callable[[DocumentPki], dict[str, Any]]
) -> None:
    assert judged(pki, kr, make(pki)) == []


def test_a_revocation_is_never_refused_by_policy(pki: DocumentPki, kr: Policy) -> None:
    assert judged(pki, kr, documents.revocation(pki, b"payload")) == []
    assert judged(pki, load_policy(refusing()), documents.revocation(pki, b"payload")) == []


def refusing() -> bytes:
    statement = {"ko": "모든 영장을 거부합니다", "en": "We refuse all warrants"}
    return bent("versions", 0, "refuse_all", value=statement)


def test_the_declared_refusal_refuses_disclosures_and_unmaskings_in_its_own_words(pki: DocumentPki) -> None:
    policy = load_policy(refusing())
    for members in (documents.disclosure(pki), documents.supplementary(pki)):
        found = judge(read_claims(documents.payload(members)), policy, documents.millis(pki))
        assert [one.reason for one in found] == ["REFUSE_ALL"]
        assert "모든 영장을 거부합니다" in found[0].message
    assert judged(pki, policy, documents.preservation(pki)) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"offence": "jaywalking"}, "OFFENCE_NOT_LISTED"),
        ({"warrant_type": "interception-permission"}, "WARRANT_TYPE_REFUSED"),
        ({"warrant_type": "communication-records-permission"}, "WARRANT_TYPE_REFUSED"),
        ({"warrant_type": "letter"}, "WARRANT_TYPE_REFUSED"),
        ({"subjects": []}, "SUBJECTS_MISSING"),
        ({"subjects": [{"kind": "account", "value": str(n)} for n in range(21)]}, "SUBJECTS_TOO_MANY"),
        ({"recipient": documents.RECIPIENT[:-1] + "q"}, "RECIPIENT_UNREADABLE"),
        ({"recipient": "age1" + "q" * 58}, "RECIPIENT_UNREADABLE"),
    ],
)
def test_each_fault_of_a_disclosure_has_its_reason(
    pki: DocumentPki, kr: Policy, changes: dict[str, Any], reason: str
) -> None:
    assert judged(pki, kr, documents.disclosure(pki, **changes)) == [reason]


def test_all_reasons_come_at_once(pki: DocumentPki, kr: Policy) -> None:
    now = documents.millis(pki)
    members = documents.disclosure(
        pki,
        offence="jaywalking",
        warrant_type="letter",
        subjects=[],
        period={"from": write_instant(now - 400 * DAY), "to": write_instant(now)},
        expires_at=write_instant(now - 1000),
        recipient="age1x",
    )
    assert judged(pki, kr, members) == [
        "OFFENCE_NOT_LISTED",
        "WARRANT_TYPE_REFUSED",
        "DOCUMENT_EXPIRED",
        "SUBJECTS_MISSING",
        "PERIOD_NOT_PAST",
        "PERIOD_TOO_LONG",
        "RECIPIENT_UNREADABLE",
    ]


@pytest.mark.parametrize("make", [documents.disclosure, documents.preservation])
def test_a_period_must_have_ended_by_the_issue(
    pki: DocumentPki, kr: Policy, make: Callable[..., dict[str, Any]]
) -> None:
    issued = documents.millis(pki) - 3_600_000
    for end, expected in ((issued, []), (issued + 1, ["PERIOD_NOT_PAST"])):
        period = {"from": write_instant(issued - DAY), "to": write_instant(end)}
        assert judged(pki, kr, make(pki, period=period)) == expected


@pytest.mark.parametrize("make", [documents.disclosure, documents.preservation])
def test_a_period_has_a_longest_length(
    pki: DocumentPki, kr: Policy, make: Callable[..., dict[str, Any]]
) -> None:
    end = documents.millis(pki) - DAY
    for length, expected in ((184 * DAY, []), (184 * DAY + 1, ["PERIOD_TOO_LONG"])):
        period = {"from": write_instant(end - length), "to": write_instant(end)}
        assert judged(pki, kr, make(pki, period=period)) == expected


def test_issue_lies_before_receipt(pki: DocumentPki, kr: Policy) -> None:
    issued = documents.millis(pki) - 3_600_000
    assert judged(pki, kr, documents.disclosure(pki), issued + 1) == []
    assert judged(pki, kr, documents.disclosure(pki), issued) == ["ISSUED_AFTER_RECEIPT"]


def test_a_document_counts_until_its_expiry(pki: DocumentPki, kr: Policy) -> None:
    now = documents.millis(pki)
    members = documents.disclosure(pki, expires_at=write_instant(now))
    assert judged(pki, kr, members, now - 1) == []
    assert judged(pki, kr, members, now) == ["DOCUMENT_EXPIRED"]


def test_a_preservation_order_has_a_longest_life(pki: DocumentPki, kr: Policy) -> None:
    issued = documents.millis(pki) - 3_600_000
    for until, expected in ((issued + 90 * DAY, []), (issued + 90 * DAY + 1, ["PRESERVATION_TOO_LONG"])):
        assert judged(pki, kr, documents.preservation(pki, until=write_instant(until))) == expected


def test_an_ended_preservation_order_is_refused(pki: DocumentPki, kr: Policy) -> None:
    until = documents.millis(pki) + 1
    members = documents.preservation(pki, until=write_instant(until))
    assert judged(pki, kr, members) == []
    assert judged(pki, kr, members, until) == ["DOCUMENT_EXPIRED"]


def test_one_request_names_so_many_pseudonyms_at_most(pki: DocumentPki, kr: Policy) -> None:
    identity = documents.supplementary(pki)["identities"][0]
    many = []
    for number in range(11):
        name = f"P-AAAAA-{number:05d}"
        many.append(
            identity | {"pseudonym": name, "grounds": [identity["grounds"][0] | {"pseudonyms": [name]}]}
        )
    assert judged(pki, kr, documents.supplementary(pki, identities=many[:10])) == []
    assert judged(pki, kr, documents.supplementary(pki, identities=many)) == ["PSEUDONYMS_TOO_MANY"]


def test_a_second_request_names_a_recipient_too(pki: DocumentPki, kr: Policy) -> None:
    assert judged(pki, kr, documents.supplementary(pki, recipient="age1x")) == ["RECIPIENT_UNREADABLE"]


def test_offences_are_those_of_the_issue_and_limits_those_of_the_receipt(pki: DocumentPki) -> None:
    content = closed_yaml.parse_mapping(KR.read_bytes())
    first = content["versions"][0]
    receipt = write_instant(documents.millis(pki))
    drugs = next(offence for offence in content["offences"] if offence["id"] == "drugs")
    drugs["punished_by"][0]["valid_to"] = receipt
    limits = first["limits"] | {"subjects": 1}
    content["versions"] = [first, first | {"id": "kr-next", "valid_from": receipt, "limits": limits}]
    policy = load_policy(dump(content))
    two = [{"kind": "account", "value": "a"}, {"kind": "account", "value": "b"}]
    assert judged(pki, policy, documents.disclosure(pki, subjects=two)) == ["SUBJECTS_TOO_MANY"]
    late = documents.disclosure(pki, issued_at=receipt)
    assert judged(pki, policy, late, parse_instant(receipt) + 1) == ["OFFENCE_NOT_LISTED"]


def test_before_the_first_version_nothing_is_allowed(pki: DocumentPki, kr: Policy) -> None:
    old = documents.disclosure(pki, issued_at="2019-12-31", period={"from": "2019-12-01", "to": "2019-12-02"})
    assert judged(pki, kr, old) == ["POLICY_NOT_IN_FORCE"]
    before = parse_instant("2019-12-31")
    assert judged(pki, kr, documents.disclosure(pki), before) == ["POLICY_NOT_IN_FORCE"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("also",), 1),
        (("format",), "garim-policy/1"),
        (("jurisdiction",), None),
        (("jurisdiction",), "Korea"),
        (("versions",), []),
        (("versions", 0, "limits", "also"), 1),
        (("versions", 0, "limits", "subjects"), None),
        (("versions", 0, "limits", "subjects"), 0),
        (("versions", 0, "limits", "subjects"), "20"),
        (("versions", 0, "limits", "subjects"), True),
        (("versions", 0, "review", "always"), "yes"),
        (("versions", 0, "review", "bystanders_over"), -1),
        (("versions", 0, "valid_from"), "soon"),
        (("versions", 0, "deadlines", "unmask_days"), 0),
        (("versions", 0, "emergency", "hours"), 37),
        (("versions", 0, "duties", "notify_subjects", "days"), 0),
        (("versions", 0, "duties", "notify_subjects", "deferral", "causes"), []),
        (("offences", 0, "punished_by"), []),
        (("offences", 0, "label", "ko"), None),
        (("offences", 0, "id"), "murder"),
        (("offences", 0, "punished_by", 0, "valid_to"), "soon"),
        (("warrant_types", 0, "reaches"), ["everything"]),
        (("warrant_types", 2, "basis", 0, "valid_from"), "2026-10-02"),
        (("rules", 0), None),
        (("rules", 0, "basis"), []),
    ],
)
def test_the_file_is_closed(reasons: Reasons, path: tuple[str | int, ...], value: object) -> None:
    assert set(reasons(load_policy, bent(*path, value=value))) <= {
        "FIELD_VALUE",
        "FIELD_MISSING",
        "FIELD_UNKNOWN",
    }


def test_versions_stand_in_order_of_time(reasons: Reasons) -> None:
    content = closed_yaml.parse_mapping(KR.read_bytes())
    first = content["versions"][0]
    for later in (
        first | {"id": "b", "valid_from": "2019-01-01"},
        first | {"id": "b"},
        first | {"valid_from": "2021-01-01"},
    ):
        content["versions"] = [first, later]
        assert reasons(load_policy, dump(content)) == ["FIELD_VALUE"]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"- a",
        b"a: 1\na: 2",
        b"a: {b: 1, b: 2}",
        b"a: &x 1\nb: *x",
        b"a: !!python/object:os.system x",
        b"a: !!binary aGk=",
        b"1: a",
        b"? [a]\n: b",
        b"<<: {a: 1}",
        b"a: 1\n---\nb: 2",
        b"a: [",
        b"\xff",
        b"a: " + b"[" * 5000,
        b"a: [{b: 1, b: 2}]",
        b"a: [*x]",
    ],
)
def test_yaml_with_any_trick_is_refused(reasons: Reasons, text: bytes) -> None:
    found = reasons(load_policy, text)
    assert found == ["POLICY_SYNTAX"] or set(found) <= {"FIELD_UNKNOWN", "FIELD_MISSING"}
    if b"<<" not in text:
        assert found == ["POLICY_SYNTAX"]


def test_a_huge_file_is_refused_unread(reasons: Reasons) -> None:
    content = KR.read_bytes()
    padding = 1024 * 1024 - len(content)
    assert load_policy(content + b"#" * padding)
    assert reasons(load_policy, content + b"#" * (padding + 1)) == ["POLICY_SYNTAX"]


def claims_of(pki: DocumentPki, subjects: int) -> Disclosure:
    members = documents.disclosure(
        pki, subjects=[{"kind": "account", "value": str(n)} for n in range(subjects)]
    )
    claims = read_claims(documents.payload(members))
    assert isinstance(claims, Disclosure)
    return claims


@pytest.mark.parametrize(
    ("subjects", "bystanders", "overlaps", "causes"),
    [
        (5, 100, False, []),
        (6, 100, False, ["SUBJECTS"]),
        (5, 200, False, ["BYSTANDERS"]),
        (5, 100, True, ["OVERLAP"]),
        (6, 200, True, ["BYSTANDERS", "SUBJECTS", "OVERLAP"]),
    ],
)
def test_reviewers_decide_where_policy_asks(
    pki: DocumentPki, kr: Policy, subjects: int, bystanders: int, overlaps: bool, causes: list[str]
) -> None:
    figures = ForecastFigures(bystanders=bystanders, overlaps=overlaps)
    assert review_causes(claims_of(pki, subjects), figures, kr.versions[0]) == causes


def test_policy_can_ask_for_review_always(pki: DocumentPki) -> None:
    version = load_policy(bent("versions", 0, "review", "always", value=True)).versions[0]
    assert review_causes(claims_of(pki, 1), ForecastFigures(0, overlaps=False), version) == ["ALWAYS"]


def test_the_budget_of_bystanders_refuses_with_a_reason_that_tells_nothing(
    pki: DocumentPki, kr: Policy, reasons: Reasons
) -> None:
    version = kr.versions[0]
    assert review_causes(claims_of(pki, 1), ForecastFigures(5000, overlaps=False), version) == ["BYSTANDERS"]
    for bystanders in (5001, 10_000_000):
        figures = ForecastFigures(bystanders, overlaps=False)
        with pytest.raises(RefusedError) as caught:
            review_causes(claims_of(pki, 1), figures, version)
        assert str(caught.value) == "SCOPE_REFUSED: the scope is refused; ask for less"


def test_no_reason_depends_on_whether_an_account_exists(pki: DocumentPki, kr: Policy) -> None:
    """`judge` is given no stored data: equal documents about any two accounts get equal answers."""
    texts = {
        tuple(str(one) for one in judge(read_claims(documents.payload(members)), kr, documents.millis(pki)))
        for account in ("exists", "does-not-exist")
        for members in [
            documents.disclosure(pki, offence="x", subjects=[{"kind": "account", "value": account}])
        ]
    }
    assert len(texts) == 1
