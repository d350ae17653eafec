"""`garim document draft`: payloads of documents, checked as a receiver will check them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from garim.cli.document_files import acknowledger_of, open_file, read_document, recipient_of
from garim.cli.files import give, read_input
from garim.cli.options import JsonOption, OutOption
from garim.cli.output import emit, facts
from garim.cli.pdf_files import draw_file
from garim.documents import draft
from garim.documents.fields import write_instant
from garim.kit.clock import SystemClock
from garim.kit.document_opener import DocumentOpener
from garim.statements.refusal import RefusedError

app = typer.Typer(no_args_is_help=True, help="Draft a document.")

Audience = Annotated[str, typer.Option("--audience", help="The operator, as governance has it.")]
Authority = Annotated[str, typer.Option("--authority", help="The investigating agency.")]
Court = Annotated[str, typer.Option("--court", help="The court.")]
Number = Annotated[str, typer.Option("--number", help="The document's number at its authority.")]
CaseNumber = Annotated[str, typer.Option("--case", help="The investigation's number.")]
IssuedAt = Annotated[str, typer.Option("--issued-at", help="RFC 3339, or a bare date; now without.")]
Subjects = Annotated[
    list[str], typer.Option("--subject", help="account:ID, phone:NUMBER or email:ADDRESS; may be repeated.")
]
From = Annotated[str, typer.Option("--from", help="First instant; a bare date means its first second, KST.")]
To = Annotated[str, typer.Option("--to", help="First instant behind the period.")]
Recipient = Annotated[str, typer.Option("--recipient", help="age recipient, or a file that holds it.")]
Acknowledger = Annotated[
    Path, typer.Option("--acknowledger", help="Certificate (PEM) that will sign the delivery receipt.")
]
AsPdf = Annotated[
    bool, typer.Option("--pdf", help="Write a readable PDF with the draft embedded, to rehearse with.")
]


def common(
    audience: str, authority: str, court: str, number: str, case_number: str, issued_at: str = ""
) -> dict[str, str]:
    """Return the fields that every document has."""
    return {
        "audience": audience,
        "authority": authority,
        "court": court,
        "number": number,
        "case_number": case_number,
        "issued_at": issued_at or write_instant(SystemClock().now_ms()),
    }


def subjects_of(texts: list[str]) -> list[tuple[str, str]]:
    """Read subjects given as KIND:VALUE.

    Raises:
        RefusedError: `SUBJECT_FORM`.
    """
    pairs = []
    for text in texts:
        kind, colon, value = text.partition(":")
        if kind not in {"account", "phone", "email"} or not colon or not value:
            raise RefusedError(
                "SUBJECT_FORM", "write account:ID, phone:NUMBER or email:ADDRESS", field="subject"
            )
        pairs.append((kind, value))
    return pairs


@app.command()
def disclosure(
    audience: Audience,
    authority: Authority,
    court: Court,
    number: Number,
    case_number: CaseNumber,
    subject: Subjects,
    start: From,
    end: To,
    recipient: Recipient,
    acknowledger: Acknowledger,
    offence: Annotated[str, typer.Option("--offence", help="Id in the operator's policy.")],
    warrant_type: Annotated[
        str, typer.Option("--warrant-type", help="Id in the operator's policy.")
    ] = "search-and-seizure-stored",
    mode: Annotated[str, typer.Option("--mode", help="sealed or erased.")] = "sealed",
    expires_at: Annotated[str, typer.Option("--expires-at", help="When it ends; never without.")] = "",
    issued_at: IssuedAt = "",
    pdf: AsPdf = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft a first request: the subjects' conversations of a past period."""
    payload = draft.draft_disclosure(
        common(audience, authority, court, number, case_number, issued_at),
        offence=offence,
        warrant_type=warrant_type,
        subjects=subjects_of(subject),
        period=(start, end),
        recipient=recipient_of(recipient),
        acknowledger=acknowledger_of(acknowledger),
        mode=mode,
        expires_at=expires_at or None,
    )
    _give(out, payload, as_json, pdf=pdf)


@app.command()
def preservation(
    audience: Audience,
    authority: Authority,
    court: Court,
    number: Number,
    case_number: CaseNumber,
    subject: Subjects,
    start: From,
    end: To,
    until: Annotated[str, typer.Option("--until", help="When the order ends.")],
    issued_at: IssuedAt = "",
    pdf: AsPdf = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft an order to keep what a later request may ask for."""
    payload = draft.draft_preservation(
        common(audience, authority, court, number, case_number, issued_at),
        subjects=subjects_of(subject),
        period=(start, end),
        until=until,
    )
    _give(out, payload, as_json, pdf=pdf)


@app.command()
def emergency(
    audience: Audience,
    authority: Authority,
    court: Court,
    number: Number,
    case_number: CaseNumber,
    subject: Subjects,
    start: From,
    end: To,
    until: Annotated[str, typer.Option("--until", help="When it ends, 36 hours from its issue at most.")],
    urgency: Annotated[str, typer.Option("--urgency", help="Why no court could be asked before.")],
    issued_at: IssuedAt = "",
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft an emergency request to keep until a court has decided; the chief investigator signs alone."""
    payload = draft.draft_emergency(
        common(audience, authority, court, number, case_number, issued_at),
        subjects=subjects_of(subject),
        period=(start, end),
        until=until,
        urgency=urgency,
    )
    _give(out, payload, as_json, pdf=False)


@app.command()
def revocation(
    revoked: Annotated[Path, typer.Argument(metavar="FILE", help="The document to take back.")],
    audience: Audience,
    court: Court,
    number: Number,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")],
    issued_at: IssuedAt = "",
    pdf: AsPdf = False,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft the revocation of an earlier document, of the same authority and case."""
    with closing(DocumentOpener()) as opener:
        former = read_document(read_input(revoked, "document"), opener.open)
    claims = former.claims
    payload = draft.draft_revocation(
        common(audience, claims.authority, court, number, claims.case_number, issued_at),
        number=claims.number,
        sha256=former.digest,
        reason=reason,
    )
    _give(out, payload, as_json, pdf=pdf)


def _give(out: Path | None, payload: bytes, as_json: bool, *, pdf: bool) -> None:
    give(out, draw_file(payload) if pdf else payload)
    if out is not None:
        value = {"file": str(out), "digest": open_file(payload).digest}
        emit(as_json, value, lambda console: console.print(facts(value.items())))
