"""Warrants' stolen keys and certificate, with redaction's help, against the running custody and log."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1 import custody_pb2
from garim.api.warrants.v1 import warrants_pb2
from garim.api.warrants.v1.warrants_pb2_grpc import (
    WarrantsServiceServicer,
    add_WarrantsServiceServicer_to_server,
)
from garim.documents.claims import Disclosure, document_id, read_claims
from garim.documents.scope import period_of, subjects_of
from garim.kit.convert import envelope_from, envelope_to, logged_to
from garim.statements.cases import CaseStatus
from garim.statements.decisions import Decision
from garim.statements.grants import DisclosureGrant
from garim.statements.scope import Forecast
from mesh_support.impostor import impostor
from mesh_support.live import LiveMesh, as_document, refused, willing
from mesh_support.played import STRANGERS, Played
from mesh_support.reading import Attempt, create_key, read_ticket, served


@pytest.fixture(scope="module")
def granted(played: Played) -> warrants_pb2.GetCaseResponse:
    """A case that is granted and has no dossier yet."""
    return played.mesh.case(played.mesh.granted(played.another()))


def _grant(case: warrants_pb2.GetCaseResponse) -> DisclosureGrant:
    return DisclosureGrant.from_bytes(case.grant.statement.payload)


def _logged(live: LiveMesh, grant: DisclosureGrant) -> statement_pb2.LoggedStatement:
    """Sign and log a grant with all that was stolen from warrants."""
    envelope = grant.sign(live.stolen_key("warrants").sign)
    entry = live.stolen_ledger("warrants").append(
        "disclosure-granted", envelope.payload, key=secrets.token_hex(8), magnitudes={"subjects": 1}
    )
    return logged_to(envelope, entry.proof)


def _forecast(live: LiveMesh, case: warrants_pb2.GetCaseResponse, **changes: object) -> Forecast:
    true = Forecast.from_bytes(case.forecast.payload)
    return true.model_copy(update=changes)


def test_a_grant_that_is_signed_but_not_logged_opens_nothing(
    live: LiveMesh, granted: warrants_pb2.GetCaseResponse
) -> None:
    other = _grant(granted).model_copy(update={"grant": secrets.token_hex(16)})
    forged = statement_pb2.LoggedStatement()
    forged.CopyFrom(granted.grant)
    forged.statement.CopyFrom(envelope_to(other.sign(live.stolen_key("warrants").sign)))
    with refused("LOG_COMMITMENT"):
        create_key(live, granted, grant=forged)


@pytest.mark.parametrize(
    "change",
    [
        lambda grant: {"subjects": (*grant.subjects, grant.subjects[0].model_copy(update={"value": "x"}))},
        lambda grant: {"period": grant.period.model_copy(update={"start": 0})},
        lambda grant: {"document_issued": grant.document_issued + 3_600_000},
        lambda grant: {"mode": "erased"},
        lambda _grant: {"recipient": "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"},
    ],
    ids=["subjects", "period", "issue", "mode", "recipient"],
)
def test_a_logged_grant_that_says_more_than_its_document_opens_nothing(
    live: LiveMesh,
    granted: warrants_pb2.GetCaseResponse,
    change: Callable[[DisclosureGrant], dict[str, Any]],
) -> None:
    grant = _grant(granted)
    with refused("GRANT_SCOPE"):
        create_key(live, granted, grant=_logged(live, grant.model_copy(update=change(grant))))


@pytest.mark.parametrize("field", ["unmask_until", "unmask_budget"])
def test_a_logged_grant_beyond_policys_maxima_opens_nothing(
    live: LiveMesh, granted: warrants_pb2.GetCaseResponse, field: str
) -> None:
    grant = _grant(granted)
    more = grant.model_copy(update={field: getattr(grant, field) * 2})
    with refused("POLICY_MAXIMUM"):
        create_key(live, granted, grant=_logged(live, more))


def test_a_grant_for_a_document_that_was_refused_opens_nothing(
    played: Played, granted: warrants_pb2.GetCaseResponse
) -> None:
    mesh = played.mesh
    payload = mesh.payload([("account", STRANGERS[0].account)], played.chosen.period)
    half = mesh.sign(payload, "chief")
    assert mesh.submit(half).state == "refused"
    identity = _grant(granted).document.model_copy(update={"digest": hashlib.sha256(payload).hexdigest()})
    grant = _grant(granted).model_copy(update={"document": identity})
    with refused("ROLES_WRONG"):
        create_key(mesh, granted, document=as_document(half), grant=_logged(mesh, grant))


def test_a_valid_document_that_no_case_knows_opens_nothing(
    played: Played, granted: warrants_pb2.GetCaseResponse
) -> None:
    """Grant, log entry and forecast are forged with warrants' and the store's keys; no committee saw it."""
    mesh = played.mesh
    payload = mesh.payload([("account", STRANGERS[0].account)], played.chosen.period)
    claims = read_claims(payload)
    assert isinstance(claims, Disclosure)
    identity = document_id(claims, hashlib.sha256(payload).hexdigest())
    low = _forecast(mesh, granted, document=identity.digest, bystanders=1, conversation_tags=())
    forecast = low.sign(mesh.stolen_key("messages").sign)
    changes = {
        "document": identity,
        "document_issued": claims.issued_ms,
        "subjects": subjects_of(claims),
        "period": period_of(claims),
        "forecast": hashlib.sha256(forecast.payload).hexdigest(),
        "overlaps": (),
    }
    grant = _logged(mesh, _grant(granted).model_copy(update=changes))
    with refused("CASE_STATUS"):
        create_key(
            mesh,
            granted,
            document=as_document(mesh.sign(payload)),
            grant=grant,
            forecast=envelope_to(forecast),
            decisions=[],
        )


def test_a_forecast_that_warrants_made_up_opens_nothing(
    live: LiveMesh, granted: warrants_pb2.GetCaseResponse
) -> None:
    low = _forecast(live, granted, bystanders=1, conversation_tags=())
    envelope = low.sign(live.stolen_key("warrants").sign)
    named = _grant(granted).model_copy(update={"forecast": hashlib.sha256(envelope.payload).hexdigest()})
    with refused("STATEMENT_SIGNATURE"):
        create_key(live, granted, grant=_logged(live, named), forecast=envelope_to(envelope), decisions=[])
    with refused("JSON_SYNTAX"):
        create_key(live, granted, forecast=statement_pb2.Envelope())


def test_a_store_and_warrants_that_count_low_together_open_nothing_of_what_they_hid(played: Played) -> None:
    mesh = played.mesh
    honest = mesh.case(mesh.granted(played.another()))
    create_key(mesh, honest)
    loot = served(mesh, read_ticket(mesh, honest))
    case = mesh.case(mesh.granted(played.another()))
    low = _forecast(mesh, case, bystanders=1, conversations=1, conversation_tags=("00" * 32,))
    forecast = low.sign(mesh.stolen_key("messages").sign)
    changes = {"forecast": hashlib.sha256(forecast.payload).hexdigest(), "overlaps": ()}
    grant = _logged(mesh, _grant(case).model_copy(update=changes))
    made = create_key(mesh, case, grant=grant, forecast=envelope_to(forecast), decisions=[])
    record, header = loot.first()
    with refused("KEY_FORECAST"):
        Attempt(mesh, made.dossier_id).keys(loot, [record], [header])


def test_decisions_that_warrants_made_up_are_not_counted(
    live: LiveMesh, granted: warrants_pb2.GetCaseResponse
) -> None:
    true = [Decision.from_bytes(one.payload) for one in granted.decisions]
    key = live.stolen_key("warrants")
    forged = [envelope_to(one.sign(key.sign)) for one in true]
    with refused("REVIEW_DUE"):
        create_key(live, granted, decisions=forged)
    with refused("REVIEW_DUE"):
        create_key(live, granted, decisions=[granted.decisions[0], *forged])


class _Replaying(WarrantsServiceServicer):
    """Warrants taken over: it answers every question about a case with one that it answered before."""

    def __init__(self, kept: warrants_pb2.GetCaseStatusResponse) -> None:
        self.kept = kept

    def GetCaseStatus(  # noqa: N802 - the RPC's name
        self,
        request: warrants_pb2.GetCaseStatusRequest,
        context: grpc.ServicerContext,
    ) -> warrants_pb2.GetCaseStatusResponse:
        """Answer with the kept status."""
        return self.kept


def test_a_case_status_that_was_signed_before_counts_for_no_later_step(
    live: LiveMesh, granted: warrants_pb2.GetCaseResponse
) -> None:
    digest = granted.summary.document_digest
    asked = warrants_pb2.GetCaseStatusRequest(document_digest=digest, nonce=secrets.token_bytes(32))
    kept = live.stolen("service/redaction").warrants.GetCaseStatus(asked)
    folder, address = live.folder_of("service/warrants"), live.file.addresses["warrants"]
    live.kill("warrants")
    try:
        with impostor(
            folder, address, lambda server: add_WarrantsServiceServicer_to_server(_Replaying(kept), server)
        ):
            with refused("CASE_STATUS"):
                willing(lambda: create_key(live, granted), 5)
            other = CaseStatus.from_bytes(envelope_from(kept.status).payload)
            lasting = other.model_copy(update={"expires": other.expires + 86_400_000})
            kept.status.CopyFrom(envelope_to(lasting.sign(live.stolen_key("warrants").sign)))
            with refused("CASE_STATUS"):
                willing(lambda: create_key(live, granted), 5)
    finally:
        live.up()
    assert willing(lambda: create_key(live, granted)).dossier_id


def test_an_unmask_request_without_a_second_document_reaches_no_custodian(
    played: Played, granted: warrants_pb2.GetCaseResponse
) -> None:
    warrants = played.mesh.stolen("service/warrants").custody
    request = custody_pb2.RequestUnmaskRequest(document=granted.document, grant=granted.grant)
    with refused("DOCUMENT_KIND"):
        warrants.RequestUnmask(request)
    request = custody_pb2.RequestUnmaskRequest(
        document=as_document(b"{}"), grant=_logged(played.mesh, _grant(granted))
    )
    with refused("ENVELOPE_MEMBERS"):
        warrants.RequestUnmask(request)
