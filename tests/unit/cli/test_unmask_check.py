from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from cli_support.world import DOSSIER, PERSON, PHONE, REQUEST, SampleCase, with_subject
from garim.cli.unmask_check import (
    CheckedRequest,
    UnmaskRequest,
    check_request,
    demand_may_approve,
    reseal_shares,
)
from garim.documents.formats import open_document
from garim.kit.convert import Logged, Received
from garim.sealing import hpke, quorum
from garim.sealing.quorum import SealedShare
from garim.sealing.secret import Secret
from garim.statements import strict_json
from garim.statements.refusal import RefusedError
from garim.translog.keys import VerifierKey
from garim.translog.leaf import Leaf
from garim.translog.proven import LogProof, verify_logged


def check(case: SampleCase, request: UnmaskRequest, now_ms: int | None = None) -> CheckedRequest:
    world = case.world

    def proven(body: bytes, proof: LogProof, *, kind: str, actor: str) -> Leaf:
        key = VerifierKey(world.governance.log.origin, world.log.key.public_key)
        leaf, _ = verify_logged(
            body,
            proof,
            log_key=key,
            origin=world.governance.log.origin,
            witnesses=(),
            expect_type=kind,
            expect_actor=actor,
        )
        return leaf

    return check_request(
        request,
        open_document=open_document,
        governance=world.governance,
        crls=world.crls(),
        now_ms=now_ms or world.now_ms,
        verify_logged=proven,
    )


def test_an_honest_request_gives_the_subject_that_custody_states(case: SampleCase) -> None:
    request = case.request()
    checked = check(case, request)
    assert checked.subject == request.subject
    assert checked.claims.identities[0].pseudonym == PERSON
    assert checked.grant.filer == "eun-ha"


def change(case: SampleCase, **changes: Any) -> UnmaskRequest:
    return with_subject(dataclasses.replace(case.request(), **changes))


def claims_changed(case: SampleCase, bend: Callable[[dict[str, Any]], None]) -> UnmaskRequest:
    members = strict_json.parse_object(case.second())
    bend(members)
    return case.request(strict_json.dump(members))


def _other_first(case: SampleCase) -> UnmaskRequest:
    return claims_changed(case, lambda one: one.update(first_document="99" * 32))


def _other_case_number(case: SampleCase) -> UnmaskRequest:
    return claims_changed(case, lambda one: one.update(case_number="TEST-other"))


def _other_dossier(case: SampleCase) -> UnmaskRequest:
    return claims_changed(case, lambda one: one.update(dossier="00" * 16))


def _false_ground(case: SampleCase) -> UnmaskRequest:
    return claims_changed(case, lambda one: one["identities"][0]["grounds"][0].update(message="C1-0001"))


def _ground_of_other_tree(case: SampleCase) -> UnmaskRequest:
    return claims_changed(case, lambda one: one["identities"][0]["grounds"][0]["proof"].update(tree_size=4))


def _false_identity_proof(case: SampleCase) -> UnmaskRequest:
    return claims_changed(case, lambda one: one["identities"][0]["proof"].update(hashes=["00" * 32]))


def _identity_of_other_tree(case: SampleCase) -> UnmaskRequest:
    return claims_changed(case, lambda one: one["identities"][0]["proof"].update(tree_size=4))


def _swapped_identity(case: SampleCase) -> UnmaskRequest:
    return change(case, identities=((PERSON, case.sealed[PHONE]),))


def _added_identity(case: SampleCase) -> UnmaskRequest:
    return change(case, identities=tuple(case.sealed.items()))


def _one_signature(case: SampleCase) -> UnmaskRequest:
    half = case.world.sign(case.second(), "chief")
    return change(case, document=Received(case.request().document.media_type, half, ()))


def _first_as_second(case: SampleCase) -> UnmaskRequest:
    return dataclasses.replace(case.request(), document=case.request().first_document)


def _second_as_first(case: SampleCase) -> UnmaskRequest:
    return change(case, first_document=case.request().document)


def _other_grant(**changes: Any) -> Callable[[SampleCase], UnmaskRequest]:
    return lambda case: change(case, grant=case.grant(case.second(), **changes))


def _grant_without_warrants_key(case: SampleCase) -> UnmaskRequest:
    honest = case.grant(case.second())
    forged = dataclasses.replace(
        honest.statement,
        signatures=(
            dataclasses.replace(
                honest.statement.signatures[0], sig=case.world.key("custody").sign(b"something")
            ),
        ),
    )
    return change(case, grant=Logged(forged, honest.proof))


def _grant_not_logged(case: SampleCase) -> UnmaskRequest:
    honest = case.grant(case.second())
    return change(case, grant=Logged(honest.statement, case.receipt_logged.proof))


def _receipt_not_logged(case: SampleCase) -> UnmaskRequest:
    proof = case.grant(case.second()).proof
    return change(case, receipt=Logged(case.receipt, proof))


def _other_receipt(**changes: Any) -> Callable[[SampleCase], UnmaskRequest]:
    return lambda case: change(case, receipt=case.other_receipt(**changes))


def _short_key(case: SampleCase) -> UnmaskRequest:
    return change(case, one_time_public=b"short")


def _false_subject(case: SampleCase) -> UnmaskRequest:
    return dataclasses.replace(case.request(), subject="00" * 32)


@pytest.mark.parametrize(
    ("attack", "reason"),
    [
        (_other_first, "FIRST_DOCUMENT"),
        (_other_case_number, "FIRST_DOCUMENT"),
        (_other_dossier, "RECEIPT_SCOPE"),
        (_false_ground, "PSEUDONYM_PROOF"),
        (_ground_of_other_tree, "PSEUDONYM_PROOF"),
        (_false_identity_proof, "PSEUDONYM_PROOF"),
        (_identity_of_other_tree, "PSEUDONYM_PROOF"),
        (_swapped_identity, "SEALED_IDENTITY"),
        (_added_identity, "SEALED_IDENTITY"),
        (_one_signature, "ROLES_WRONG"),
        (_first_as_second, "DOCUMENT_KIND"),
        (_second_as_first, "DOCUMENT_KIND"),
        (_other_grant(dossier="00" * 16), "GRANT_SCOPE"),
        (_other_grant(first="00" * 32), "GRANT_SCOPE"),
        (_other_grant(recipient="age1other"), "GRANT_SCOPE"),
        (_other_grant(identities=[{"pseudonym": PHONE, "sealed": "00" * 32, "messages": ["C1-0003"]}]),
         "GRANT_SCOPE"),
        (_other_grant(expires=1), "STATEMENT_EXPIRED"),
        (_other_grant(mesh="other.example"), "STATEMENT_MESH"),
        (_grant_without_warrants_key, "STATEMENT_SIGNATURE"),
        (_grant_not_logged, "LOG_TYPE"),
        (_receipt_not_logged, "LOG_TYPE"),
        (_other_receipt(document="00" * 32), "RECEIPT_SCOPE"),
        (_other_receipt(mode="erased"), "RECEIPT_SCOPE"),
        (_other_receipt(unmask_until=1), "DOSSIER_EXPIRED"),
        (_other_receipt(unmask_until=None), "DOSSIER_EXPIRED"),
        (_other_receipt(identities_root="00" * 32), "PSEUDONYM_PROOF"),
        (_other_receipt(messages_root="00" * 32), "PSEUDONYM_PROOF"),
        (_short_key, "ONE_TIME_KEY"),
        (_false_subject, "DECISION_SUBJECT"),
    ],
)  # fmt: skip
def test_a_custodians_client_refuses(
    case: SampleCase, attack: Callable[[SampleCase], UnmaskRequest], reason: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        check(case, attack(case))
    assert refused.value.reason == reason


def test_a_grant_of_another_document_is_refused(case: SampleCase) -> None:
    other = case.second(number="TEST-3")
    with pytest.raises(RefusedError) as refused:
        check(case, change(case, grant=case.grant(other)))
    assert (refused.value.reason, refused.value.field) == ("GRANT_SCOPE", "document")


def test_whoever_filed_a_request_may_not_approve_it(case: SampleCase) -> None:
    checked = check(case, case.request())
    demand_may_approve(checked, "ga-on")
    with pytest.raises(RefusedError) as refused:
        demand_may_approve(checked, "eun-ha")
    assert refused.value.reason == "DECISION_PERSON"


class Shares:
    def __init__(self, mesh: str) -> None:
        pairs = {name: hpke.generate() for name in ("da-som", "ga-on", "na-rae")}
        self.private = {name: private for name, (private, _) in pairs.items()}
        self.one_time, self.one_time_public = hpke.generate()
        self.mesh = mesh
        self.q = Secret.random()
        publics = {name: public for name, (_, public) in pairs.items()}
        self.sealed = quorum.split(self.q, mesh, bytes.fromhex(DOSSIER), publics, 2)

    def of(self, person: str) -> list[SealedShare]:
        return [one for one in self.sealed if one.custodian == person]

    def reseal(self, shares: list[SealedShare], person: str) -> list[tuple[tuple[str, ...], bytes]]:
        made: list[tuple[tuple[str, ...], bytes]] = []
        reseal_shares(
            shares,
            self.private[person],
            person=person,
            mesh=self.mesh,
            request=REQUEST,
            dossier=bytes.fromhex(DOSSIER),
            one_time_public=self.one_time_public,
            resealed=lambda subset, share: made.append((subset, share)),
        )
        return made


def test_resealed_shares_of_two_custodians_rebuild_q() -> None:
    shares = Shares("demo.example")
    subset = ("da-som", "ga-on")
    opened = []
    for person in subset:
        resealed = dict(shares.reseal(shares.of(person), person))
        assert len(resealed) == 2
        opened.append(
            quorum.open_for_request(
                resealed[subset],
                shares.one_time,
                "demo.example",
                REQUEST,
                bytes.fromhex(DOSSIER),
                subset,
                person,
            )
        )
    assert quorum.combine(opened) == shares.q


def test_a_share_that_is_not_what_was_split_is_never_resealed() -> None:
    shares = Shares("demo.example")
    wrong = [dataclasses.replace(one, digest=bytes(32)) for one in shares.of("ga-on")]
    with pytest.raises(RefusedError) as refused:
        shares.reseal(wrong, "ga-on")
    assert refused.value.reason == "SHARE_WRONG"


def test_another_custodians_share_and_no_share_at_all_are_refused() -> None:
    shares = Shares("demo.example")
    for given, reason in ((shares.of("na-rae"), "SHARE_OWNER"), ([], "SHARES_MISSING")):
        with pytest.raises(RefusedError) as refused:
            shares.reseal(given, "ga-on")
        assert refused.value.reason == reason
