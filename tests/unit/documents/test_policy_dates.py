"""Offences, warrant types and legal bases are dated, and each reason has a basis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from garim.documents import closed_yaml
from garim.documents import policy as policies
from garim.documents.claims import read_claims
from garim.documents.fields import parse_instant
from garim.documents.policy import Policy, judge, load_policy
from garim.documents.policy_gaps import Remark, remarks_on
from garim.documents.policy_schema import policy_schema
from garim.statements import strict_json
from garim.testing import documents
from garim.testing.pki import DocumentPki

FOLDER = Path(policies.__file__).parent
KR = FOLDER / "kr.yaml"


@pytest.fixture(scope="module")
def kr() -> Policy:
    return load_policy(KR.read_bytes())


def changed(section: str, entry_id: str, **changes: Any) -> Policy:
    """Return the policy with one entry of a list changed."""
    content = closed_yaml.parse_mapping(KR.read_bytes())
    entry = next(one for one in content[section] if one["id"] == entry_id)
    entry.update(changes)
    return load_policy(strict_json.dump(content))


def judged(pki: DocumentPki, policy: Policy, **changes: Any) -> list[str]:
    claims = read_claims(documents.payload(documents.disclosure(pki, **changes)))
    return [one.reason for one in judge(claims, policy, documents.millis(pki))]


def test_the_published_schema_is_the_models() -> None:
    assert (FOLDER / "policy.schema.json").read_bytes() == policy_schema()


def test_an_offence_is_listed_while_it_is_punished_and_listed(pki: DocumentPki) -> None:
    old = {"statute": "TEST 법", "articles": "제1조", "valid_to": "2026-01-01"}
    new = {"statute": "TEST 법", "articles": "제2조", "valid_from": "2026-03-01"}
    punished = changed("offences", "drugs", punished_by=[old, new])
    listed = changed("offences", "drugs", listed_by=[old, new])
    for policy in (punished, listed):
        offence = next(one for one in policy.file.offences if one.id == "drugs")
        found = [offence.listed(parse_instant(day)) for day in ("2025-12-31", "2026-01-01", "2026-03-01")]
        assert found == [True, False, True]
        assert "TEST 법 제2조" in offence.basis_at(parse_instant("2026-03-01"))
        assert "TEST 법 제1조" not in offence.basis_at(parse_instant("2026-03-01"))
    assert judged(pki, changed("offences", "drugs", punished_by=[old])) == ["OFFENCE_NOT_LISTED"]
    assert judged(pki, changed("offences", "drugs", valid_to="2026-01-01")) == ["OFFENCE_NOT_LISTED"]


def test_a_warrant_type_counts_within_its_dates(pki: DocumentPki) -> None:
    type_id = "search-and-seizure-stored"
    for dates in ({"valid_to": "2026-01-01"}, {"valid_from": "2099-01-01"}):
        assert judged(pki, changed("warrant_types", type_id, **dates)) == ["WARRANT_TYPE_REFUSED"]


def test_the_shorter_of_the_operators_and_the_laws_period_counts(pki: DocumentPki) -> None:
    end = documents.millis(pki) - policies.DAY_MS
    period = documents.disclosure(pki)["period"]
    wide = period | {"from": documents.write_instant(end - 3 * policies.DAY_MS)}
    duration = {"days": 2, "extension_days": None, "extensions_total_days": None}
    law = changed("warrant_types", "search-and-seizure-stored", duration=duration)
    assert judged(pki, law, period=period) == []
    assert judged(pki, law, period=wide) == ["PERIOD_TOO_LONG"]


def test_a_register_cites_the_paragraph_of_its_time(kr: Policy) -> None:
    basis = kr.versions[0].duties.register_.basis
    texts = [
        [one.text for one in basis if one.holds(parse_instant(day))] for day in ("2026-10-01", "2026-10-02")
    ]
    assert ["제7항" in texts[0][0], "제8항" in texts[1][0]] == [True, True]
    assert [len(one) for one in texts] == [1, 1]


def test_subjects_are_notified_within_thirty_days(kr: Policy) -> None:
    duties = kr.versions[0].duties
    assert duties.notify_subjects.days == 30
    assert "제9조의3" in duties.notify_subjects.basis[0].articles
    assert duties.notify_subjects.deferral is not None
    assert duties.participation.basis[0].statute == "형사소송법"


def test_gaps_and_overlaps_of_dates_are_told(kr: Policy) -> None:
    assert remarks_on(kr) == []
    old = {"statute": "TEST 법", "articles": "제1조", "valid_to": "2026-01-01"}
    new = {"statute": "TEST 법", "articles": "제1조", "valid_from": "2026-03-01"}
    gap = remarks_on(changed("offences", "drugs", punished_by=[old, new]))
    days = (parse_instant("2026-01-01"), parse_instant("2026-03-01"))
    assert gap == [Remark("GAP", "offences.drugs", *days)]
    early = new | {"valid_from": "2025-12-01"}
    overlap = remarks_on(changed("rules", "form", basis=[old, early]))
    assert [(one.code, one.where) for one in overlap] == [("OVERLAP", "rules.form")]
    ended = remarks_on(changed("warrant_types", "search-and-seizure-stored", valid_to="2026-01-01"))
    assert ended == [Remark("GAP", "warrant_types", days[0], None)]
