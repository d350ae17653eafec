"""Each RPC's own cases. Ids are drawn anew, so that nobody's case, dossier or request is ever named."""

from __future__ import annotations

from typing import Any

from garim.api.common.v1 import statement_pb2
from garim.testing.contract.cases import OK, Facts, Own

CASE_UNKNOWN = "NOT_FOUND CASE_UNKNOWN"
DOSSIER_UNKNOWN = "NOT_FOUND DOSSIER_UNKNOWN"
FIELD_MISSING = "INVALID_ARGUMENT FIELD_MISSING"
LOG_RANGE = "INVALID_ARGUMENT LOG_RANGE"
NOT_CLOSED = "FAILED_PRECONDITION DOSSIER_NOT_CLOSED"
PAGE_TOKEN = "INVALID_ARGUMENT PAGE_TOKEN"  # noqa: S105 - a reason, no secret
REQUEST_UNKNOWN = "NOT_FOUND REQUEST_UNKNOWN"
STATEMENT_TYPE = "INVALID_ARGUMENT STATEMENT_TYPE"

_NO_PAGE = {"page_token": "no token"}
_DOCUMENT = statement_pb2.Document(media_type="text/plain", content=b"no document")


def _empty(expected: str, *, writes: bool = False, settled: bool = True) -> Own:
    return Own("empty", expected, lambda _facts: {}, writes=writes, settled=settled)


def _with(name: str, expected: str, **fields: Any) -> Own:
    return Own(name, expected, lambda _facts: fields)


def _ids(field: str, expected: str, size: int = 16) -> tuple[Own, ...]:
    """Return the cases of an RPC about one thing: none named, a malformed id, one that nobody has."""

    def unknown(facts: Facts) -> dict[str, object]:
        return {field: facts.random_bytes(size)}

    return (
        _empty(expected),
        _with("malformed id", expected, **{field: b"x"}),
        Own("unknown id", expected, unknown),
    )


def _pages(**fields: Any) -> tuple[Own, ...]:
    return (
        _with("first page", OK, page_size=1, **fields),
        _with("malformed token", PAGE_TOKEN, **(fields | _NO_PAGE)),
    )


def _status(size: int) -> Own:
    def fields(facts: Facts) -> dict[str, object]:
        return {"document_digest": facts.random_bytes(32), "nonce": facts.random_bytes(size)}

    expected = CASE_UNKNOWN if size == 32 else "INVALID_ARGUMENT NONCE"
    return Own("unknown document" if size == 32 else "short nonce", expected, fields)


def _entry(name: str, expected: str, *, late_ms: int = 0, writes: bool = False, **other: Any) -> Own:
    def fields(facts: Facts) -> dict[str, object]:
        made = {
            "type": "contract-probe",
            "commitment": facts.random_bytes(32),
            "time_ms": facts.now_ms + late_ms,
        }
        return {**made, **other}

    return Own(name, expected, fields, role="service/warrants", writes=writes, settled=False)


_NO_TREE = statement_pb2.Pin(size=1, root=bytes(32))

OWN: dict[str, tuple[Own, ...]] = {
    "MessageStoreService.AppendMessages": (
        _empty("INVALID_ARGUMENT BATCH_FIELD"),
        _with("short id", "INVALID_ARGUMENT BATCH_FIELD", batch_id=b"x"),
        Own("no message", "INVALID_ARGUMENT BATCH_EMPTY", lambda facts: {"batch_id": facts.random_bytes(16)}),
    ),
    "MessageStoreService.PutRosters": (_empty("INVALID_ARGUMENT ROSTER_EMPTY"),),
    "MessageStoreService.ForecastScope": (_empty(STATEMENT_TYPE),),
    "MessageStoreService.ReadSegments": (
        _empty("INVALID_ARGUMENT READ_PASS"),
        _with("no ticket", STATEMENT_TYPE, **{"pass": 1}),
    ),
    "WarrantsService.SubmitDocument": (_empty(OK, writes=True, settled=False),),
    "WarrantsService.ExchangeMessage": (_empty(OK),),
    "WarrantsService.GetCase": _ids("case_id", CASE_UNKNOWN),
    "WarrantsService.ListCases": _pages(),
    "WarrantsService.DecideReview": _ids("case_id", CASE_UNKNOWN),
    "WarrantsService.GetCaseStatus": (_empty("INVALID_ARGUMENT NONCE"), _status(31), _status(32)),
    "WarrantsService.CancelCase": _ids("case_id", CASE_UNKNOWN),
    "WarrantsService.RecordStep": (
        _empty("INVALID_ARGUMENT STEP_MISSING"),
        Own("unknown id", CASE_UNKNOWN, lambda facts: {"case_id": facts.random_bytes(16), "preserved": True}),
    ),
    "WarrantsService.GetCaseTimeline": _ids("case_id", CASE_UNKNOWN),
    "WarrantsService.ListDueItems": _pages(),
    "WarrantsService.SettleDueItem": _ids("case_id", CASE_UNKNOWN),
    "WarrantsService.ListRegister": (
        _empty("INVALID_ARGUMENT REGISTER_PERIOD"),
        _with("period backwards", "INVALID_ARGUMENT REGISTER_PERIOD", from_ms=2, to_ms=1),
        *_pages(from_ms=1, to_ms=2),
    ),
    "RedactionService.BuildDossier": _ids("case_id", CASE_UNKNOWN),
    "RedactionService.FetchDossier": _ids("case_id", NOT_CLOSED),
    "RedactionService.AcknowledgeDossier": _ids("case_id", NOT_CLOSED),
    "RedactionService.ListHolds": _ids("case_id", CASE_UNKNOWN),
    "RedactionService.DecideHold": _ids("case_id", CASE_UNKNOWN),
    "CustodyService.GetEpoch": (_empty(OK),),
    "CustodyService.SignScopeTicket": (
        _empty("PERMISSION_DENIED TICKET_PURPOSE"),
        _with("no document", "INVALID_ARGUMENT FORMAT_UNKNOWN", purpose=1),
        _with("another format", "INVALID_ARGUMENT FORMAT_UNKNOWN", purpose=1, document=_DOCUMENT),
    ),
    "CustodyService.CreateDossierKey": (
        _empty(FIELD_MISSING),
        _with("no grant", FIELD_MISSING, document=_DOCUMENT),
    ),
    "CustodyService.ReleaseSegmentKeys": _ids("dossier_id", DOSSIER_UNKNOWN),
    "CustodyService.PreserveSegments": (
        _empty(FIELD_MISSING),
        _with("no grant", FIELD_MISSING, document=_DOCUMENT),
    ),
    "CustodyService.CloseDossier": _ids("dossier_id", DOSSIER_UNKNOWN),
    "CustodyService.RequestUnmask": (
        _empty(FIELD_MISSING),
        _with("no grant", FIELD_MISSING, document=_DOCUMENT),
    ),
    "CustodyService.GetUnmaskRequest": _ids("request_id", REQUEST_UNKNOWN),
    "CustodyService.ListUnmaskRequests": _pages(),
    "CustodyService.DecideUnmask": _ids("request_id", REQUEST_UNKNOWN),
    "CustodyService.CollectIdentities": _ids("request_id", REQUEST_UNKNOWN),
    "CustodyService.ListShares": _pages(),
    "CustodyService.TransferShares": _ids("dossier_id", DOSSIER_UNKNOWN),
    "CustodyService.ListShareTransfers": _pages(),
    "CustodyService.AcceptShares": _ids("transfer", "NOT_FOUND TRANSFER_UNKNOWN", 32),
    "CustodyService.SubmitRevocation": (
        _empty("INVALID_ARGUMENT FORMAT_UNKNOWN"),
        _with("another format", "INVALID_ARGUMENT FORMAT_UNKNOWN", document=_DOCUMENT),
    ),
    "CustodyService.Freeze": (_empty(STATEMENT_TYPE),),
    "CustodyService.Thaw": (_empty("FAILED_PRECONDITION NOT_FROZEN"),),
    "CustodyService.GetCustodyStatus": (_empty(OK),),
    "CustodyService.ProposeGovernance": (
        _empty("INVALID_ARGUMENT JSON_SYNTAX"),
        _with("no governance", "INVALID_ARGUMENT JSON_SYNTAX", document=b"{"),
    ),
    "CustodyService.DecideGovernance": _ids("digest", "NOT_FOUND GOVERNANCE_UNKNOWN", 32),
    "CustodyService.GetGovernance": (_empty(OK), _with("whole chain", OK, from_version=1)),
    "AuditLogService.AppendEntry": (
        _empty("UNAVAILABLE LOG_TIME"),
        _entry("late", "UNAVAILABLE LOG_TIME", late_ms=-130_000),
        _entry("ahead", "UNAVAILABLE LOG_TIME", late_ms=130_000),
        _entry("short commitment", "INVALID_ARGUMENT LOG_ENTRY", commitment=b"x"),
        _entry("pin of another log", "DATA_LOSS LOG_PIN", pin=_NO_TREE),
        _entry("entry", OK, writes=True),
    ),
    # Entries may come in between two calls.
    "AuditLogService.GetCheckpoint": (
        _empty(OK, settled=False),
        _with("pin of another log", "DATA_LOSS LOG_PIN", pin=_NO_TREE),
    ),
    "AuditLogService.GetInclusionProof": (
        _empty(LOG_RANGE),
        _with("first leaf", OK, index=0, size=1),
        _with("behind the tree", LOG_RANGE, index=1, size=1),
        _with("pin of another log", "DATA_LOSS LOG_PIN", index=0, size=1, pin=_NO_TREE),
    ),
    "AuditLogService.GetConsistencyProof": (
        _empty(LOG_RANGE),
        _with("one leaf", OK, old_size=1, new_size=1),
        _with("backwards", LOG_RANGE, old_size=2, new_size=1),
        _with("pin of another log", "DATA_LOSS LOG_PIN", old_size=1, new_size=1, pin=_NO_TREE),
    ),
    "AuditLogService.ListEntries": (
        _with("first leaf", OK, page_size=1),
        _with("behind the tree", LOG_RANGE, start=2**62, page_size=1),
        _with("pin of another log", "DATA_LOSS LOG_PIN", page_size=1, pin=_NO_TREE),
    ),
}
