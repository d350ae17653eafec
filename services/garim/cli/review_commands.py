"""`garim review`: the committee looks at cases and decides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from garim.api.warrants.v1 import warrants_pb2
from garim.cli.cases import STATES, case_id, reasons_from
from garim.cli.decisions import decide
from garim.cli.document_files import crls_in
from garim.cli.mesh_plan import Places
from garim.cli.options import (
    DEFAULT_MESH,
    AsOption,
    JsonOption,
    MeshOption,
    PassphraseOption,
    ReasonOption,
)
from garim.cli.output import emit, facts, rows_table
from garim.cli.review_check import CheckedReview, cancel_subject, check_document, check_review
from garim.cli.session import Session, session
from garim.documents.fields import write_instant
from garim.kit.convert import document_from, envelope_from, envelope_to
from garim.statements.refusal import Kind, RefusedError

app = typer.Typer(no_args_is_help=True, help="The review committee's decisions.")

CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="Id of the case.")]
Choice = Literal["review-approve", "review-deny"]


@app.command("list")
def list_cases(
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    every: Annotated[bool, typer.Option("--all", help="Cases in every state, not only in review.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List cases that wait for reviewers."""
    state = warrants_pb2.CASE_STATE_UNSPECIFIED if every else warrants_pb2.CASE_STATE_IN_REVIEW
    found: list[dict[str, Any]] = []
    with session(mesh, who, "reviewer") as own:
        token = ""
        while True:
            request = warrants_pb2.ListCasesRequest(state=state, page_token=token)
            answer = own.warrants.ListCases(request)
            found += [_summary(one) for one in answer.cases]
            token = answer.next_page_token
            if not token:
                break
    columns = ("case", "kind", "state", "authority", "number", "received")
    emit(
        as_json,
        {"cases": found},
        lambda console: console.print(
            rows_table(columns, [[one[name] for name in columns] for one in found])
            if found
            else "no case waits for review"
        ),
    )


def _summary(one: warrants_pb2.CaseSummary) -> dict[str, Any]:
    return {
        "case": one.case_id.hex(),
        "kind": one.kind,
        "state": STATES.get(one.state, "unknown"),
        "authority": one.authority,
        "number": one.number,
        "case_number": one.case_number,
        "document": one.document_digest.hex(),
        "received": write_instant(one.received_at_ms),
    }


def checked_case(own: Session, case: bytes, crls: Path) -> tuple[CheckedReview, list[RefusedError]]:
    """Fetch a case under review and verify it here.

    Args:
        own: A reviewer's session.
        case: Id of the case.
        crls: Folder of revocation lists.

    Raises:
        RefusedError: `CASE_STATE` (it has no forecast), and those of `check_review`.
    """
    answer = own.warrants.GetCase(warrants_pb2.GetCaseRequest(case_id=case))
    if not answer.HasField("forecast"):
        raise RefusedError("CASE_STATE", "this case is not for review", kind=Kind.PRECONDITION)
    checked = check_review(
        document_from(answer.document),
        envelope_from(answer.forecast),
        answer.review_subject.hex(),
        open_document=own.open_document,
        history=own.governance_source.history(),
        crls=crls_in(crls),
        now_ms=own.now_ms(),
    )
    return checked, reasons_from(list(answer.review_reasons))


@app.command()
def show(
    case: CaseArgument, mesh: MeshOption = DEFAULT_MESH, who: AsOption = "", as_json: JsonOption = False
) -> None:
    """Show a case under review with its forecast, after verifying both."""
    with session(mesh, who, "reviewer") as own:
        checked, causes = checked_case(own, case_id(case), Places(mesh).crls)
    value = review_facts(checked)
    value["review_reasons"] = [one.reason for one in causes]
    emit(as_json, value, lambda console: _print(console, value))


def review_facts(checked: CheckedReview) -> dict[str, Any]:
    """Return what a reviewer is shown of a verified case."""
    claims, forecast = checked.claims, checked.forecast
    return {
        "document": checked.document.digest,
        "authority": claims.authority,
        "number": claims.number,
        "case_number": claims.case_number,
        "offence": claims.offence,
        "signed_by": [f"{one.name}, {one.organisation}" for one in checked.document.signers],
        "subjects": [f"{one.kind}:{one.value}" for one in claims.subjects],
        "period": [write_instant(claims.period.start_ms), write_instant(claims.period.end_ms)],
        "mode": claims.mode,
        "policy": checked.policy,
        "forecast": {
            "messages": forecast.messages,
            "conversations": forecast.conversations,
            "bystanders": forecast.bystanders,
            "secret_chat_segments": forecast.opaque,
        },
    }


def _print(console: Console, value: dict[str, Any]) -> None:
    rows = [
        (name.replace("_", " "), value[name]) for name in ("authority", "number", "case_number", "offence")
    ]
    rows += [("signed by", text) for text in value["signed_by"]]
    rows += [("subject", text) for text in value["subjects"]]
    rows.append(("period", " up to ".join(value["period"])))
    rows += [(name, value[name]) for name in ("mode", "policy")]
    rows += [
        (f"{name.replace('_', ' ')} (at most)", f"{number:,}") for name, number in value["forecast"].items()
    ]
    rows.append(("why review", ", ".join(value["review_reasons"]) or "-"))
    console.print(facts(rows))


def review(
    own: Session, case: bytes, crls: Path, choice: Choice, reason: str, passphrase_file: Path | None
) -> warrants_pb2.DecideReviewResponse:
    """Verify a case, sign the decision, hand it in.

    Raises:
        RefusedError: Those of `checked_case`, of the keys and of warrants.
    """
    checked, _ = checked_case(own, case, crls)
    decision = decide(own, choice, checked.subject, reason, passphrase_file)
    return own.warrants.DecideReview(
        warrants_pb2.DecideReviewRequest(case_id=case, decision=envelope_to(decision))
    )


def _decide(
    case: str, mesh: Path, who: str, choice: Choice, reason: str, passphrase_file: Path | None, as_json: bool
) -> None:
    with session(mesh, who, "reviewer") as own:
        answer = review(own, case_id(case), Places(mesh).crls, choice, reason, passphrase_file)
    value = {
        "state": STATES.get(answer.state, "unknown"),
        "approvals": answer.approvals,
        "needed": answer.needed,
    }
    emit(as_json, value, lambda console: console.print(facts(value.items())))


@app.command()
def approve(
    case: CaseArgument,
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    reason: ReasonOption = "",
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve a disclosure after verifying it."""
    _decide(case, mesh, who, "review-approve", reason, passphrase_file, as_json)


@app.command()
def deny(
    case: CaseArgument,
    reason: ReasonOption,
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Deny a disclosure."""
    _decide(case, mesh, who, "review-deny", reason, passphrase_file, as_json)


@app.command()
def cancel(
    case: CaseArgument,
    reason: ReasonOption,
    mesh: MeshOption = DEFAULT_MESH,
    who: AsOption = "",
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel a case for good."""
    with session(mesh, who, "reviewer") as own:
        number = case_id(case)
        answer = own.warrants.GetCase(warrants_pb2.GetCaseRequest(case_id=number))
        document = check_document(
            document_from(answer.document),
            open_document=own.open_document,
            governance=own.governance(),
            crls=crls_in(Places(mesh).crls),
            now_ms=own.now_ms(),
        )
        subject = cancel_subject(number, document, answer.cancel_subject.hex())
        decision = decide(own, "cancel", subject, reason, passphrase_file)
        result = own.warrants.CancelCase(
            warrants_pb2.CancelCaseRequest(case_id=number, decision=envelope_to(decision))
        )
    value = {"state": STATES.get(result.state, "unknown")}
    emit(as_json, value, lambda console: console.print(facts(value.items())))
