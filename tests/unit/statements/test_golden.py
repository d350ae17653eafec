"""One statement of each type: its bytes never change, and nothing but it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.statements import cases, decisions, dsse, grants, receipts, scope
from garim.statements.model import Statement
from garim.statements.receipts import IdentitiesReleased
from garim.statements.refusal import RefusedError, RefusedWithReasonsError

MESH = "test.mesh"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = [KEY.public_key().public_bytes_raw()]
A, B, C = "aa" * 32, "bb" * 32, "cc" * 32
ID, ID2 = "0a" * 16, "0b" * 16

HEAD: dict[str, Any] = {
    "mesh": MESH,
    "issued": 1_000,
    "expires": 2_000,
    "checkpoint": {"size": 7, "root": A},
}
GRANT = HEAD | {
    "expires": None,
    "grant": ID,
    "case": ID2,
    "document": {"authority": "가온지방검찰청", "number": "2026-1", "case_number": "2026형제1", "digest": B},
    "document_issued": 900,
    "governance": 3,
    "policy": C,
}
SUBJECTS = [{"kind": "account", "value": "acct-00001"}, {"kind": "phone", "value": "+821000001234"}]
PERIOD = {"start": 100, "end": 200}
MASKING = {"names": "roster+identifiers", "times": "hour"}

SAMPLES: dict[type[Statement], dict[str, Any]] = {
    grants.DisclosureGrant: GRANT
    | {
        "purpose": "disclosure",
        "subjects": SUBJECTS,
        "period": PERIOD,
        "mode": "sealed",
        "recipient": "age1x",
        "acknowledger": A,
        "unmask_until": 9_000,
        "unmask_budget": 4,
        "forecast": B,
        "overlaps": [ID2],
        "masking": MASKING,
    },
    grants.PreservationGrant: GRANT
    | {"purpose": "preservation", "subjects": SUBJECTS, "period": PERIOD, "until": 9_000},
    grants.UnmaskGrant: GRANT
    | {
        "purpose": "unmask",
        "first": A,
        "dossier": ID,
        "identities": [{"pseudonym": "P-7K4Q2-M9XAT", "sealed": C, "messages": ["C1-0001"]}],
        "recipient": "age1x",
        "filer": "so-ra",
    },
    scope.ScopeTicket: HEAD
    | {
        "purpose": "read",
        "ticket": ID,
        "document": A,
        "grant": B,
        "period": PERIOD,
        "received_until": 900,
        "until": None,
        "epochs": [{"epoch": ID2, "tags": [A, B]}],
        "destroyed_epochs": 1,
    },
    scope.Forecast: HEAD
    | {
        "purpose": "forecast",
        "store": "store-1",
        "document": A,
        "ticket": B,
        "messages": 500,
        "conversations": 2,
        "bystanders": 10,
        "opaque": 0,
        "conversation_tags": [C],
    },
    cases.CaseStatus: HEAD
    | {"purpose": "case-status", "case": ID, "document": A, "state": "granted", "nonce": B},
    cases.NoData: HEAD | {"purpose": "no-data", "case": ID, "document": A},
    decisions.Decision: HEAD
    | {
        "purpose": "decision",
        "action": "approve",
        "subject": A,
        "reason": "",
        "person": "ga-on",
        "governance": 3,
        "freeze": None,
    },
    receipts.DossierReceipt: HEAD
    | {
        "purpose": "receipt",
        "dossier": ID,
        "grant": A,
        "document": B,
        "authority": "가온지방검찰청",
        "case_number": "2026형제1",
        "mode": "sealed",
        "package": C,
        "package_bytes": 1_234,
        "identities_root": A,
        "identities": 2,
        "messages_root": B,
        "messages": 3,
        "unmask_until": 9_000,
        "masking": MASKING,
    },
    receipts.UnmaskAnswer: HEAD
    | {
        "purpose": "unmask-answer",
        "request": ID,
        "dossier": ID2,
        "pseudonym": "P-7K4Q2-M9XAT",
        "identity": "e30=",
        "sealed": A,
    },
    receipts.DestructionCertificate: HEAD
    | {"purpose": "destruction", "kind": "epoch", "object": ID, "cause": "retention"},
    receipts.EpochClosed: HEAD
    | {
        "purpose": "epoch-closed",
        "store": "store-1",
        "epoch": ID,
        "head": None,
        "write_secrets": 0,
        "segments": 0,
        "conversations": 0,
        "conversations_root": A,
    },
}
each = pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)


def written(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def reasons(kind: type[Statement], value: object) -> set[tuple[str, str]]:
    with pytest.raises(RefusedError) as refused:
        kind.from_bytes(written(value))
    found = refused.value
    every = found.reasons if isinstance(found, RefusedWithReasonsError) else (found,)
    return {(one.reason, one.field) for one in every}


def test_there_is_a_sample_of_every_type() -> None:
    def leaves(kind: type[Statement]) -> set[type[Statement]]:
        below = set().union(*(leaves(one) for one in kind.__subclasses__()))
        return below | ({kind} if hasattr(kind, "PAYLOAD_TYPE") else set())

    ours = {kind for kind in leaves(Statement) if kind.__module__.startswith("garim.statements.")}
    assert ours == set(SAMPLES)


def test_payload_types_never_change_and_none_is_used_twice() -> None:
    names = (
        "disclosure-grant preservation-grant unmask-grant scope-ticket forecast case-status no-data decision "
        "dossier-receipt unmask-answer destruction-certificate epoch-closed"
    )
    assert [kind.PAYLOAD_TYPE for kind in SAMPLES] == [
        f"application/vnd.garim.{name}.v1+json" for name in names.split()
    ]


@each
def test_the_bytes_never_change(kind: type[Statement]) -> None:
    golden = written(SAMPLES[kind])
    assert kind.from_bytes(golden).to_bytes() == golden


@each
def test_each_member_is_needed(kind: type[Statement]) -> None:
    for member in SAMPLES[kind].keys() - {"masking"}:
        without = {key: value for key, value in SAMPLES[kind].items() if key != member}
        assert reasons(kind, without) == {("FIELD_MISSING", member)}


@pytest.mark.parametrize("kind", [grants.DisclosureGrant, receipts.DossierReceipt])
def test_what_was_signed_before_policies_had_masking_was_masked_as_its_defaults_say(
    kind: type[grants.DisclosureGrant | receipts.DossierReceipt],
) -> None:
    older = {key: value for key, value in SAMPLES[kind].items() if key != "masking"}
    assert kind.from_json(older).masking == grants.Masking(names="all-persons", times="exact")
    assert reasons(kind, SAMPLES[kind] | {"masking": {"times": "week"}}) == {("FIELD_VALUE", "masking.times")}


@each
def test_an_unknown_member_is_refused(kind: type[Statement]) -> None:
    assert reasons(kind, SAMPLES[kind] | {"more": 1}) == {("FIELD_UNKNOWN", "more")}


@each
def test_a_repeated_member_is_refused(kind: type[Statement]) -> None:
    twice = written(SAMPLES[kind])[:-1] + b',"issued":1000}'
    with pytest.raises(RefusedError, match="JSON_DUPLICATE_KEY"):
        kind.from_bytes(twice)


@each
def test_fractions_booleans_and_numbers_in_strings_are_refused(kind: type[Statement]) -> None:
    with pytest.raises(RefusedError, match="JSON_NUMBER"):
        kind.from_bytes(written(SAMPLES[kind] | {"issued": 1.0}))
    for value in (True, "1000", -1, None, []):
        assert reasons(kind, SAMPLES[kind] | {"issued": value}) == {("FIELD_VALUE", "issued")}


@each
def test_another_purpose_is_refused(kind: type[Statement]) -> None:
    assert reasons(kind, SAMPLES[kind] | {"purpose": "anything"}) == {("FIELD_VALUE", "purpose")}


@each
def test_only_the_mesh_the_key_and_the_type_count(kind: type[Statement]) -> None:
    statement = kind.from_json(SAMPLES[kind])
    envelope = statement.sign(KEY.sign)
    assert envelope.payload_type == kind.PAYLOAD_TYPE
    assert kind.verify(envelope, KEYS, mesh=MESH, now=1_999) == statement
    with pytest.raises(RefusedError, match="STATEMENT_MESH"):
        kind.verify(envelope, KEYS, mesh="other.mesh", now=None)
    with pytest.raises(RefusedError, match="STATEMENT_SIGNATURE"):
        kind.verify(envelope, [bytes(32)], mesh=MESH, now=None)
    for other in SAMPLES:
        if other is not kind:
            with pytest.raises(RefusedError, match="STATEMENT_TYPE"):
                other.verify(envelope, KEYS, mesh=MESH, now=None)


@each
def test_a_statement_counts_until_its_expiry(kind: type[Statement]) -> None:
    statement = kind.from_json(SAMPLES[kind])
    envelope = statement.sign(KEY.sign)
    if statement.expires is None:
        kind.verify(envelope, KEYS, mesh=MESH, now=10**12)
        return
    for now in (2_000, 2_001):
        with pytest.raises(RefusedError, match="STATEMENT_EXPIRED"):
            kind.verify(envelope, KEYS, mesh=MESH, now=now)


@pytest.mark.parametrize(
    "change", [{"purpose": "preserve"}, {"until": 9_000}, {"purpose": "forecast", "until": 9_000}]
)
def test_a_ticket_names_an_end_for_a_preservation_order_and_nothing_else(change: dict[str, Any]) -> None:
    scope.ScopeTicket.from_json(SAMPLES[scope.ScopeTicket] | {"purpose": "preserve", "until": 9_000})
    assert reasons(scope.ScopeTicket, SAMPLES[scope.ScopeTicket] | change) == {("FIELD_VALUE", "")}


@pytest.mark.parametrize("kind", [scope.ScopeTicket, cases.CaseStatus, decisions.Decision])
def test_what_must_expire_does(kind: type[Statement]) -> None:
    assert reasons(kind, SAMPLES[kind] | {"expires": None}) == {("FIELD_VALUE", "expires")}


def test_what_was_signed_is_parsed_and_not_what_stands_beside_it() -> None:
    payload = written(SAMPLES[cases.NoData] | {"issued": 1_001})
    envelope = dsse.sign(cases.NoData.PAYLOAD_TYPE, payload, KEY.sign)
    assert cases.NoData.verify(envelope, KEYS, mesh=MESH, now=None).issued == 1_001


@pytest.mark.parametrize(
    ("kind", "change", "field"),
    [
        (grants.DisclosureGrant, {"subjects": []}, "subjects"),
        (grants.DisclosureGrant, {"subjects": [{"kind": "name", "value": "x"}]}, "subjects[0].kind"),
        (grants.DisclosureGrant, {"subjects": [{"kind": "account", "value": ""}]}, "subjects[0].value"),
        (grants.DisclosureGrant, {"mode": "open"}, "mode"),
        (grants.DisclosureGrant, {"policy": C.upper()}, "policy"),
        (grants.DisclosureGrant, {"policy": C + "\n"}, "policy"),
        (grants.DisclosureGrant, {"grant": ID[:-1]}, "grant"),
        (grants.UnmaskGrant, {"identities": []}, "identities"),
        (grants.UnmaskGrant, {"filer": "So Ra"}, "filer"),
        (scope.ScopeTicket, {"epochs": [{"epoch": ID2, "tags": []}]}, "epochs[0].tags"),
        (cases.CaseStatus, {"state": "open"}, "state"),
        (cases.CaseStatus, {"nonce": "aa"}, "nonce"),
        (decisions.Decision, {"action": "agree"}, "action"),
        (decisions.Decision, {"reason": "x" * 2_001}, "reason"),
        (receipts.UnmaskAnswer, {"identity": "e31="}, "identity"),
        (receipts.UnmaskAnswer, {"identity": "e"}, "identity"),
        (receipts.UnmaskAnswer, {"identity": "e30"}, "identity"),
        (receipts.EpochClosed, {"mesh": "-x"}, "mesh"),
    ],
)
def test_values_outside_their_form_are_refused(
    kind: type[Statement], change: dict[str, Any], field: str
) -> None:
    assert ("FIELD_VALUE", field) in reasons(kind, SAMPLES[kind] | change)


def test_a_refusal_names_the_field_and_never_its_value() -> None:
    words = "하늘의 비밀"
    with pytest.raises(RefusedError) as refused:
        grants.UnmaskGrant.from_bytes(
            written(SAMPLES[grants.UnmaskGrant] | {"filer": words, "dossier": words})
        )
    assert isinstance(refused.value, RefusedWithReasonsError)
    assert {one.field for one in refused.value.reasons} == {"filer", "dossier"}
    assert all(words not in str(one) for one in refused.value.reasons)


def test_an_error_on_building_a_statement_shows_no_value_either() -> None:
    words = "하늘의 비밀"
    with pytest.raises(ValueError, match="filer") as refused:
        grants.UnmaskGrant.model_validate(SAMPLES[grants.UnmaskGrant] | {"filer": words})
    assert words not in str(refused.value)


def test_the_bytes_of_a_logged_release_never_change() -> None:
    value = {
        "format": "garim-identities-released/1",
        "mesh": MESH,
        "request": ID,
        "dossier": ID2,
        "recipient": "age1x",
        "identities": [{"pseudonym": "P-7K4Q2-M9XAT", "sealed": A}],
    }
    assert IdentitiesReleased.from_bytes(written(value)).to_bytes() == written(value)
    for change in ({"format": "garim-identities-released/2"}, {"value": "하늘"}):
        with pytest.raises(RefusedError):
            IdentitiesReleased.from_bytes(written(value | change))


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_a_statement_does_not_change(kind: type[Statement]) -> None:
    statement = kind.from_json(SAMPLES[kind])
    with pytest.raises(ValueError, match="frozen"):
        statement.mesh = "other.mesh"
