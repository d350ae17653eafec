"""Letters tell reasons with their basis, certify what was signed, and say nothing of accounts or amounts."""

from __future__ import annotations

import datetime as dt
import json
import re
from html.parser import HTMLParser
from importlib import resources
from typing import Any

import pytest

from garim.api.common.v1 import statement_pb2
from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.cli.letters.letter import Known, Letter, letter_of
from garim.cli.letters.rendering import Language, as_html, as_text
from garim.cli.letters.wording import REASONS, TITLES
from garim.documents.claims import Claims, read_claims
from garim.documents.legal_basis import rule_of
from garim.documents.policy import load_policy
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.pki import DocumentPki, make_pki

POLICY = load_policy(resources.files("garim.documents").joinpath("kr.yaml").read_bytes())
NOW = dt.datetime(2026, 11, 22, 6, 0, tzinfo=dt.UTC)
NOW_MS = int(NOW.timestamp()) * 1000
OPERATOR = "TEST 가림메신저"
MESSAGES, IDENTITIES, BYTES = 777_123, 888_234, 999_345


@pytest.fixture(scope="module")
def pki() -> DocumentPki:
    return make_pki(NOW)


@pytest.fixture
def claims(pki: DocumentPki) -> Claims:
    return read_claims(json.dumps(documents.disclosure(pki)).encode())


def timeline(stage: str, reasons: tuple[tuple[str, str, str], ...] = ()) -> pb.GetCaseTimelineResponse:
    return pb.GetCaseTimelineResponse(
        summary=pb.CaseSummary(
            case_id=b"c" * 16,
            kind="disclosure",
            stage=stage,
            authority="TEST 한빛지방검찰청",
            number="2026-압수-0001",
            case_number="2026형제00001",
            document_digest=b"d" * 32,
            received_at_ms=NOW_MS,
        ),
        events=[pb.CaseEvent(at_ms=NOW_MS + 5_000, cause="decided", stage=stage)],
        refusal_reasons=[statement_pb2.Reason(reason=a, field=b, message=c) for a, b, c in reasons],
    )


def delivered(claims: Claims) -> Known:
    receipt = DossierReceipt.model_validate(
        {
            "mesh": "test.mesh",
            "purpose": "receipt",
            "issued": NOW_MS,
            "expires": None,
            "checkpoint": None,
            "dossier": "22" * 16,
            "grant": "00" * 32,
            "document": "00" * 32,
            "authority": claims.authority,
            "case_number": claims.case_number,
            "mode": "sealed",
            "package": "ab" * 32,
            "package_bytes": BYTES,
            "identities_root": "00" * 32,
            "identities": IDENTITIES,
            "messages_root": "00" * 32,
            "messages": MESSAGES,
            "unmask_until": NOW_MS + 90 * 86_400_000,
        }
    )
    answer = timeline("delivered")
    answer.delivery.delivered_at_ms = NOW_MS + 60_000
    answer.delivery.delivered_index = 4711
    answer.delivery.receipt.proof.index = 4710
    answer.due_items.add(
        item="notify-subjects", due_at_ms=NOW_MS + 30 * 86_400_000, basis=["통신비밀보호법 제9조의3"]
    )
    answer.due_items.add(item="participation", standing=pb.DUE_STANDING_DONE)
    return Known(answer, claims, receipt=receipt)


def letter(known: Known) -> Letter:
    return letter_of(known, POLICY, OPERATOR, NOW_MS)


def both(known: Known, language: Language = "both") -> tuple[str, str]:
    made = letter(known)
    return as_text(made, language).decode(), as_html(made, language).decode()


def test_a_refusal_tells_every_reason_with_its_legal_basis_in_both_languages(claims: Claims) -> None:
    reasons = (
        ("OFFENCE_NOT_LISTED", "offence", "conversations are not given for this offence"),
        ("PERIOD_TOO_LONG", "period", "ask for 184 days at most"),
    )
    made = letter(Known(timeline("refused", reasons), claims))
    assert [one.code for one in made.reasons] == ["OFFENCE_NOT_LISTED", "PERIOD_TOO_LONG"]
    assert all(one.basis for one in made.reasons)
    for page in both(Known(timeline("refused", reasons), claims)):
        assert "대화 내용을 제공하는 대상 범죄가 아닙니다." in page
        assert "Ask for 184 days at most (period)." in page
        assert page.count("통신비밀보호법 제5조 제1항") == 2


@pytest.mark.parametrize("code", ["KEY_ALGORITHM_MISMATCH", "WHATEVER_ELSE"])
def test_a_reason_without_a_sentence_of_its_own_is_told_by_its_rule(claims: Claims, code: str) -> None:
    (reason,) = letter(Known(timeline("refused", ((code, "", "see the field"),)), claims)).reasons
    assert POLICY.rule(rule_of(code)).label.ko in reason.text.ko
    assert reason.basis


def test_every_korean_sentence_is_for_a_reason_of_a_known_rule() -> None:
    assert [code for code in REASONS if rule_of(code) == "form"] in ([], ["DOCUMENT_NUMBER_USED"])


def test_a_certificate_names_digests_times_and_places_in_the_log(claims: Claims) -> None:
    for page in both(delivered(claims)):
        for wanted in (
            "ab" * 32,
            "4711",
            "4710",
            "2026-11-22 15:01:00 KST",
            "22" * 16,
            "통신비밀보호법 제9조의3",
        ):
            assert wanted in page
        assert "참여 보장" not in page


def amounts(claims: Claims) -> list[str]:
    known = delivered(claims)
    return [page for language in ("ko", "en", "both") for page in both(known, language)]  # type: ignore[arg-type] - the three languages


def test_no_letter_says_how_much_there_is(claims: Claims) -> None:
    for page in amounts(claims):
        for number in (MESSAGES, IDENTITIES, BYTES):
            assert str(number) not in page
            assert f"{number:,}" not in page


def test_there_is_one_wording_for_nothing_and_one_for_a_refused_scope(claims: Claims) -> None:
    """Which of the ways there is nothing, and why a scope was refused, changes no byte of a letter."""
    letters = set()
    for cause in ("answer-logged", "decided"):
        known = Known(timeline("no-data"), claims)
        known.timeline.events[0].cause = cause
        letters.add(both(known))
    assert len(letters) == 1
    page = letters.pop()[0]
    assert "확인하거나 부인하는 것이 아닙니다" in page
    assert "neither confirms nor denies" in page
    refused = Known(
        timeline("refused", (("SCOPE_REFUSED", "", "the scope is refused; ask for less"),)), claims
    )
    for page in both(refused):
        for word in ("제3자", "bystander", "budget", "심의", "review", "계정", "account"):
            assert word not in page


def test_no_letter_names_a_subject(claims: Claims) -> None:
    kinds: list[Known] = [
        delivered(claims),
        Known(timeline("no-data"), claims),
        Known(timeline("cancelled"), claims),
        Known(timeline("refused", (("SUBJECTS_TOO_MANY", "subjects", "name 20 subjects at most"),)), claims),
    ]
    for known in kinds:
        for page in both(known):
            assert "subject-1" not in page


def test_a_letter_is_in_the_language_asked_for_alone(claims: Claims) -> None:
    korean, english = (both(delivered(claims), one) for one in ("ko", "en"))  # type: ignore[arg-type] - two of the languages
    for page in korean:
        assert TITLES["delivery"].ko in page
        assert TITLES["delivery"].en not in page
    for page in english:
        assert TITLES["delivery"].ko not in page
        assert 'lang="en"' in page or page.startswith("Certificate")


class Attributes(HTMLParser):
    """Collects every attribute and every tag."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_html_is_escaped_and_names_no_outside_resource(pki: DocumentPki) -> None:
    evil = '<script src="https://evil.example/x.js"></script><img src=x onerror=y>'
    members = documents.disclosure(pki, court=evil, number=evil)
    known = Known(
        timeline("refused", (("FIELD_VALUE", evil, evil),)), read_claims(json.dumps(members).encode())
    )
    _, page = both(known)
    looked = Attributes()
    looked.feed(page)
    assert not looked.tags & {"script", "img", "link", "iframe", "object"}
    assert not looked.attributes & {"src", "href", "onerror"}
    assert "&lt;script" in page
    assert "default-src 'none'" in page
    assert not re.search(r"url\(|@import", page)


def test_a_refusal_before_a_case_names_nobody_but_what_the_file_at_hand_says(claims: Claims) -> None:
    refused = timeline("refused", (("SIGNATURE_WRONG", "", "the signature does not fit"),))
    refused.summary.ClearField("authority")
    refused.summary.ClearField("number")
    refused.summary.ClearField("document_digest")
    refused.content_digest = b"e" * 32
    without, _ = both(Known(refused))
    assert claims.authority not in without
    assert (b"e" * 32).hex() in without
    stated, _ = both(Known(refused, unverified=claims))
    assert claims.number in stated
    assert "nobody vouches for them" in stated
    assert "수신" not in stated


@pytest.mark.parametrize("stage", ["in-review", "granted", "dossier-closed"])
def test_nothing_is_certified_before_it_is_decided_and_delivered(claims: Claims, stage: str) -> None:
    with pytest.raises(RefusedError) as refused:
        letter(Known(timeline(stage), claims))
    assert refused.value.reason == "LETTER_EARLY"


@pytest.mark.parametrize(
    ("state", "kind"), [("released", "identities"), ("denied", "identities"), ("pending", ""), ("", "")]
)
def test_a_second_request_is_answered_once_custody_has_ended_it(
    claims: Claims, state: str, kind: str
) -> None:
    known = Known(timeline("unmask-requested"), claims, unmasking=state)
    if kind:
        assert letter(known).kind == kind
    else:
        with pytest.raises(RefusedError) as refused:
            letter(known)
        assert refused.value.reason == "LETTER_EARLY"


def test_a_preservation_is_confirmed_without_saying_what_is_kept(pki: DocumentPki) -> None:
    order = read_claims(json.dumps(documents.preservation(pki)).encode())
    for page in both(Known(timeline("preserved"), order)):
        assert "2026-12-22 15:00:00 KST" in page
        assert "neither confirms nor denies" in page
