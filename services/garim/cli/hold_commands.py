"""`garim dossier holds`: places that the leak scan leaves to reviewers."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from garim.api.redaction.v1 import redaction_pb2
from garim.api.warrants.v1 import warrants_pb2
from garim.cli.cases import case_id
from garim.cli.decisions import decide
from garim.cli.document_files import crls_in
from garim.cli.mesh_plan import Places
from garim.cli.options import DEFAULT_MESH, AsOption, JsonOption, MeshOption, PassphraseOption, ReasonOption
from garim.cli.output import emit, facts, rows_table
from garim.cli.review_check import check_document
from garim.cli.session import Session, session
from garim.kit.convert import document_from, envelope_to
from garim.statements import strict_json, subjects
from garim.statements.refusal import Kind, RefusedError

app = typer.Typer(no_args_is_help=True, help="Places that the leak scan leaves to reviewers.")
CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="Id of the case.")]


def holds_json(answer: redaction_pb2.ListHoldsResponse) -> list[dict[str, Any]]:
    """Return holds as the list that a lifting decision covers."""
    return [
        {
            "place": {
                "segment": one.segment_id.hex(),
                "message": one.message,
                "start": one.start,
                "end": one.end,
            },
            "reason": one.reason,
        }
        for one in answer.holds
    ]


def lift_subject(document: str, holds: list[dict[str, Any]], stated: str) -> str:
    """Return the subject of a decision that lifts these holds, computed here.

    Args:
        document: SHA-256 of the verified document's payload.
        holds: From `holds_json`.
        stated: What redaction says.

    Raises:
        RefusedError: `HOLD_UNKNOWN`, `DECISION_SUBJECT`.
    """
    if not holds:
        raise RefusedError("HOLD_UNKNOWN", "this case has no holds", kind=Kind.PRECONDITION)
    own = subjects.lift(document, strict_json.dump({"holds": holds}))
    if own != stated:
        raise RefusedError(
            "DECISION_SUBJECT",
            "redaction names another subject than these holds give: sign nothing, call the auditors",
            kind=Kind.DATA_LOSS,
            field="subject",
        )
    return own


def _holds(own: Session, case: bytes) -> redaction_pb2.ListHoldsResponse:
    return own.redaction.ListHolds(redaction_pb2.ListHoldsRequest(case_id=case))


@app.command("list")
def list_holds(
    case: CaseArgument, mesh: MeshOption = DEFAULT_MESH, who: AsOption = "", as_json: JsonOption = False
) -> None:
    """List the places of the last attempt, without their text."""
    with session(mesh, who, "reviewer") as own:
        answer = _holds(own, case_id(case))
    holds = holds_json(answer)
    rows = [(*one["place"].values(), one["reason"]) for one in holds]
    columns = ("segment", "message", "start", "end", "reason")
    value = {"holds": holds, "lifts": answer.lifts, "needed": answer.needed}
    emit(as_json, value, lambda console: console.print(rows_table(columns, rows) if rows else "no holds"))


def lift(
    own: Session, case: bytes, crls: list[bytes], reason: str, passphrase_file: Any
) -> redaction_pb2.DecideHoldResponse:
    """Verify the case's document, sign a lift of exactly the holds listed, hand it in.

    Raises:
        RefusedError: Those of `check_document`, `lift_subject`, the keys and redaction.
    """
    answer = own.warrants.GetCase(warrants_pb2.GetCaseRequest(case_id=case))
    document = check_document(
        document_from(answer.document),
        open_document=own.open_document,
        governance=own.governance(),
        crls=crls,
        now_ms=own.now_ms(),
    )
    listed = _holds(own, case)
    subject = lift_subject(document.digest, holds_json(listed), listed.lift_subject.hex())
    decision = decide(own, "lift", subject, reason, passphrase_file)
    return own.redaction.DecideHold(
        redaction_pb2.DecideHoldRequest(case_id=case, decision=envelope_to(decision))
    )


@app.command("lift")
def lift_command(
    case: CaseArgument,
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    reason: ReasonOption = "",
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that the places are no leaks; the quorum's lifts apply to the next attempt."""
    with session(mesh, who, "reviewer") as own:
        answer = lift(own, case_id(case), crls_in(Places(mesh).crls), reason, passphrase_file)
    value = {"lifts": answer.lifts, "needed": answer.needed}
    emit(as_json, value, lambda console: console.print(facts(value.items())))
