"""Every example of the standard is read, and answered as the standard demands; see tests/README.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

import etsi_support as etsi
from garim.documents.etsi import names
from garim.documents.etsi.checking import check_signature
from garim.documents.etsi.reading import read_answer
from garim.testing.pki import issue_person
from warrants_support.desk import Desk
from warrants_support.office import Office, errors

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not etsi.EXAMPLES.is_dir(), reason="the outside test data is absent"),
]
IN_2022_MS = 1_654_041_600_000
IN_2026_MS = 1_780_272_000_000

OTHER = (3000, "NOT_CARRIED_OUT")
OBJECT = (3001, "OBJECT_UNSUPPORTED")
ACTION = (3001, "ACTION_UNSUPPORTED")
UNSIGNED = (3005, "SIGNATURE_MISSING")
ANSWER = (3020, "MESSAGE_IS_ANSWER")
PROFILE = (3021, "PROFILE_UNKNOWN")
UNKNOWN = (3014, "OBJECT_UNKNOWN")

Codes = list[tuple[int, str]]
# As published, and signed by an agency that governance trusts.
REQUESTS: dict[str, tuple[Codes, Codes]] = {
    "v1.12.1/mutliple-auth-example-request.xml": ([OBJECT, OBJECT], [OBJECT, OBJECT]),
    "v1.12.1/request1.xml": ([OTHER, OBJECT], [OTHER, OBJECT]),
    "v1.12.1/request2.xml": ([UNSIGNED], [UNKNOWN, UNKNOWN]),
    "v1.12.1/request3.xml": ([UNSIGNED], [(3005, "REQUEST_SHAPE")]),
    "v1.12.1/request4.xml": ([UNSIGNED], [PROFILE, PROFILE]),
    "v1.12.1/request5-Binary-Delivery.xml": ([ACTION], [ACTION]),
    "v1.12.1/request5-XML-Delivery.xml": ([ACTION], [ACTION]),
    "v1.12.1/request6.xml": ([UNSIGNED], [PROFILE, PROFILE]),
    "v1.12.1/request6_signed.xml": ([(3000, "SIGNATURE_WRONG")], [OTHER, OBJECT]),
    "v1.12.1/request7_TrafficPolicyObject.xml": ([(3002, "ACTION_REPEATED")], [(3002, "ACTION_REPEATED")]),
    "v1.23.1/mutliple-auth-example-request.xml": ([OBJECT, OBJECT], [OBJECT, OBJECT]),
    "v1.23.1/request1.xml": ([OTHER, OBJECT], [OTHER, OBJECT]),
    "v1.23.1/request2.xml": ([UNSIGNED], [UNKNOWN, UNKNOWN]),
    "v1.23.1/request3.xml": ([UNSIGNED], [(3005, "REQUEST_SHAPE")]),
    "v1.23.1/request4-Preservation-Link.xml": ([UNSIGNED], [PROFILE, PROFILE]),
    "v1.23.1/request4.xml": ([UNSIGNED], [PROFILE, PROFILE]),
    "v1.23.1/request5-Binary-Delivery.xml": ([ACTION], [ACTION]),
    "v1.23.1/request6.xml": ([UNSIGNED], [PROFILE, PROFILE]),
    "v1.23.1/request6_signed.xml": ([(3000, "KEY_ALGORITHM_MISMATCH")], [OTHER, OBJECT]),
    "v1.23.1/request8_LPTaskObject.xml": ([UNSIGNED], [PROFILE]),
    "v1.23.1/request9_contact_details.xml": ([UNSIGNED], [PROFILE]),
    "v1.23.1/request_takedown.xml": ([OTHER, OBJECT, OTHER], [OTHER, OBJECT, OTHER]),
}
ANSWERS = [
    "v1.12.1/response1.xml",
    "v1.12.1/response2.xml",
    "v1.12.1/response3.xml",
    "v1.12.1/response4.xml",
    "v1.12.1/response5.xml",
    "v1.12.1/response6.xml",
    "v1.23.1/response1.xml",
    "v1.23.1/response3.xml",
    "v1.23.1/response6.xml",
]


def path_of(name: str) -> Path:
    version, _, file = name.partition("/")
    folder = "examples" if version == "v1.12.1" else "examples/xml"
    return etsi.EXAMPLES / version / folder / file


@pytest.fixture
def office(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Office:
    pki = desk.pki
    policies = [etsi.ROLE_POLICIES[etsi.Role.CHIEF_INVESTIGATOR]]
    actor = issue_person(pki.agency_ca, "TEST 누리", "TEST-0041", "ACTOR01", pki.now, policies=policies)
    opened = Office(desk, actor, monkeypatch)
    opened.trust_too("ACTOR01", audience="ACTOR02")
    return opened


def test_the_table_names_every_example() -> None:
    found = {
        f"{path.relative_to(etsi.EXAMPLES).parts[0]}/{path.name}"
        for path in etsi.EXAMPLES.rglob("examples/**/*.xml")
    }
    assert found == {*REQUESTS, *ANSWERS}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_answered_as_the_standard_demands(office: Office, name: str) -> None:
    data = path_of(name).read_bytes()
    published, trusted = REQUESTS[name]
    assert errors(office.send_as_is(data)) == published
    root = etree.fromstring(data)
    for one in root.findall(names.SIGNATURE):
        root.remove(one)
    assert errors(office.send(etree.tostring(root))) == trusted


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_read_and_is_no_request(office: Office, name: str) -> None:
    data = path_of(name).read_bytes()
    assert read_answer(data).results
    assert errors(office.send_as_is(data)) == [ANSWER]


@pytest.mark.parametrize(
    ("name", "at_ms", "reasons"),
    [
        ("v1.23.1/request6_signed.xml", IN_2022_MS, []),
        ("v1.23.1/request6_signed.xml", IN_2026_MS, ["CERTIFICATE_NOT_VALID_NOW"]),
        ("v1.12.1/request6_signed.xml", IN_2022_MS, ["SIGNATURE_WRONG"]),
        ("v1.12.1/request6_signed.xml", IN_2026_MS, ["SIGNATURE_WRONG"]),
        ("v1.23.1/request6.xml", IN_2022_MS, ["SIGNATURE_MISSING"]),
    ],
)
def test_the_examples_signatures_are_told_apart(name: str, at_ms: int, reasons: list[str]) -> None:
    check = check_signature(path_of(name).read_bytes(), at_ms)
    assert [one.reason for one in check.reasons] == reasons
    assert check.valid is (not reasons)
