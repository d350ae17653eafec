"""Genesis is by all, each version by the quorum of the one before; nobody holds two roles."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.statements import dsse, governance
from garim.statements.decisions import Decision
from garim.statements.governance import Governance
from garim.statements.refusal import RefusedError

MESH = "test.mesh"
NAMES = ("da-som", "ga-on", "na-rae")
KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(bytes([at] * 32)) for at, name in enumerate((*NAMES, "ma-ru"))
}


def text(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def custodian(name: str, **change: Any) -> dict[str, Any]:
    return {"person": name, "decision_key": text(KEYS[name]), "share_key": ""} | change


def value(**change: Any) -> dict[str, Any]:
    return {
        "format": "garim-governance/1",
        "mesh": MESH,
        "version": 1,
        "previous": None,
        "issued": 1_000,
        "audience": "TEST 가림 메신저",
        "environment": "development",
        "custodians": [custodian(name) for name in NAMES],
        "quorum": 2,
        "reviewers": [{"person": "ma-ru", "decision_key": text(KEYS["ma-ru"])}],
        "review_quorum": 1,
        "services": [{"service": "custody", "instance": "custody", "key": text(KEYS["ga-on"])}],
        "log": {"origin": "log.test.mesh/garim", "key": text(KEYS["ga-on"]), "witnesses": [], "old_pins": []},
        "anchors": [],
        "policy": "00" * 32,
        "terms": {"epoch": 86_400_000, "retention": 0, "max_crl_age": 0},
    } | change


def document(**change: Any) -> bytes:
    return Governance.from_json(value(**change)).to_bytes()


def decision(person: str, about: bytes, in_force: int, **change: Any) -> dsse.Envelope:
    fields: dict[str, Any] = {
        "mesh": MESH,
        "purpose": "decision",
        "issued": 1_000,
        "expires": 2_000,
        "checkpoint": None,
        "action": "governance",
        "subject": governance.decision_subject(about),
        "reason": "",
        "person": person,
        "governance": in_force,
        "freeze": None,
    }
    signer = change.pop("signer", person)
    return Decision.from_json(fields | change).sign(KEYS[signer].sign)


def all_of(subject: bytes, in_force: int, *names: str) -> list[dsse.Envelope]:
    return [decision(name, subject, in_force) for name in names]


def reason(call: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value.reason


FIRST = document()
GENESIS = governance.digest(FIRST)
SECOND = document(version=2, previous=GENESIS)


def first() -> Governance:
    return governance.verify_genesis(FIRST, all_of(FIRST, 0, *NAMES), GENESIS)


def test_version_one_needs_every_custodian() -> None:
    assert first().version == 1
    for missing in NAMES:
        signers = [name for name in NAMES if name != missing]
        call = all_of(FIRST, 0, *signers, signers[0])
        assert (
            reason(lambda call=call: governance.verify_genesis(FIRST, call, GENESIS)) == "GOVERNANCE_QUORUM"
        )  # type: ignore[misc] # bound now


def test_version_one_is_the_one_that_settings_name() -> None:
    other = document(audience="other")
    decisions = all_of(other, 0, *NAMES)
    assert reason(lambda: governance.verify_genesis(other, decisions, GENESIS)) == "GOVERNANCE_GENESIS"
    same = FIRST + b"\n"
    decisions = all_of(same, 0, *NAMES)
    assert reason(lambda: governance.verify_genesis(same, decisions, GENESIS)) == "GOVERNANCE_GENESIS"


def test_a_later_version_is_no_genesis() -> None:
    decisions = all_of(SECOND, 0, *NAMES)
    call = governance.digest(SECOND)
    assert reason(lambda: governance.verify_genesis(SECOND, decisions, call)) == "GOVERNANCE_GENESIS"


def test_the_next_version_needs_the_quorum_of_the_one_before() -> None:
    two = all_of(SECOND, 1, "ga-on", "da-som")
    assert governance.verify_next(first(), FIRST, SECOND, two).version == 2
    for too_few in ([], two[:1], [two[0], two[0]]):
        call = list(too_few)
        assert (
            reason(lambda call=call: governance.verify_next(first(), FIRST, SECOND, call))  # type: ignore[misc] # bound now
            == "GOVERNANCE_QUORUM"
        )


def test_custodians_of_the_new_version_do_not_count() -> None:
    newcomers = {f"new-{at}": Ed25519PrivateKey.from_private_bytes(bytes([100 + at] * 32)) for at in range(3)}
    KEYS.update(newcomers)
    taken = document(version=2, previous=GENESIS, custodians=[custodian(name) for name in newcomers])
    decisions = all_of(taken, 1, *newcomers)
    assert reason(lambda: governance.verify_next(first(), FIRST, taken, decisions)) == "GOVERNANCE_QUORUM"


@pytest.mark.parametrize(
    "change",
    [
        {"version": 3, "previous": GENESIS},
        {"version": 2, "previous": "11" * 32},
        {"version": 2, "previous": GENESIS, "mesh": "other.mesh"},
    ],
)
def test_a_gap_another_history_and_another_mesh_are_refused(change: dict[str, Any]) -> None:
    following = document(**change)
    decisions = all_of(following, 1, *NAMES)
    assert (
        reason(lambda: governance.verify_next(first(), FIRST, following, decisions)) == "GOVERNANCE_VERSION"
    )


def test_a_mesh_stays_what_it_began_as() -> None:
    following = document(version=2, previous=governance.digest(FIRST), environment="production")
    decisions = all_of(following, 1, *NAMES)
    found = reason(lambda: governance.verify_next(first(), FIRST, following, decisions))
    assert found == "GOVERNANCE_ENVIRONMENT"


def test_a_version_does_not_follow_itself() -> None:
    second = governance.verify_next(first(), FIRST, SECOND, all_of(SECOND, 1, *NAMES))
    decisions = all_of(SECOND, 2, *NAMES)
    assert reason(lambda: governance.verify_next(second, SECOND, SECOND, decisions)) == "GOVERNANCE_VERSION"
    decisions = all_of(FIRST, 2, *NAMES)
    assert reason(lambda: governance.verify_next(second, SECOND, FIRST, decisions)) == "GOVERNANCE_VERSION"


@pytest.mark.parametrize(
    "wrong",
    [
        {"governance": 0},
        {"governance": 2},
        {"action": "approve"},
        {"mesh": "other.mesh"},
        {"subject": "11" * 32},
        {"signer": "ma-ru"},
        {"signer": "ga-on"},
        {"person": "ma-ru", "signer": "da-som"},
    ],
)
def test_a_decision_about_something_else_does_not_count(wrong: dict[str, Any]) -> None:
    change = dict(wrong)
    person = change.pop("person", "da-som")
    decisions = [*all_of(SECOND, 1, "ga-on"), decision(person, SECOND, 1, **change)]
    assert reason(lambda: governance.verify_next(first(), FIRST, SECOND, decisions)) == "GOVERNANCE_QUORUM"


def test_decisions_about_an_earlier_version_are_not_replayed() -> None:
    decisions = all_of(FIRST, 0, *NAMES)
    assert reason(lambda: governance.verify_next(first(), FIRST, SECOND, decisions)) == "GOVERNANCE_QUORUM"


TWO = [custodian("da-som"), custodian("ga-on")]
SPELLED_OTHERWISE = text(KEYS["ga-on"])[:-2] + chr(ord(text(KEYS["ga-on"])[-2]) + 1) + "="


@pytest.mark.parametrize(
    "change",
    [
        {"quorum": 1},
        {"quorum": 3},
        {"quorum": 2.0},
        {"custodians": [custodian("da-som"), custodian("ga-on")]},
        {"custodians": [custodian("ga-on"), custodian("da-som"), custodian("na-rae")]},
        {"custodians": [custodian("da-som"), custodian("da-som"), custodian("na-rae")]},
        {"custodians": [*TWO, custodian("na-rae", decision_key=text(KEYS["ga-on"]))]},
        {"custodians": [*TWO, custodian("na-rae", decision_key=SPELLED_OTHERWISE)]},
        {"custodians": [TWO[0], custodian("ga-on", share_key="AAAA"), custodian("na-rae", share_key="AAAA")]},
        {"custodians": [custodian(name) for name in NAMES] * 3},
        {"reviewers": [{"person": "ga-on", "decision_key": text(KEYS["ma-ru"])}]},
        {"reviewers": [{"person": "ma-ru", "decision_key": text(KEYS["ga-on"])}]},
        {"review_quorum": 0},
        {"review_quorum": 2},
        {"reviewers": []},
        {"version": 0},
        {"version": 1, "previous": "11" * 32},
        {"version": 2, "previous": None},
        {"format": "garim-governance/2"},
        {"services": [{"service": "audit", "instance": "audit", "key": text(KEYS["ga-on"])}]},
        {"services": value()["services"] * 2},
        {"terms": {"epoch": 1_000, "retention": 0, "max_crl_age": 0}},
        {"more": 1},
    ],
)  # fmt: skip
def test_a_governance_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        Governance.from_json(value(**change))


def test_keys_and_people_are_found_by_name() -> None:
    current = first()
    assert current.keys_of("custody") == [KEYS["ga-on"].public_key().public_bytes_raw()]
    assert current.keys_of("custody", "other") == []
    assert current.keys_of("warrants") == []
    assert current.custodian("ma-ru") is None
    assert current.reviewer("ga-on") is None
    found = current.custodian("ga-on")
    assert found is not None
    assert found.decision_key == text(KEYS["ga-on"])
