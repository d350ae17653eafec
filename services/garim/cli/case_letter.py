"""`garim case letter`: a refusal or a certificate for an agency, from what was verified here."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from pathlib import Path
from typing import Annotated

import typer

from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.cli import case_records as records
from garim.cli.cases import case_id
from garim.cli.document_files import read_document
from garim.cli.files import give, read_input
from garim.cli.letters.letter import Known, letter_of
from garim.cli.letters.rendering import Language, as_html, as_text
from garim.cli.mesh_plan import Places
from garim.cli.options import DEFAULT_MESH, AsOption, JsonOption, MeshOption, OutOption
from garim.cli.output import emit, facts
from garim.cli.session import Session, session
from garim.documents.claims import Claims, read_claims
from garim.documents.policy import Policy
from garim.kit.convert import logged_from
from garim.kit.governance_history import in_force_at
from garim.kit.identity import service_id
from garim.kit.policy_files import KeptPolicies, files_beside
from garim.statements.cases import NoData
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import Kind, RefusedError


def letter(
    case: Annotated[str, typer.Argument(metavar="CASE", help="Id of the case, or of a refusal.")],
    out: OutOption = None,
    language: Annotated[Language, typer.Option("--lang", help="ko, en or both.")] = "both",
    html: Annotated[bool, typer.Option("--html", help="HTML; so too where the file ends in .html.")] = False,
    policy: Annotated[
        Path | None, typer.Option("--policy", help="The operator's policy file; the mesh's own without.")
    ] = None,
    document: Annotated[
        Path | None,
        typer.Option("--document", help="The document that was refused at intake, to name what it says."),
    ] = None,
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write the letter that a case gets now: refusal, certificate of delivery, answer without data."""
    with session(mesh, who, records.acting_role(who, ("clerk", "reviewer", "auditor"))) as own:
        operator, now_ms = own.governance().audience, own.now_ms()
        known = known_of(own, case_id(case))
        received_ms = known.timeline.summary.received_at_ms
        pinned = pinned_policy(own, policy or Places(mesh).policy, received_ms)
        if document is not None:
            known = with_document(own, known, read_input(document, "document"))
    made = letter_of(known, pinned, operator, now_ms)
    is_html = html or (out is not None and out.suffix.lower() in {".html", ".htm"})
    data = as_html(made, language) if is_html else as_text(made, language)
    value = {"kind": made.kind, "format": "html" if is_html else "text", "file": str(out) if out else None}
    if out is None:
        emit(as_json, {**value, "letter": data.decode()}, lambda _console: give(None, data))
    else:
        give(out, data)
        emit(as_json, value, lambda console: console.print(facts(value.items())))


def pinned_policy(own: Session, path: Path, received_ms: int) -> Policy:
    """Read the policy that governance pinned at a case's receipt: this file, or one kept beside it.

    Args:
        own: Who writes the letter.
        path: The policy file.
        received_ms: When warrants received the document, milliseconds since 1970.

    Raises:
        RefusedError: `POLICY_MISSING`, those of `read_input` and `load_policy`.
    """
    pinned = in_force_at(own.governance_source.history(), received_ms).policy
    named = read_input(path, "policy file")
    return KeptPolicies(lambda: itertools.chain([named], files_beside(path)))(pinned)


def known_of(own: Session, case: bytes) -> Known:
    """Fetch what a letter rests on, and verify whatever in it is signed.

    Args:
        own: Who writes the letter.
        case: Id of the case, or of a refusal.

    Raises:
        RefusedError: `CASE_UNKNOWN`, `LETTER_DOCUMENT`, `STATEMENT_*`, `LOG_*`, those of documents.
    """
    timeline = records.timeline_of(own, case)
    if not timeline.summary.document_digest:
        return Known(timeline)
    unmasking = records.unmasking_of(own, timeline.summary)
    if timeline.summary.stage == "no-data":
        _demand_answer(own, timeline)
    return Known(
        timeline,
        claims=_claims(own, timeline.summary),
        receipt=_receipt(own, timeline) if timeline.HasField("delivery") else None,
        unmasking=unmasking["state"] if unmasking else "",
    )


def with_document(own: Session, known: Known, content: bytes) -> Known:
    """Add what a document says that was refused before a case was opened.

    Args:
        own: Who writes the letter.
        known: What is on record of it.
        content: The document as it was filed.

    Raises:
        RefusedError: `LETTER_DOCUMENT`: not the bytes that were refused; those of the document's format.
    """
    if known.claims is not None or hashlib.sha256(content).digest() != known.timeline.content_digest:
        raise RefusedError(
            "LETTER_DOCUMENT",
            "name the file that was refused before a case was opened",
            field="document",
        )
    return dataclasses.replace(known, unverified=read_document(content, own.open_document).claims)


def _claims(own: Session, summary: pb.CaseSummary) -> Claims:
    document = own.warrants.GetCase(pb.GetCaseRequest(case_id=summary.case_id)).document
    payload = own.open_document(document.media_type, document.content).payload
    if hashlib.sha256(payload).digest() != summary.document_digest:
        raise _other()
    return read_claims(payload)


def _receipt(own: Session, timeline: pb.GetCaseTimelineResponse) -> DossierReceipt:
    logged = logged_from(timeline.delivery.receipt, field="receipt")
    keys = own.governance().keys_of("custody")
    receipt = DossierReceipt.verify(logged.statement, keys, mesh=own.mesh.mesh, now=None)
    actor = service_id(own.mesh.mesh, "custody")
    own.ledger.verify(logged.statement.payload, logged.proof, kind="dossier-closed", actor=actor)
    if bytes.fromhex(receipt.document) != timeline.summary.document_digest:
        raise _other()
    return receipt


def _demand_answer(own: Session, timeline: pb.GetCaseTimelineResponse) -> None:
    logged = logged_from(timeline.answer, field="answer")
    keys = own.governance().keys_of("warrants")
    answer = NoData.verify(logged.statement, keys, mesh=own.mesh.mesh, now=None)
    actor = service_id(own.mesh.mesh, "warrants")
    own.ledger.verify(logged.statement.payload, logged.proof, kind="no-data", actor=actor)
    if bytes.fromhex(answer.document) != timeline.summary.document_digest:
        raise _other()


def _other() -> RefusedError:
    return RefusedError(
        "LETTER_DOCUMENT",
        "what the services show is of another document: call the auditors",
        kind=Kind.DATA_LOSS,
    )
